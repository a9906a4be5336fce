"""The OpenAPI document of the control socket, written beside its addresses; tests hold it to the answers."""

from __future__ import annotations

from typing import Any

from rsu_agent.version import __version__
from rsu_agent.world.health import DeviceState

TEXT, NUMBER, WHOLE, TRUTH = ({"type": kind} for kind in ("string", "number", "integer", "boolean"))
MAYBE_TEXT, MAYBE_NUMBER = {"type": ["string", "null"]}, {"type": ["number", "null"]}
MAYBE_TRUTH = {"type": ["boolean", "null"]}
MAYBE_OBJECT = {"type": ["object", "null"]}


def _object(**properties: Any) -> dict[str, Any]:
    """All of these are always there; more may come with later versions."""
    return {"type": "object", "required": list(properties), "properties": properties}


def _list(of: Any) -> dict[str, Any]:
    return {"type": "array", "items": of}


def _told(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {**schema, "description": description}


GROUP = _object(
    group=WHOLE,
    colour=TEXT,
    end_in_s=_told(MAYBE_NUMBER, "null: no end is announced"),
    confidence=_told(MAYBE_NUMBER, "0 to 1"),
)
SIGNAL = _object(
    control=MAYBE_TEXT,
    plan={"type": ["integer", "null"]},
    stage={"type": ["integer", "null"]},
    age_s=_told(MAYBE_NUMBER, "since every group was last heard; null: never"),
    groups=_list(GROUP),
    end_error_p95_s=_told(MAYBE_NUMBER, "how well ends were foretold; null: not yet measured"),
    report_period_s=MAYBE_NUMBER,
)
DEVICE = _object(
    device=TEXT,
    kind=TEXT,
    state={"enum": [state.value for state in DeviceState]},
    reason=_told(TEXT, "a stable word: docs/runbooks, rsu doctor"),
    for_s=NUMBER,
    detail=TEXT,
)
STATUS = _object(
    site=TEXT,
    utc_ms=_told({"type": ["integer", "null"]}, "milliseconds since 1970"),
    spat=_object(valid=TRUTH, reason=_told(MAYBE_TEXT, "why it says nothing"), voice=TEXT, sent=WHOLE),
    signal=SIGNAL,
    witness=_list(_object(group=WHOLE, agrees=MAYBE_TRUTH, age_s=MAYBE_NUMBER, contradicted=TRUTH)),
    users=_told(WHOLE, "road users that are tracked"),
    hazards=_list({"type": "object"}),
    devices=_list(DEVICE),
    radio=_object(sent=WHOLE, failed=WHOLE, kinds={"type": "object", "additionalProperties": WHOLE}),
    uplink=_told(MAYBE_OBJECT, "null: none is configured, or its process is not up"),
    clock=_object(
        trusted=TRUTH,
        bound_ms=MAYBE_NUMBER,
        source=MAYBE_TEXT,
        controller_offset_s=MAYBE_NUMBER,
        controller_shows=MAYBE_TEXT,
    ),
    detector=MAYBE_OBJECT,
    association=MAYBE_OBJECT,
)
USER = _object(
    track=_told(WHOLE, "the same while it is followed"),
    kind=TEXT,
    x=_told(NUMBER, "metres east of the origin"),
    y=_told(NUMBER, "metres north of it"),
    vx=_told(NUMBER, "m/s east"),
    vy=_told(NUMBER, "m/s north"),
    speed=_told(NUMBER, "m/s"),
    heading=_told(MAYBE_NUMBER, "degrees clockwise from north"),
    length=_told(MAYBE_NUMBER, "metres"),
    width=_told(MAYBE_NUMBER, "metres"),
)
MEASURED = ("end_error_p95_s", "report_period_s")  # of the signal, in the status alone
OF_LIVE = ("site", "utc_ms", "spat", "witness", "hazards", "devices", "radio", "uplink", "clock")
LIVE = _object(
    **{key: STATUS["properties"][key] for key in OF_LIVE},
    signal=_object(**{key: each for key, each in SIGNAL["properties"].items() if key not in MEASURED}),
    users=_list({"$ref": "#/components/schemas/User"}),
)
CROSSING = _object(
    node=WHOLE,
    region=WHOLE,
    origin=_object(lat_deg=NUMBER, lon_deg=NUMBER),
    datum=TEXT,
    survey_source=TEXT,
    accuracy_m=MAYBE_NUMBER,
    arms=_list({"type": "object"}),
    lanes=_list({"type": "object"}),
    crosswalks=_list({"type": "object"}),
    waiting_areas=_list({"type": "object"}),
    heads=_list({"type": "object"}),
)
MESSAGES = {
    "type": "object",
    "additionalProperties": _object(age_s=NUMBER, hex=TEXT, message=TEXT, value={}),
    "description": "the last message of each kind",
}
CAUSE = _object(cause=TEXT, colours=TEXT, times=TEXT, status=TEXT, until=TEXT)
GUARD = _object(
    table=_list(CAUSE),
    voice=TEXT,
    judged=_told({}, "how often each verdict was given"),
    evidence={},
    speaker=_told({}, "counts of the speaker"),
)
CHANGES = _object(
    told=_told(_list(_list({})), "[group, lit, not before, at the latest], monotonic seconds"),
    seen=_told(_list(_list({})), "[camera, group, lit, first picture, sure with], monotonic seconds"),
)
SENSES = _object(looks={}, sensors=_list({"type": "object"}), scene_age_s=MAYBE_NUMBER)
STILL = _object(file=TEXT, pictures=WHOLE, filled=WHOLE, expires=TEXT)
REFUSED = _object(refused=_told(TEXT, "camera, detector, busy, pictures, senses, disk, name"))
PIECE = {
    "type": "object",
    "properties": {
        "t": _told(NUMBER, "monotonic seconds"),
        "dir": TEXT,
        "hex": TEXT,
        "missed": _told(WHOLE, "pieces that a slow reader did not get"),
    },
}
SCHEMAS = {
    "Status": STATUS,
    "Live": LIVE,
    "User": USER,
    "Piece": PIECE,
    "Crossing": CROSSING,
    "Messages": MESSAGES,
    "Guard": GUARD,
    "Changes": CHANGES,
    "Senses": SENSES,
    "Still": STILL,
    "Refused": REFUSED,
}
READS = {  # address -> what it gives, its schema
    "/v1/status": ("how the crossing is", "Status"),
    "/v1/crossing": ("geometry in metres east and north of the crossing's origin", "Crossing"),
    "/v1/messages": ("the last message of each kind, bytes and decoded", "Messages"),
    "/v1/guard": ("the guard's table and its counts", "Guard"),
    "/v1/senses": ("what each camera and radar sees, and how it is", "Senses"),
    "/v1/changes": ("the newest changes of lamps, told and seen", "Changes"),
}
STREAMS = {  # server-sent events
    "/v1/live": ("ten events a second: the status with the road users themselves", "Live"),
    "/v1/line": ("the bytes of the controller's line from now on; an empty object while none pass", "Piece"),
}


def document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    paths: dict[str, Any] = {path: {"get": _answers(*row)} for path, row in READS.items()}
    busy = {"503": {"description": "too many streams are open"}}
    for path, (what, name) in STREAMS.items():
        paths[path] = {"get": _answers(what, name, media="text/event-stream", more=busy)}
    body = {"required": True, "content": {"application/json": {"schema": _object(camera=TEXT)}}}
    refused = {code: _content("refused, with a word", "Refused") for code in ("400", "409")}
    made = _answers(
        "have a still made, in some twelve seconds; who asked is written down", "Still", more=refused
    )
    paths["/v1/still"] = {"post": made | {"requestBody": body}}
    gone = {"404": _content("there is none of that name", "Refused")}
    given = _answers("a still; gone after seven days", None, media="image/png", more=gone)
    called = {"name": "name", "in": "path", "required": True, "schema": TEXT}
    paths["/v1/still/{name}"] = {"get": given | {"parameters": [called]}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "rsu-agent control socket",
            "version": __version__,
            "description": "HTTP over a Unix socket. Metres, m/s, degrees clockwise from north, seconds.",
        },
        "paths": paths,
        "components": {"schemas": SCHEMAS},
    }


def _answers(
    what: str, name: str | None, *, media: str = "application/json", more: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {"summary": what, "responses": {"200": _content(what, name, media), **(more or {})}}


def _content(what: str, name: str | None, media: str = "application/json") -> dict[str, Any]:
    schema = {"type": "string"} if name is None else {"$ref": f"#/components/schemas/{name}"}
    return {"description": what, "content": {media: {"schema": schema}}}
