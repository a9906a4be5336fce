"""Every record kind that leaves the crossing for the district: its lane, fields, units and purpose.

This table is the data-flow manifest: docs/reference/uplink.md repeats it and a test holds the two together.
No kind has a field that could hold a picture, a number plate or a face.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record. `always` is False where it may be absent."""

    key: str
    holds: str
    meaning: str
    always: bool = True


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record. `writer`: the module that makes it."""

    kind: str
    lane: str
    purpose: str
    writer: str
    fields: tuple[Field, ...]


_TIME = Field("t", "int, UTC us", "when")

KINDS: tuple[Kind, ...] = (
    Kind(
        "event",
        "hi",
        "danger on the road, to be acted on and counted",
        "summary",
        (
            Field("t", "int, UTC us", "onset: the instant from which the rule's condition held"),
            Field("i", "text", "identity of the hazard, the same in its `on` and its `off` record"),
            Field("h", "text", "kind of hazard (world/hazard.py)"),
            Field("s", "`on` or `off`", "found, or over"),
            Field("te", "int, UTC us", "when it was over; in `off` records only", always=False),
            Field("lat", "float, degrees", "where it was last seen, in the crossing file's datum"),
            Field("lon", "float, degrees", "the same"),
            Field("x", "float, m east", "the same in the crossing's own frame"),
            Field("y", "float, m north", "the same"),
            Field("hd", "float, degrees or null", "heading, clockwise from north"),
            Field("ln", "int or null", "lane of the crossing file"),
            Field("tr", "int", "number of the track in this run; it names nobody"),
            Field("ev", "text", "what the rule saw, in words"),
        ),
    ),
    Kind(
        "gap",
        "hi",
        "loss is allowed only when declared: rows given up by a full outbox (in the lane that lost them)",
        "outbox",
        (
            Field("l", "`hi` or `lo`", "lane that lost them"),
            Field("from", "int", "lowest number lost"),
            Field("to", "int", "highest number lost"),
            Field("n", "int", "how many rows"),
            Field("why", "text", "`full`"),
        ),
    ),
    Kind(
        "phase",
        "lo",
        "the phase log: every change of colour of every lamp group, for audit and for retiming",
        "summary",
        (
            _TIME,
            Field("g", "int", "lamp group, the controller's number"),
            Field("c", "text", "colour from then on (world/signal.py)"),
            Field("src", "text", "who saw it", always=False),
        ),
    ),
    Kind(
        "flow",
        "lo",
        "traffic counts per entry lane and minute, for signal timing",
        "summary_flow",
        (
            Field("t", "int, UTC us", "start of the minute"),
            Field("d", "float, s", "how much of the minute a healthy sensor watched the lane's arm"),
            Field("ln", "int", "entry lane of the crossing file"),
            Field("n", "map class -> int", "users whose centre passed the stop line, by class"),
            Field("v", "float, m/s or null", "their mean speed at the line; null when nobody passed"),
            Field("o", "float 0..1", "share of `d` in which a body stood over the last 2 m before the line"),
        ),
    ),
    Kind(
        "queue",
        "lo",
        "longest queue per entry lane and interval, for signal timing",
        "summary_queue",
        (
            Field("t", "int, UTC us", "start of the interval"),
            Field("d", "float, s", "length of the interval"),
            Field("ln", "int", "entry lane of the crossing file"),
            Field("n", "int", "most standing users at once"),
            Field("m", "float, m", "farthest end of the queue from the stop line"),
        ),
    ),
    Kind(
        "health",
        "lo",
        "how each device is: on every change, and all of them once a minute",
        "summary",
        (
            _TIME,
            Field("d", "text", "device"),
            Field("s", "text", "state (world/health.py)"),
            Field("w", "text", "reason, a stable word"),
        ),
    ),
    Kind(
        "still",
        "lo",
        "audit: who asked for a still of which camera; the picture itself never leaves the crossing",
        "summary",
        (
            _TIME,
            Field("d", "text", "camera"),
            Field("u", "text", "user of the box who asked"),
            Field("w", "text", "`made`, or why not, a stable word"),
            Field("p", "int", "pictures whose median it is", always=False),
            Field("f", "int", "bodies painted over in it", always=False),
        ),
    ),
    Kind(
        "hb",
        "lo",
        "heartbeat: the crossing is there though nothing happens",
        "summary",
        (
            _TIME,
            Field("up", "int, s", "since the agent's start"),
            Field("ok", "int", "devices that are well"),
        ),
    ),
)

LANE_OF: dict[str, str] = {kind.kind: kind.lane for kind in KINDS}
