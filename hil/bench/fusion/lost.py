"""What becomes of our tracker when all cameras, or all radars, fall silent in the middle of a run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hil.bench.fusion.config import Config
from hil.bench.fusion.figures import figures
from hil.bench.fusion.measurements import CAMERA, RADAR, START_S, Measurements
from hil.bench.fusion.ours import Tracked, track
from hil.bench.fusion.truth import Truth

SETTLED_S = 2.0  # after the cut; from then on what is left is judged
KINDS = {"camera": CAMERA, "radar": RADAR}
Lost = dict[str, float | None]


def lost(config: Config, truth: Truth, measured: Measurements) -> Lost:
    """`<kind>_s`: seconds from the cut to the first instant asked at which no reported user names a sensor of
    that kind among its sources; None: never. Frames measured before the cut still arrive.

    `<kind>_sd_before_m`, `<kind>_sd_after_m`: median of the stated sd in the 2 s before the cut, and from 2 s
    after it on. `<kind>_mota`: from 2 s after it on. A crash of the tracker ends the benchmark.
    """
    cut, settled = config.steps // 2, round(SETTLED_S / config.step_s)
    cut_t = START_S + cut * config.step_s - config.step_s / 2
    told: Lost = {}
    for name, kind in KINDS.items():
        left = measured.only(tuple(KINDS.values()), cut_t, (kind,))
        tracked = track(config, truth.crossing, left)
        after = replace(config, unscored_steps=cut + settled)
        told[f"{name}_s"] = until_told(config, tracked, name, cut)
        told[f"{name}_sd_before_m"] = _sd_m(tracked, cut - settled, cut)
        told[f"{name}_sd_after_m"] = _sd_m(tracked, cut + settled, config.steps)
        told[f"{name}_mota"] = figures(after, truth, {name: tracked.result})[name]["mota"]
    return told


def until_told(config: Config, tracked: Tracked, kind: str, cut: int) -> float | None:
    """Seconds from a step until no reported user has a source of a kind."""
    for step in range(cut, config.steps):
        rows = tracked.result.at(step)
        sources = {name.split()[0] for own in tracked.sources[rows] for name in own}
        if kind not in sources:
            return round((step - cut) * config.step_s, 3)
    return None


def _sd_m(tracked: Tracked, begin: int, end: int) -> float | None:
    rows = slice(tracked.result.at(begin).start, tracked.result.at(end).start)
    stated = tracked.sd_m[rows]
    return round(float(np.median(stated)), 3) if len(stated) else None
