"""The OpenAPI document of the read API, written beside its addresses; a test holds the two together."""

from __future__ import annotations

from typing import Any

from rsu_agent.version import __version__

TIME = {"type": "string", "description": "ISO 8601, UTC unless it has a zone; or microseconds since 1970"}
ERROR = {
    "type": "object",
    "required": ["error", "do"],
    "properties": {
        "error": {"type": "string"},
        "do": {"type": "string", "description": "what to do about it"},
    },
}
SITE = {
    "type": "object",
    "required": ["site", "age_s", "freshness", "health"],
    "properties": {
        "site": {"type": "string"},
        "district": {"type": "string"},
        "lat": {"type": ["number", "null"], "description": "degrees"},
        "lon": {"type": ["number", "null"], "description": "degrees"},
        "age_s": {"type": ["number", "null"], "description": "since anything of it was stored"},
        "freshness": {"enum": ["fresh", "late", "silent", "never"]},
        "connected": {"type": ["boolean", "null"], "description": "birth or will, as the broker keeps it"},
        "backlog_s": {"type": ["number", "null"], "description": "now less the newest low envelope's time"},
        "missing": {"type": "integer", "description": "numbers below the highest that have not come"},
        "duplicates": {"type": "integer"},
        "refused": {"type": "integer", "description": "arrivals that became dead letters"},
        "outboxes": {
            "type": "integer",
            "description": "outboxes ever heard of: more than one is a replaced disk",
        },
        "clock_s": {"type": ["number", "null"], "description": "bound of its clock's error"},
        "clock": {"enum": ["good", "doubtful", "unknown"]},
        "version": {"type": ["integer", "null"], "description": "schema version of its envelopes"},
        "version_skew": {"type": ["integer", "null"], "description": "that less the receiver's"},
        "software": {"type": ["string", "null"]},
        "devices": {"type": "integer"},
        "bad_devices": {"type": "array", "items": {"type": "string"}},
        "health": {"enum": ["ok", "degraded", "lost", "silent", "unknown"]},
    },
}
RECORDS = {
    "type": "object",
    "required": ["records", "next"],
    "properties": {
        "records": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "site": {"type": "string"},
                    "kind": {"type": "string"},
                    "t_us": {
                        "type": "integer",
                        "description": "the time it is filed under, UTC microseconds",
                    },
                    "stored_us": {"type": "integer"},
                    "id": {"type": "string", "description": "epoch.lane.seq.place, unique with the site"},
                    "body": {"type": "object", "description": "the record: docs/reference/uplink.md"},
                },
            },
        },
        "next": {"type": ["string", "null"], "description": "give it back as `after` for the next page"},
    },
}
RANGE = ("site", "from", "to", "after", "limit")
SAID = {
    "kind": ("kind of record", {"type": "string"}, True),
    "site": ("one site only", {"type": "string"}, False),
    "from": ("an hour before `to` unless told", TIME, False),
    "to": ("now unless told", TIME, False),
    "after": ("`next` of the page before", {"type": "string"}, False),
    "limit": ("rows of a page", {"type": "integer", "minimum": 1, "maximum": 5000, "default": 500}, False),
}


def document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    detail = {"allOf": [{"$ref": "#/components/schemas/Site"}], "type": "object"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "rsu district", "version": __version__, "description": "Read only."},
        "paths": {
            "/api/sites": _get("every site as it is", {"type": "object", "properties": {"sites": {
                "type": "array", "items": {"$ref": "#/components/schemas/Site"}}}}),
            "/api/sites/{site}": _get("one site: condition, lanes, latest records", detail, path="site"),
            "/api/sites/{site}/live": _get(
                "server-sent events: what it says of this moment (spat, objs, event); `left_ms`: how long it "
                "may be shown as the present", path="site", media="text/event-stream"),
            "/api/history": _get("records of a kind by time", RECORDS, ("kind", *RANGE)),
            "/api/events": _get("hazard events by time", RECORDS, RANGE),
            "/api/dead-letters": _get("what was refused, the newest first", {"type": "object"}, ("limit",)),
            "/api/stream": _get("server-sent events: hazard, device, site", media="text/event-stream"),
            "/metrics": _get("metrics for Prometheus", media="text/plain"),
        },
        "components": {"schemas": {"Site": SITE, "Error": ERROR}},
    }  # fmt: skip


def _get(
    what: str,
    schema: dict[str, Any] | None = None,
    query: tuple[str, ...] = (),
    *,
    path: str = "",
    media: str = "application/json",
) -> dict[str, Any]:
    parameters = [
        {
            "name": name,
            "in": "query",
            "description": SAID[name][0],
            "schema": SAID[name][1],
            "required": SAID[name][2],
        }
        for name in query
    ]
    if path:
        parameters.append({"name": path, "in": "path", "required": True, "schema": {"type": "string"}})
    good = {"description": "it", "content": {media: {"schema": schema or {"type": "string"}}}}
    bad = {
        "description": "an error, and what to do",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    return {"get": {"summary": what, "parameters": parameters, "responses": {"200": good, "default": bad}}}
