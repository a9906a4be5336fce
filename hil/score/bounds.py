"""The bounds: what each figure must reach, and which are missed. A figure that is null is missed too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WHOLE_S = 60.0  # the script and the samples of the road are laid out for a minute
CHANGE_S = 30.0  # half a cycle: a shorter run may hold no change at all
# What needs RSM: who hears ETSI or SAE messages is told of signals, and in Europe of hazards
ROAD_USERS = ("rsm.", "tracks.", "latency.camera_to_rsm")
LACKS = {"csae53": (), "etsi": ROAD_USERS, "j2735": ROAD_USERS}
# What a controller's protocol cannot give: the instant of a report where nothing is told unasked, times where
# cycles must be learnt first, and where it is slow (grade C) the colours' own second
NO_TRAPS = ("latency.report_to_radio",)
NO_PLAN = ("spat.times_share", "spat.end_error")
SLOW = (
    "latency.report",
    "latency.lamp",
    "spat.wrong",
    "spat.valid_share",
    "spat.first",
    "uplink.phase_changes",
)
CONTROLLER_LACKS: dict[str, tuple[str, ...]] = {
    "gbt20999-listener": ("spat.first",),
    "gat1743": NO_TRAPS,
    "gat1743-serial": NO_TRAPS,
    "gat1743-tcp": NO_TRAPS,
    "tscbm": NO_TRAPS,
    "ntcip1202": (*NO_TRAPS, *NO_PLAN, "uplink.phase_changes"),
    "ntcip1202-pmpp": (*NO_PLAN, *SLOW),
    "gat508": (*NO_PLAN, *SLOW),
    "lamp_sense": (*NO_PLAN, *SLOW),
    "rsmp": NO_PLAN,
}
# RTP has no number of a picture: which one a fusion cycle used cannot be told
CAMERA_LACKS: dict[str, tuple[str, ...]] = {"rtsp": ("latency.camera_to_rsm", "latency.frames")}
DAY_ONLY = ("tracks.", "hazards.")  # by night, at the peak and in SUMO's world these are printed, not judged


@dataclass(frozen=True)
class Bound:
    """least <= figure <= most. kind: `time` (best of several runs counts) or `truth` (the worst does)."""

    path: str
    least: float | None = None
    most: float | None = None
    kind: str = "truth"
    needs_s: float = 0.0  # a run shorter than this may leave the figure null


BOUNDS: tuple[Bound, ...] = (
    Bound("spat.per_10s_min", least=95, needs_s=10),
    Bound("spat.per_10s_max", most=110, needs_s=10),
    Bound("spat.gap_p99_ms", most=120, kind="time"),
    Bound("spat.gap_max_ms", most=300, kind="time"),
    Bound("map.per_10s", least=9, most=11, needs_s=10),
    Bound("rsm.per_10s", least=98, most=102, needs_s=10),
    Bound("spat.valid_share", least=0.99),
    Bound("spat.times_share", least=0.95),
    Bound("spat.first_valid_s", most=5, kind="time"),
    Bound("spat.wrong_colour_ms", most=0),
    Bound("spat.dangerous_ms", most=0),
    Bound("spat.end_error_p95_s", most=0.2, needs_s=CHANGE_S),
    Bound("latency.report_to_radio_p95_ms", most=20, kind="time", needs_s=CHANGE_S),
    Bound("latency.lamp_to_radio_p95_ms", most=200, kind="time", needs_s=CHANGE_S),
    Bound("latency.camera_to_rsm_p95_ms", most=250, kind="time"),
    Bound("tracks.recall", least=0.85),
    Bound("tracks.precision", least=0.90),
    Bound("tracks.position_rmse_m", most=1.0),
    Bound("tracks.truth_samples", least=2000, needs_s=WHOLE_S),
    Bound("hazards.expected", least=4, most=4, needs_s=WHOLE_S),
    Bound("hazards.detected", least=4, most=4, needs_s=WHOLE_S),
    Bound("hazards.false", most=0),
    Bound("uplink.duplicates", most=0),
    Bound("uplink.missing", most=0),
    Bound("uplink.phase_changes_missing", most=0, needs_s=CHANGE_S),
    Bound("process.parent_rss_mb", most=40),
    Bound("process.core_rss_mb", most=120),
    Bound("process.senses_rss_mb", most=500),
)
TALKERS = (  # judged where vehicles of the world send BSMs
    Bound("heard.id_share", least=0.85),
    Bound("heard.wrong_ids", most=0),
    Bound("heard.ghost_entries", most=0),
)


def figure(figures: Mapping[str, Any], path: str) -> Any:
    """A figure by its dotted path; None where it is absent."""
    value: Any = figures
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def put(figures: dict[str, Any], path: str, value: Any) -> None:
    """Set a figure by its dotted path."""
    *sections, name = path.split(".")
    for section in sections:
        figures = figures.setdefault(section, {})
    figures[name] = value


def exempted(figures: dict[str, Any], seconds: float) -> None:
    """Make null what only a whole minute can reach, in a shorter run, and what the message set lacks."""
    lacks = _lacks(figures)
    for section in {path.partition(".")[0] for path in lacks}:
        for name in figures.get(section, {}):
            if f"{section}.{name}".startswith(lacks):
                figures[section][name] = None
    for bound in BOUNDS:
        if seconds < WHOLE_S <= bound.needs_s:
            put(figures, bound.path, None)


def _lacks(figures: Mapping[str, Any]) -> tuple[str, ...]:
    """Paths that this message set, this controller and this camera cannot give."""
    own = CONTROLLER_LACKS.get(figures.get("controller", ""), ())
    own += CAMERA_LACKS.get(figures.get("camera", ""), ())
    return LACKS[figures.get("messages", "csae53")] + own


def missed(figures: Mapping[str, Any], seconds: float) -> list[str]:
    """Every bound that is not met, in words. Only the built-in day is judged by the road."""
    by_day = figure(figures, "world.kind") in (None, "day")
    exempt = _lacks(figures) + (() if by_day else DAY_ONLY)
    found = []
    for bound in (*BOUNDS, *(TALKERS if "heard" in figures else ())):
        if bound.path.startswith(exempt):
            continue
        value = figure(figures, bound.path)
        if value is None:
            if seconds >= bound.needs_s:
                found.append(f"{bound.path} could not be measured")
        elif bound.least is not None and value < bound.least:
            found.append(f"{bound.path} {value} < {bound.least}")
        elif bound.most is not None and value > bound.most:
            found.append(f"{bound.path} {value} > {bound.most}")
    return found
