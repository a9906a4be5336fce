"""The command line of the district's processes, and what is made of it."""

from __future__ import annotations

import argparse
import os
import secrets
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rsu_agent.district.reading import is_postgres
from rsu_agent.district.sink import Sink
from rsu_agent.ports.mqtt import Broker

if TYPE_CHECKING:
    from rsu_agent.district.streams import Servers

PASSWORD = "RSU_DISTRICT_MQTT_PASSWORD"  # of the environment: a command line is everybody's to read
MOST_WORKERS = 64
MOST_WAITING_BYTES = 256 << 20  # of messages that a process has heard and not yet looked at


def parser() -> argparse.ArgumentParser:
    """Options of `python -m rsu_agent.district.main`."""
    made = argparse.ArgumentParser(prog="rsu-district")
    what = "an SQLite file, or postgresql://...; once a shard with --nats, in the same order everywhere"
    made.add_argument("--database", required=True, action="append", help=what)
    made.add_argument("--host", default="", help="an outer broker; none = one in this process on loopback")
    made.add_argument("--port", type=int, default=0, help="the broker's port; 0 = any, in process only")
    made.add_argument("--username", default=None, help=f"at the broker; the password is in ${PASSWORD}")
    made.add_argument("--ca", type=Path, help="TLS: the authority that signed the broker's certificate")
    made.add_argument("--cert", type=Path, help="TLS: our certificate")
    made.add_argument("--key", type=Path, help="TLS: its key")
    made.add_argument("--workers", type=int, default=1, help="processes that share the subscription")
    made.add_argument("--shared", action="store_true", help="share it with receivers on other machines, too")
    made.add_argument("--api-host", default="127.0.0.1", help="where page and read API listen")
    made.add_argument("--api-port", type=int, default=None, help="their port, 0 = any; none = no API")
    made.add_argument("--live", default="", help="address of a site's live page, {site} stands for its name")
    made.add_argument("--ready", type=Path, help="write {host, port, api} here once up")
    made.add_argument("--nats", default="", help="distributed: nats://a:4222,nats://b:4222,nats://c:4222")
    made.add_argument("--nats-creds", type=Path, help="at the cluster: a .creds file")
    made.add_argument("--nats-ca", type=Path, help="TLS: who signed the cluster's certificates")
    made.add_argument("--role", choices=("front", "back"), help="distributed: this half only; none = both")
    made.add_argument("--shard", type=int, action="append", help="distributed: backs of these shards only")
    made.add_argument("--read-only", action="store_true", help="page and API alone: nothing is received")
    made.add_argument("--worker", type=int, default=0, help=argparse.SUPPRESS)
    return made


def checked(made: argparse.ArgumentParser, arguments: list[str] | None = None) -> argparse.Namespace:
    """The options, or the end with a sentence of what is wrong."""
    options = made.parse_args(arguments)
    if not 1 <= options.workers <= MOST_WORKERS:
        made.error(f"--workers: 1 to {MOST_WORKERS}")
    if options.read_only and options.api_port is None:
        made.error("--read-only: nothing is left to do without --api-port")
    _check_shards(made, options)
    if options.workers > 1 and not is_postgres(options.database[0]):
        made.error("--workers: an SQLite file has one; --database postgresql://...")
    if options.workers > 1 and not options.host:
        made.error("--workers: the broker in this process is for one worker; name one with --host")
    return options


def _check_shards(made: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    shards = len(options.database)
    if not options.nats and not options.read_only and (shards > 1 or options.role or options.shard):
        made.error("several --database, --role and --shard belong to --nats")
    if not options.nats:
        return
    if not all(map(is_postgres, options.database)) or len(set(options.database)) < shards:
        made.error("--nats: every --database is a PostgreSQL of its own, postgresql://...")
    if not options.host:
        made.error("--nats: name the broker of the poles with --host")
    if options.shard and not all(0 <= shard < shards for shard in options.shard):
        made.error(f"--shard: 0 to {shards - 1}")


def servers_of(options: argparse.Namespace) -> Servers:
    """The cluster."""
    from rsu_agent.district.streams import Servers

    addresses = tuple(part.strip() for part in options.nats.split(",") if part.strip())
    return Servers(addresses, options.nats_creds, options.nats_ca)


async def open_sink(databases: Sequence[str], shard: int = 0) -> Sink:
    """The sink of a shard, connected."""
    database = databases[shard]
    if is_postgres(database):
        from rsu_agent.district.postgres_sink import PostgresSink

        sink = PostgresSink(database, (shard, len(databases)))
        await sink.open()
        return sink
    from rsu_agent.district.store import SqliteSink

    return SqliteSink(Path(database))


def broker_of(options: argparse.Namespace, port: int) -> Broker:
    """Where to connect, under a name of its own: of two with one name the broker drops the first."""
    tls = None
    if options.ca or options.cert:
        tls = ssl.create_default_context(cafile=options.ca)
        if options.cert:
            tls.load_cert_chain(options.cert, options.key)
    return Broker(
        options.host or "127.0.0.1",
        port,
        identifier=f"district-{options.worker or 1}-{secrets.token_hex(4)}",
        tls=tls,
        username=options.username,
        password=os.environ.get(PASSWORD),
        most_waiting_bytes=MOST_WAITING_BYTES,
        version=3,  # first: it has all that a receiver needs, and costs half of what 5 does to read
    )
