"""What a crossing feels: how evenly SPAT leaves, and what the core costs, with everything else running."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from hil.demo import CYCLE_S, watch_first_valid
from hil.devices.vehicle_codec import decode_air
from hil.resources import ProcessWatch, agent_processes
from hil.rig import Rig, RigOptions
from hil.score.jitter import jitter_ms, tick_errors
from hil.score.windows import windows_of
from hil.truth import read_truth

SECONDS = 110.0  # a thousandth of the ticks of less is no tick at all
RUNS = 3  # bounds of time are judged on the best of three
PLAN = 3
LOOK_S = 1.0


def air(seed: int, seconds: float = SECONDS, runs: int = RUNS) -> dict[str, Any]:
    """`jitter_p999_ms`: of the frame of each 100 ms tick; `core_cpu_percent`: of one processor; the best's.

    The demo at its peak of road users: RSM in every cycle, each in several parts, MAP, RSI, SPAT with extras.
    """
    found = [once(seed + n, seconds) for n in range(runs)]
    best = {
        name: min((run[name] for run in found if run[name] is not None), default=None)
        for name in ("jitter_p999_ms", "core_cpu_percent")
    }
    return {**best, "runs": found}


def once(seed: int, seconds: float) -> dict[str, Any]:
    """One run's figures; ticks in seconds in which the host stalled are left out and counted."""
    options = RigOptions(seed=seed, plan=PLAN, density="peak", page=False, metrics_port=0)
    with tempfile.TemporaryDirectory(prefix="rsu-air-") as folder:
        rig = Rig(Path(folder) / "run", options)
        try:
            rig.start_devices()
            began_s = time.monotonic()
            rig.start_agent()
            t0 = watch_first_valid(rig.run_dir, began_s) + CYCLE_S[PLAN]
            watch = ProcessWatch(agent_processes(rig.processes.children["agent"].process))
            while (now_s := time.monotonic()) < t0 + seconds:
                if now_s >= t0:
                    watch.look()
                rig.processes.look()
                time.sleep(LOOK_S)
        finally:
            rig.stop()
        heard = [(t, kind) for t, kind, _ in decode_air(rig.run_dir)]
        windows = windows_of(list(read_truth(rig.run_dir, "stall")), t0, t0 + seconds)
    times = [t for t, kind in heard if kind == "SPAT"]
    kinds = {kind: sum(k == kind and t0 <= t for t, k in heard) for kind in ("SPAT", "MAP", "RSM", "RSI")}
    errors = tick_errors(times, t0, t0 + seconds)
    good = [(tick, error) for tick, error in errors if windows.good(tick)]
    return {
        "jitter_p999_ms": jitter_ms(good),
        "jitter_p99_ms": jitter_ms(good, 0.99),
        "jitter_all_p999_ms": jitter_ms(errors),
        "ticks": len(good),
        **watch.figures(),
        "sent": kinds,
    }
