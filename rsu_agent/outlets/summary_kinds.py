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
_ROLLED = Field(
    "sq",
    "list of 2 int",
    "of a quarter of an hour that a full outbox made of minutes: first and last number it stands for",
    always=False,
)

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
        "outbox_room",
        (
            _TIME,
            Field("l", "`hi` or `lo`", "lane that lost them"),
            Field("kd", "text", "kinds of the records in them, joined by +"),
            Field("from", "int", "lowest number lost"),
            Field("to", "int", "highest number lost"),
            Field("n", "int", "how many rows: all from `from` to `to`"),
            Field(
                "why", "`full` or `rolled_up`", "given up, or replaced by the records that name them in `sq`"
            ),
        ),
    ),
    Kind(
        "birth",
        "hi",
        "first of every start and outbox file, in both lanes: proof that nothing before is missing",
        "outbox",
        (
            _TIME,
            Field("l", "`hi` or `lo`", "lane"),
            Field("e", "int", "epoch of the file"),
            Field("pe", "int or null", "epoch of the file before it; null: none, or not known"),
            Field("pq", "int or null", "last number given in that epoch; null: not known"),
            Field(
                "why", "`start`, `new` or `damaged`", "the file was there, was not, or had to be set aside"
            ),
            Field("ver", "text", "version of the agent"),
            Field("cfg", "text", "SHA-256 of the site file"),
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
        "summary_road",
        (
            Field("t", "int, UTC us", "start of the minute"),
            Field("d", "float, s", "how much of the minute a healthy sensor watched the lane's arm"),
            Field("ln", "int", "entry lane of the crossing file"),
            Field("n", "map class -> int", "users whose front passed the stop line, by class"),
            Field("v", "float, m/s or null", "their mean speed at the line; null when nobody passed"),
            Field("o", "float 0..1", "share of `d` in which a body stood over the last 2 m before the line"),
            Field(
                "h",
                "float, s or null",
                "mean time headway at the line, front to front; null: no two in sight",
            ),
            Field("hm", "float, s or null", "the smallest one"),
            Field(
                "dl",
                "float, s or null",
                "mean control delay on the last 60 m before the line; null: none measured",
            ),
            Field(
                "df", "float, m or null", "from how far before the line it was reckoned, the mean (25 to 60)"
            ),
            Field("dn", "int", "users whose delay and stops were measured"),
            Field("du", "int", "users who passed, but whose track began too late for that"),
            Field(
                "st",
                "float or null",
                "mean number of stops of those measured (begins < 5 km/h, over > 10 km/h)",
            ),
            Field("ss", "float 0..1 or null", "share of those measured that stopped"),
            Field(
                "mv",
                "map turn -> int",
                "ways that ended in this minute: left, through, right, u_turn, unknown",
            ),
            Field(
                "rt", "map right -> int", "by what right they went (lanes/right.py); `red` ran a red light"
            ),
            _ROLLED,
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
            Field("w", "float, s", "how much of the interval a healthy sensor watched the lane's arm"),
            Field(
                "gn",
                "int",
                "standing users when the lane's (last) green began; absent: none did",
                always=False,
            ),
            Field("gm", "float, m", "end of that queue", always=False),
            _ROLLED,
        ),
    ),
    Kind(
        "walk",
        "lo",
        "who walked over each crosswalk, per minute, for pedestrian timing",
        "summary_ways",
        (
            Field("t", "int, UTC us", "start of the minute"),
            Field("d", "float, s", "how much of the minute a healthy sensor watched the arm"),
            Field("cw", "int", "crosswalk of the crossing file"),
            Field("n", "map class -> int", "users who walked at least 0.6 of its length, by class"),
            Field(
                "rt",
                "map right -> int",
                "what the light said when the road was stepped onto (lanes/right.py)",
            ),
            _ROLLED,
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
            Field("f", "int", "boxes painted over in it", always=False),
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
