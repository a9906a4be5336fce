"""Real processes: broker, PostgreSQL, workers that share a subscription; one is killed, nothing is lost."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import anyio
import asyncpg
import httpx
import psutil
import pytest

from hil.mosquitto import MOSQUITTO, mosquitto
from rsu_agent.district.options import checked, parser
from rsu_agent.district.read import duplicate_facts, stored_envelopes, stored_records
from rsu_agent.district.sink import Batch, SiteState
from rsu_agent.district.store import SqliteSink
from rsu_agent.district.worker import GROUP
from rsu_agent.ports.envelope import pack_envelope, unpack_ack
from rsu_agent.ports.mqtt import Broker, Session, connect
from tests.district.made import NOW_US, envelope, prefix, taken, until
from tests.district.receiving import district

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.real,
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (make tools)"),
]
SITES = [f"site-{n}" for n in range(4)]


async def send(session: Session, numbers: range) -> None:
    for seq in numbers:
        for site in SITES:
            await session.publish(f"{prefix(site)}/up/lo", pack_envelope(envelope(seq, site=site)), qos=1)


def workers(parent: int) -> list[psutil.Process]:
    """The receivers behind a parent."""
    return [p for p in psutil.Process(parent).children() if "--worker" in p.cmdline()]


async def test_workers_share_the_work_and_what_a_killed_one_had_is_stored_when_it_comes_again(
    database: str, tmp_path: Path
) -> None:
    with mosquitto(tmp_path) as port:
        options = ("--host", "127.0.0.1", "--port", port, "--workers", 2)
        with district(tmp_path, database, *options) as running:
            async with connect(Broker("127.0.0.1", port, "sites")) as sites, httpx.AsyncClient() as http:
                db = await asyncpg.connect(database)

                async def stored() -> bool:
                    await send(sites, range(1, 51))  # as an outbox does: again until it is acknowledged
                    return bool(await db.fetchval("SELECT count(*) FROM phase") == 200)

                await until(stored, 60)
                first, *others = workers(running.process.pid)
                assert len(others) == 1
                groups = {each.environ()[GROUP] for each in (first, *others)}
                assert re.fullmatch("[0-9a-f]{32}", groups.pop()), "a name that no pole can guess"
                assert not groups, "and one for all"
                os.kill(first.pid, signal.SIGKILL)

                async def all_stored() -> bool:
                    await send(sites, range(51, 81))
                    return bool(await db.fetchval("SELECT count(*) FROM phase") == 320)

                await until(all_stored, 60)
                lanes = await db.fetch("SELECT hw, gaps::text, envelopes FROM site_lane")
                assert [tuple(row) for row in lanes] == [(80, "{}", 80)] * 4

                async def back() -> bool:
                    return len({p.pid for p in workers(running.process.pid)} - {first.pid}) == 2

                await until(back)

                async def counted() -> bool:
                    text = (await http.get(f"{running.api}metrics")).text
                    return float(line(text, "rsu_district_envelopes_total")) >= 200

                await until(counted)
                await db.close()
        assert not psutil.pid_exists(others[0].pid), "a worker does not outlive its parent"


async def test_the_acknowledgement_of_two_workers_covers_what_both_have_stored(
    database: str, tmp_path: Path
) -> None:
    with mosquitto(tmp_path) as port:
        options = ("--host", "127.0.0.1", "--port", port, "--workers", 2)
        with district(tmp_path, database, *options):
            async with connect(Broker("127.0.0.1", port, "sites")) as sites:
                await sites.subscribe(f"{prefix('site-0')}/ack", 0)
                top = 0
                with anyio.fail_after(60):
                    async with anyio.create_task_group() as tasks:
                        tasks.start_soon(again_and_again, sites)
                        async for _, payload in sites.messages():
                            top = max(top, unpack_ack(payload).contiguous)
                            if top == 20:
                                break
                        tasks.cancel_scope.cancel()


async def again_and_again(sites: Session) -> None:
    while True:
        await send(sites, range(1, 21))
        await anyio.sleep(0.5)


@pytest.mark.parametrize("point", ["receive:9", "store:2", "reply:3"])
async def test_a_receiver_that_dies_at_a_point_has_acknowledged_nothing_that_is_not_stored(
    tmp_path: Path, point: str
) -> None:
    database = tmp_path / "d.sqlite"
    heard: dict[str, int] = dict.fromkeys(SITES, 0)
    with mosquitto(tmp_path) as port:
        where = ("--host", "127.0.0.1", "--port", port)
        async with connect(Broker("127.0.0.1", port, "sites")) as sites, anyio.create_task_group() as tasks:
            await sites.subscribe("rsu/1/pingshan/+/ack", 0)
            tasks.start_soon(listen, sites, heard)
            with district(tmp_path, str(database), *where, point=point) as dying:

                async def dead() -> bool:
                    await send(sites, range(1, 6))
                    return dying.process.poll() is not None

                await until(dead)
                assert dying.process.returncode == -signal.SIGKILL
            stored = stored_envelopes(database).get(
                (7, "lo"), set()
            )  # of all sites: they share one epoch here
            assert max(heard.values()) <= max(stored, default=0)
            with district(tmp_path, str(database), *where):

                async def all_told() -> bool:
                    await send(sites, range(1, 21))
                    return set(heard.values()) == {20}

                await until(all_told)
            tasks.cancel_scope.cancel()
    assert duplicate_facts(database) == 0
    assert len(stored_records(database, "phase")) == 20 * len(SITES)


async def listen(sites: Session, heard: dict[str, int]) -> None:
    async for topic, payload in sites.messages():
        site = topic.split("/")[3]
        heard[site] = max(heard[site], unpack_ack(payload).contiguous)


def line(text: str, name: str) -> str:
    return next(row.split()[-1] for row in text.splitlines() if row.startswith(f"{name} "))


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--database", "a.sqlite", "--workers", "2", "--host", "h"], "one; --database postgresql"),
        (["--database", "postgresql:///a", "--workers", "2"], "name one with --host"),
        (["--database", "a.sqlite", "--workers", "0"], "1 to 64"),
    ],
)
def test_options_that_contradict_each_other_are_refused_with_what_to_do(
    options: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        checked(parser(), options)
    assert why in capsys.readouterr().err


async def test_page_and_api_alone_read_what_others_have_stored(tmp_path: Path) -> None:
    database = tmp_path / "district.sqlite"
    store = SqliteSink(database)
    store._commit(Batch([taken(envelope(1))], [], [SiteState("pingshan", "site-1", {})]), NOW_US)
    store.close()
    with district(tmp_path, str(database), "--read-only") as running:
        async with httpx.AsyncClient(base_url=running.api) as api:
            assert (await api.get("api/sites/site-1")).json()["site"] == "site-1"
            assert (await api.get("api/sites/site-1/live")).status_code == 404, "no broker was named"
