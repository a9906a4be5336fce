"""A scenario with real processes on the host's clock: the rig, the product by its own command."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from hil.demo import CYCLE_S, watch_first_valid
from hil.devices.fault_table import checked
from hil.district_side import all_stored
from hil.processes import RigFailure
from hil.resources import agent_processes
from hil.rig import Rig, RigOptions
from hil.scenario.expect import Evidence, Told
from hil.scenario.read import Scenario
from rsu_agent.district.read import duplicate_facts, stored_envelopes, stored_records
from rsu_agent.outlets.outbox import read_numbers

LOOK_S = 0.1
TAIL_S = 3.0
DRAIN_S = 45.0  # the uplink tries again after at most 30 s


def run_real(scenario: Scenario, run_dir: Path) -> Evidence:
    """Run for the scenario's seconds and drain the uplink; files in `run_dir`. Raises RigFailure."""
    given = scenario.given
    plan = given.get("plan", 1)
    options = RigOptions(
        seed=given.get("seed", 1),
        density=given.get("density", "day"),
        plan=plan,
        mode=given.get("mode", "fixed"),
        page=False,
        metrics_port=0,
    )
    run_dir = run_dir / "run"  # a rig wants a folder of its own
    rig = Rig(run_dir, options)
    try:
        rig.start_devices()
        began_s = time.monotonic()
        rig.start_agent()
        t0 = watch_first_valid(run_dir, began_s) + given.get("warm_s", CYCLE_S[plan])
        for step in scenario.when:
            _pass(rig, t0 + step["at_s"])
            _act(rig, step)
        _pass(rig, t0 + given["seconds"] + TAIL_S)
        utc_s = time.time() - time.monotonic()
        uplink = _drained(rig)
        phases = YAML(typ="safe").load(rig.site_file.read_text())["signals"]["phases"]
    finally:
        rig.stop()
    return Evidence(run_dir, phases, t0, uplink, told_health(run_dir / "district.sqlite", utc_s))


def told_health(database: Path, utc_s: float) -> list[Told]:
    """What the district was told of devices; utc_s: of the monotonic clock's zero."""
    records = stored_records(database, "health")
    return [Told(record["t"] / 1e6 - utc_s, record["d"], record["w"]) for record in records]


def _pass(rig: Rig, until_s: float) -> None:
    """Let it run, and start again what the rig is responsible for."""
    while (left_s := until_s - time.monotonic()) > 0:
        rig.processes.look()
        time.sleep(min(LOOK_S, left_s))


def _act(rig: Rig, step: dict[str, Any]) -> None:
    if "fault" in step:
        device, fault = checked(step["device"], step["fault"])
        rig.fault(device, fault, step["on"])
    elif "plan" in step:
        rig.bus.publish("signal", {"do": "set_plan", "what": step["plan"]})
    elif "mode" in step:
        rig.bus.publish("signal", {"do": "set_mode", "what": step["mode"]})
    elif "do" in step:
        rig.bus.publish("signal", {"do": step["do"], "what": step["what"]})
    else:
        _kill(rig, step["kill"])


def _kill(rig: Rig, victim: str) -> None:
    """Kill -9 one of the agent's processes, or the district. Raises RigFailure when it is not there."""
    if victim == "district":
        process = rig.processes.children["district"].process
        found = None if process is None else process.pid
    else:
        found = agent_processes(rig.processes.children["agent"].process).get(victim)
    if found is None:
        raise RigFailure(f"{victim} is not running: nothing to kill")
    os.kill(found, signal.SIGKILL)


def _drained(rig: Rig) -> dict[str, Any]:
    """Wait until the district holds all, end the agent, wait for its last records; the figures."""
    outbox, database = rig.state / "outbox", rig.run_dir / "district.sqlite"
    for end in (False, True):
        if end:
            rig.processes.stop("agent")
        limit_s = time.monotonic() + DRAIN_S
        while not all_stored(outbox, database) and time.monotonic() < limit_s:
            _pass(rig, time.monotonic() + LOOK_S)
    numbers, held = read_numbers(outbox), stored_envelopes(database)
    given = {(lane["epoch"], name): set(range(1, lane["produced"] + 1)) for name, lane in numbers.items()}
    return {
        "produced": sum(map(len, given.values())),
        "stored": sum(map(len, held.values())),
        "missing": sum(len(every - held.get(lane, set())) for lane, every in given.items()),
        "duplicates": duplicate_facts(database),
    }
