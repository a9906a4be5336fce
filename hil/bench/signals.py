"""The whole virtual crossing on its shortest plan: how late thousands of changes are on air."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from hil.demo import CYCLE_S, watch_first_valid
from hil.progress import counting
from hil.resources import ProcessWatch, agent_processes
from hil.rig import Rig, RigOptions
from hil.scenario.expect import Evidence
from hil.truth import read_truth

PLAN = 3
CHANGES = 2000
SPARE_S = 5.0  # the last changes are no samples: nobody waits for their air
LOOK_S, COUNT_S = 0.2, 5.0


def signals(seed: int, changes: int = CHANGES, **given: Any) -> dict[str, Any]:
    """Milliseconds from a report's last byte, and from the lamp, to the datagram with the change.

    given: more of RigOptions.
    """
    with tempfile.TemporaryDirectory(prefix="rsu-bench-") as folder:
        options = RigOptions(seed=seed, plan=PLAN, page=False, metrics_port=0, **given)
        rig = Rig(Path(folder) / "run", options)
        try:
            rig.start_devices()
            began_s = time.monotonic()
            rig.start_agent()
            t0 = watch_first_valid(rig.run_dir, began_s) + CYCLE_S[PLAN]
            watch = ProcessWatch(agent_processes(rig.processes.children["agent"].process))
            _until(rig, t0, changes, watch)
        finally:
            rig.stop()
        seconds = time.monotonic() - t0 - SPARE_S
        phases = YAML(typ="safe").load(rig.site_file.read_text())["signals"]["phases"]
        found = Evidence(rig.run_dir, phases, t0).figures(0.0, seconds)
    used = watch.figures()
    core = {"cpu_percent_of_core": used["core_cpu_percent"], "rss_mb": used["core_rss_mb"]}
    spat = {name: found["spat"][name] for name in ("valid_share", "wrong_colour_ms", "end_error_p95_s")}
    return {**found["latency"], **spat, **core, "measured_s": round(seconds, 1)}


def _until(rig: Rig, t0: float, changes: int, watch: ProcessWatch) -> None:
    """Run until so many changes, and the spare ones, have shone since t0."""
    with counting() as bar:
        task = bar.add_task("changes of lamps", total=changes)
        enough_s, counted_s = None, 0.0
        while enough_s is None or time.monotonic() < enough_s:
            rig.processes.look()
            watch.look()
            time.sleep(LOOK_S)
            if enough_s is None and time.monotonic() - counted_s > COUNT_S:
                counted_s = time.monotonic()
                shone = sum(entry["t"] >= t0 for entry in read_truth(rig.run_dir, "lamp"))
                bar.update(task, completed=min(shone, changes))
                if shone > changes * 1.01:
                    enough_s = time.monotonic() + 2 * SPARE_S
