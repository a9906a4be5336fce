"""`python -m hil.uplink_chaos --n 30 --envelopes 20000`: kills while records flow, and the control run.

One JSON object on the last line; status 1 when anything is lost, stored twice or missing without a word, or
when the control (an uplink that deletes on PUBACK) loses nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import anyio
import asyncpg

from hil.counted_run import counted
from hil.mosquitto import MOSQUITTO
from hil.nats_servers import MISSING as NO_NATS
from hil.nats_servers import NATS
from hil.postgres import INITDB, cluster
from hil.postgres import MISSING as NO_POSTGRES
from hil.processes import RigFailure
from hil.progress import counting
from hil.uplink_chaos.run import Plan, one_run
from rsu_agent.ports.chaos_point import POINTS

MODES = """the receiver's database; jetstream: three NATS nodes between a front and two backs, a PostgreSQL
database each: eight victims, of which each node has an eighth of the kills at least: 20 of 160"""
CONTROL_KILLS, CONTROL_ENVELOPES = 6, 3000
CONTROL_POINTS = ("receive", "store")  # heard and not stored: what the broker's word says nothing of
BOUNDS = ("lost", "duplicates", "undeclared_gaps", "strange", "given_up")  # all 0


def chaos(options: argparse.Namespace, run_dir: Path) -> dict[str, Any]:
    """The run and its control. Raises RigFailure."""
    if options.broker == "mosquitto" and MOSQUITTO is None:
        raise RigFailure("mosquitto is not installed (make tools)")
    if options.mode != "sqlite" and INITDB is None:
        raise RigFailure(NO_POSTGRES)
    if options.mode == "jetstream" and NATS is None:
        raise RigFailure(NO_NATS)
    with counting() as bar:
        kills = bar.add_task("kills", total=options.n)
        found = _run(options, run_dir / "run", told=partial(bar.advance, kills))
        few = min(CONTROL_KILLS, options.n)
        against = bar.add_task("kills of the control", total=few)
        control = argparse.Namespace(**vars(options))
        control.n, control.envelopes = few, min(CONTROL_ENVELOPES, options.envelopes)
        control.points = CONTROL_POINTS
        loses = _run(control, run_dir / "control", told=partial(bar.advance, against), control=True)
    told = {name: loses[name] for name in ("kills", "envelopes", "lost", "duplicates", "undeclared_gaps")}
    figures = {"seed": options.seed, "broker": options.broker, "mode": options.mode, **found, "control": told}
    return {**figures, "missed": missed(figures)}


def missed(figures: dict[str, Any]) -> list[str]:
    """Bounds that do not hold."""
    told = [f"{name} {figures[name]} > 0" for name in BOUNDS if figures[name] != 0]
    told += ["not drained"] * (not figures["drained"]) + ["nothing committed"] * (not figures["committed"])
    return told + ["control.lost 0: the run would not see a loss"] * (not figures["control"]["lost"])


def _run(
    options: argparse.Namespace, folder: Path, *, told: Callable[[], None], control: bool = False
) -> dict[str, Any]:
    server = nullcontext(str(folder / "district.sqlite")) if options.mode == "sqlite" else cluster()
    with server as database:
        streams = options.mode == "jetstream"
        databases = (database, anyio.run(_another, database)) if streams else (database,)
        asked = options.n, options.seed, options.envelopes, options.points, options.broker
        return one_run(Plan(*asked, databases, control, streams, told), folder)


async def _another(database: str) -> str:
    """A second database of the same server, for the second shard."""
    db = await asyncpg.connect(database)
    await db.execute("CREATE DATABASE shard_1")
    await db.close()
    parts = urlsplit(database)
    return urlunsplit(parts._replace(path="/shard_1"))


def points(text: str) -> tuple[str, ...]:
    """Names separated by commas; `none`: kills at random instants only."""
    names = () if text == "none" else tuple(text.split(","))
    if strange := sorted(set(names) - set(POINTS)):
        raise argparse.ArgumentTypeError(f"no point {', '.join(strange)}; there are {', '.join(POINTS)}")
    return names


def main() -> int:
    """Parse, run, print; 1 when a bound is missed, 2 when a process ended in a way of its own."""
    parser = argparse.ArgumentParser(prog="python -m hil.uplink_chaos", description=__doc__)
    parser.add_argument("--n", type=int, default=300, help="how many kills")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--envelopes", type=int, default=200_000)
    parser.add_argument("--points", type=points, default=POINTS, help="where processes die, or none")
    parser.add_argument("--broker", choices=("mosquitto", "amqtt"), default="mosquitto")
    parser.add_argument("--mode", choices=("sqlite", "postgres", "jetstream"), default="sqlite", help=MODES)
    return counted("chaos", parser, chaos, "a bound is missed")


if __name__ == "__main__":
    sys.exit(main())
