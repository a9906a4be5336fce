"""Chaos: random kills and broker stops on a running crossing; afterwards the district must hold everything.

`python -m hil.chaos --n 10 --seed 1` prints one JSON line and ends with status 1 when anything is lost,
stored twice, or does not come back in time. What counts as produced is read from the outbox files.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from hil.counted_run import judged
from hil.demo import watch_first_valid
from hil.district_side import all_stored
from hil.processes import Processes, RigFailure
from hil.resources import agent_processes
from hil.rig import Rig, RigOptions
from rsu_agent.district.broker import loopback_broker
from rsu_agent.district.read import duplicate_facts, stored_envelopes
from rsu_agent.outlets.outbox import read_numbers

VICTIMS = ("core", "senses", "uplink", "receiver", "broker")
PAUSE_S = 0.5, 4.0  # between two deaths: sometimes none is up again when the next one goes
BROKER_DOWN_S = 0.2, 4.0
BACK_S = 90.0  # the core waits up to 30 s for its next start, the uplink as long for its next attempt
DRAIN_S = 60.0
LOOK_S = 0.2
SHORT_PLAN = 3  # many changes, so many records


def chaos(deaths: int, seed: int, run_dir: Path) -> dict[str, Any]:
    """Run, kill, drain; the figures. Raises RigFailure when a device or the agent does not come up."""
    dice, killed = random.Random(seed), Counter[str]()
    rig = Rig(run_dir, RigOptions(seed=seed, plan=SHORT_PLAN, page=False, metrics_port=0))
    database, outbox = run_dir / "district.sqlite", rig.state / "outbox"
    try:
        rig.start_devices()
        _part_broker_and_receiver(rig)
        rig.start_agent()
        watch_first_valid(run_dir, time.monotonic())
        restarts = 0
        for victim in victims(deaths, dice):
            restarts += "agent" in _rest(rig.processes, dice.uniform(*PAUSE_S))
            if not _until(rig.processes, BACK_S, partial(_there, rig.processes, victim)):
                raise RigFailure(f"{victim} is not back after {BACK_S:g} s\n{rig.processes.tail('agent')}")
            _kill(rig.processes, victim, dice)
            killed[victim] += 1
        came_back = _until(rig.processes, BACK_S, partial(_there, rig.processes, *VICTIMS))
        drained = _until(rig.processes, DRAIN_S, lambda: all_stored(outbox, database))
        rig.processes.stop("agent")
        _until(rig.processes, DRAIN_S, lambda: all_stored(outbox, database))
        return {
            "seed": seed,
            "killed": dict(sorted(killed.items())),
            "agent_restarts": restarts,
            "came_back": came_back,
            "drained": drained,
            **counted(read_numbers(outbox), stored_envelopes(database), duplicate_facts(database)),
        }
    finally:
        rig.stop()


def victims(deaths: int, dice: random.Random) -> Iterator[str]:
    """Who dies, in order: everybody once before anybody twice."""
    for start in range(0, deaths, len(VICTIMS)):
        yield from dice.sample(VICTIMS, min(len(VICTIMS), deaths - start))


def counted(
    numbers: dict[str, dict[str, int]], stored: dict[tuple[int, str], set[int]], duplicates: int
) -> dict[str, int]:
    """What the outbox files gave numbers to, against what the district holds."""
    given = {(lane["epoch"], name): set(range(1, lane["produced"] + 1)) for name, lane in numbers.items()}
    return {
        "produced": sum(map(len, given.values())),
        "stored": sum(map(len, stored.values())),
        "missing": sum(len(every - stored.get(lane, set())) for lane, every in given.items()),
        "strange": sum(len(held - given.get(lane, set())) for lane, held in stored.items()),
        "dropped": sum(lane["dropped"] + lane["dead"] for lane in numbers.values()),
        "duplicates": duplicates,
    }


def passed(figures: dict[str, Any]) -> bool:
    """Everything stored once, nothing given up, everybody back."""
    clean = not any(figures[name] for name in ("missing", "strange", "dropped", "duplicates"))
    return bool(clean and figures["produced"] and figures["came_back"] and figures["drained"])


def _part_broker_and_receiver(rig: Rig) -> None:
    """The rig's district is both in one process; here each can die alone, on the port the site file names."""
    processes, port = rig.processes, str(rig.processes.told("district")["port"])
    processes.stop("district")
    ready = rig.run_dir / "ready" / "broker.json"
    processes.module("broker", "hil.chaos", "--broker", port, "--ready", str(ready), ready=ready)
    processes.wait_ready("broker")
    where = ("--host", "127.0.0.1", "--port", port)
    database = ("--database", str(rig.run_dir / "district.sqlite"))
    processes.module("district", "rsu_agent.district.main", *database, *where)


def _there(processes: Processes, *names: str) -> bool:
    """Whether these are alive; receiver and broker are the rig's own, which start again at once."""
    alive = {*agent_processes(processes.children["agent"].process), "receiver", "broker"}
    return alive.issuperset(names)


def _kill(processes: Processes, victim: str, dice: random.Random) -> None:
    """Kill -9; the broker is ended and stays away for a while."""
    if victim == "broker":
        processes.stop("broker")
        time.sleep(dice.uniform(*BROKER_DOWN_S))
        processes.children["broker"].again = True
    elif victim == "receiver":
        _kill_child(processes.children["district"].process)
    else:
        os.kill(agent_processes(processes.children["agent"].process)[victim], signal.SIGKILL)


def _kill_child(process: subprocess.Popen[bytes] | None) -> None:
    assert process is not None
    process.kill()
    process.wait()


def _rest(processes: Processes, seconds: float) -> list[str]:
    """Let things run; start again what the rig is responsible for."""
    end_s, ended = time.monotonic() + seconds, processes.look()
    while time.monotonic() < end_s:
        time.sleep(LOOK_S)
        ended += processes.look()
    return ended


def _until(processes: Processes, seconds: float, true: Callable[[], bool]) -> bool:
    end_s = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end_s:
            return False
        _rest(processes, LOOK_S)
    return True


async def _broker(port: int, ready: Path) -> None:
    async with loopback_broker(port):
        await anyio.Path(ready).write_text("{}")
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async for _ in signals:
                return


def main() -> int:
    """Parse, run, print; 1 when something was lost, 2 when the crossing did not come up."""
    parser = argparse.ArgumentParser(prog="python -m hil.chaos", description=__doc__)
    parser.add_argument("--n", type=int, default=10, help="how many deaths")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="keep the run's files in this folder")
    parser.add_argument("--broker", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--ready", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.broker:
        anyio.run(_broker, options.broker, options.ready)
        return 0
    return judged(
        "chaos",
        lambda run_dir: chaos(options.n, options.seed, run_dir),
        passed,
        options.keep,
        "lost, doubled or not back",
    )


if __name__ == "__main__":
    sys.exit(main())
