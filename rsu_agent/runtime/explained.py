"""Why a message said what it said: one instant of a recording, as plain values. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rsu_agent.messages.moment import utc_stamp
from rsu_agent.outlets.air_changes import AirReader
from rsu_agent.outlets.bits import NotSpat
from rsu_agent.outlets.message_sets import MESSAGE_SETS, speech_of
from rsu_agent.outlets.rules import Rules
from rsu_agent.phases.witness import Witness
from rsu_agent.runtime.story import Datagram, Story
from rsu_agent.world.signal import Colour, SignalReport

KINDS = ("SPAT", "SPATEM")
BEFORE_S, AFTER_S = 120.0, 10.0  # what is read around the instant: the witness looks back
ON_AIR_S = 0.35  # a SPAT older than this is not on air any more
HELD_S = 10.0  # so far around the instant what was held back is told
FRESH_S = 1.0
PERIOD_S = 0.1
RAW_S = 0.005  # a line's bytes are stamped so near the report that they make


def rules_of(told: Story) -> Rules | None:
    """How frames of this recording are read; None: its start is not known, or is of another version."""
    try:
        said = speech_of(told.start or {})
        return MESSAGE_SETS[said.standard].rules(said)
    except (KeyError, TypeError, ValueError):
        return None


def explained(told: Story, at_utc_s: float, group: int | None = None) -> dict[str, Any]:
    """The instant: what was on air, what each group showed and why, what was held back and why."""
    rules = rules_of(told)
    tick = next((value for utc_s, value in reversed(told.ticks) if utc_s <= at_utc_s), None)
    frame = newest(told, at_utc_s, KINDS)
    fresh = frame is not None and at_utc_s - frame.utc_s <= ON_AIR_S
    return {
        "utc_s": round(at_utc_s, 3),
        "site": (told.start or {}).get("site"),
        "standard": (told.start or {}).get("standard"),
        "version": (told.start or {}).get("version"),
        "clock_trusted": None if tick is None else tick["utc_s"] is not None,
        "valid": None if tick is None else tick["valid"],
        "why": None if tick is None else tick["reason"],
        "on_air": _on_air(frame, at_utc_s) if fresh else None,
        "groups": _groups(told, at_utc_s, frame if fresh else None, rules, group),
        "held": [_held(each) for each in told.air if not each.sent and _near(each.utc_s, at_utc_s)],
        "doubts": [{"utc_s": round(u, 3), "reason": why} for u, why in told.doubts if _near(u, at_utc_s)],
        "hazards": [
            {"utc_s": round(u, 3), "kind": str(h.kind), "ended": h.ended_s is not None, "why": h.evidence}
            for u, h in told.hazards
        ],
        "torn": told.torn,
        "strange": told.strange,
    }


def newest(told: Story, at_utc_s: float, kinds: tuple[str, ...]) -> Datagram | None:
    """The last datagram of a kind that was sent before an instant."""
    mine = (each for each in reversed(told.air) if each.sent and each.kind in kinds)
    return next((each for each in mine if each.utc_s <= at_utc_s), None)


def message(told: Story, at_utc_s: float, kind: str) -> dict[str, Any] | None:
    """The message of one kind that was on air last, its bytes in hex; None: there was none."""
    frame = newest(told, at_utc_s, (kind,))
    if frame is None:
        return None
    return _on_air(frame, at_utc_s)


def _near(utc_s: float, at_utc_s: float) -> bool:
    return abs(utc_s - at_utc_s) <= HELD_S


def _on_air(frame: Datagram | None, at_utc_s: float) -> dict[str, Any]:
    if frame is None:
        return {}
    return {
        "kind": frame.kind,
        "utc_s": round(frame.utc_s, 3),
        "age_s": round(at_utc_s - frame.utc_s, 3),
        "hex": frame.data.hex(),
    }


def _held(each: Datagram) -> dict[str, Any]:
    return {
        "utc_s": round(each.utc_s, 3),
        "kind": each.kind,
        "reason": each.reason,
        "detail": each.detail,
        "hex": each.data.hex(),
    }


def _groups(
    told: Story, at_utc_s: float, frame: Datagram | None, rules: Rules | None, only: int | None
) -> list[dict[str, Any]]:
    """A row a number on air; where nothing was on air, what the witnesses say all the same."""
    if rules is None:
        return []
    said = {}
    if frame is not None:
        try:
            said = AirReader(rules).told_in(frame.data, utc_stamp(frame.utc_s))
        except NotSpat:
            said = {}
    cameras = dict(_cameras(told, at_utc_s))
    rows = []
    for number, members in sorted(rules.groups.items()):
        if only is not None and only not in members:
            continue
        colour, likely, least, most = said.get(number, (None, None, None, None))
        likely_at = None if likely is None or frame is None else round(frame.utc_s + likely, 1)
        rows.append(
            {
                "number": number,
                "lamps": list(members),
                "told": colour,
                "ends_in_s": likely,
                "least_s": least,
                "most_s": most,
                "ends_utc_s": likely_at,
                "controller": [_controller(told, at_utc_s, lamp) for lamp in members],
                "cameras": {str(lamp): cameras[lamp] for lamp in members if lamp in cameras},
            }
        )
    return rows


def _controller(told: Story, at_utc_s: float, lamp: int) -> dict[str, Any]:
    """The newest report that names this lamp group, with its stamp and its bytes."""
    for utc_s, report in reversed(told.reports):
        if utc_s > at_utc_s:
            continue
        colour = next((each.colour for each in report.lamps if each.group == lamp), None)
        if colour is not None:
            byte_s = report.first_byte_s + told.offset_s
            return {
                "lamp": lamp,
                "colour": str(colour),
                "utc_s": round(byte_s, 3),
                "age_s": round(at_utc_s - byte_s, 3),
                "mode": None if report.control is None else str(report.control),
                "plan": report.plan,
                "stage": None if report.stage is None else report.stage.stage,
                "ends_from": _ends_from(report, lamp),
                "raw": _raw(told, report),
            }
    return {"lamp": lamp, "colour": None}


def _ends_from(report: SignalReport, lamp: int) -> str:
    """What an end on air rests on: the controller's own countdown, its plan, or what was learnt."""
    if any(times.group == lamp for times in report.times):
        return "countdown"
    return "plan" if report.plan is not None else "history"


def _raw(told: Story, report: SignalReport) -> str:
    first_s, last_s = report.first_byte_s + told.offset_s, report.last_byte_s + told.offset_s
    near = (
        data for utc_s, way, data in told.lines if way == "in" and first_s - RAW_S <= utc_s <= last_s + RAW_S
    )
    return b"".join(near).hex()


def _cameras(told: Story, at_utc_s: float) -> Iterator[tuple[int, dict[str, Any]]]:
    """How cameras and controller stood, judged again by the witness itself over what was read."""
    witness, at_s = Witness(), at_utc_s - told.offset_s
    events: list[tuple[float, Any]] = [*told.reports, *told.heads]
    seen: dict[int, tuple[str, Colour, float]] = {}
    for utc_s, noun in sorted(events, key=lambda event: event[0]):
        if utc_s > at_utc_s:
            break
        if isinstance(noun, SignalReport):
            witness.saw_report(noun)
            continue
        witness.saw_heads(noun, PERIOD_S)
        for head in noun.heads:
            if head.colour is not Colour.UNKNOWN:
                seen[head.group] = noun.camera, head.colour, head.seen_s
    for lamp, stands in witness.agreement(at_s).items():
        camera, colour, seen_s = seen.get(lamp, (None, None, None))
        age_s = None if seen_s is None else round(at_s - seen_s, 2)
        yield (
            lamp,
            {
                "camera": camera,
                "sees": None if colour is None or age_s is None or age_s > FRESH_S else str(colour),
                "age_s": age_s,
                "agrees": stands.agrees,
                "contradicted": stands.contradicted,
            },
        )
