"""What a recording holds around one instant, on UTC: ticks, datagrams, reports, pictures, raw lines. Pure."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rsu_agent.ports import nouns
from rsu_agent.ports.recording import BEGUN, START, TORN, Entry
from rsu_agent.world.hazard import Hazard
from rsu_agent.world.signal import SignalReport
from rsu_agent.world.witness import HeadsSeen

LATE_S = 5.0  # entries are a little out of order


@dataclass(frozen=True, slots=True)
class Datagram:
    """One that was sent, or held back for a reason."""

    utc_s: float
    at_s: float
    kind: str
    sent: bool
    data: bytes
    reason: str = ""
    detail: str = ""


@dataclass(slots=True)
class Story:
    """Everything within the span; each list in order, with UTC first. offset_s: UTC less monotonic."""

    from_s: float
    to_s: float
    start: dict[str, Any] | None = None
    offset_s: float = 0.0
    ticks: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    air: list[Datagram] = field(default_factory=list)
    reports: list[tuple[float, SignalReport]] = field(default_factory=list)
    heads: list[tuple[float, HeadsSeen]] = field(default_factory=list)
    doubts: list[tuple[float, str]] = field(default_factory=list)
    lines: list[tuple[float, str, bytes]] = field(default_factory=list)
    hazards: list[tuple[float, Hazard]] = field(default_factory=list)
    torn: list[dict[str, str]] = field(default_factory=list)
    strange: int = 0  # entries of another version
    first_s: float | None = None  # the whole recording, as far as it was read
    last_s: float | None = None


def on_utc(entries: Iterable[Entry]) -> Iterator[tuple[float | None, Entry]]:
    """Each entry with its UTC second; None before anything tells what UTC is."""
    offset_s: float | None = None
    for entry in entries:
        value = entry.value
        match entry.topic:
            case "/start":
                offset_s = value["utc_s"] - entry.at_s
            case "/begun" if offset_s is None:
                offset_s = value["utc_s"] - value["began_s"]
            case "/spat" if value["utc_s"] is not None:
                offset_s = value["utc_s"] - value["now_s"]
        yield None if offset_s is None else entry.at_s + offset_s, entry


def story(entries: Iterable[Entry], from_s: float, to_s: float) -> Story:
    """What is told between two instants, UTC seconds."""
    told = Story(from_s, to_s)
    for utc_s, entry in on_utc(entries):
        if entry.topic == TORN:
            told.torn.append(dict(entry.value))
            continue
        if utc_s is None:
            continue
        told.first_s = utc_s if told.first_s is None else told.first_s
        told.last_s = utc_s
        if utc_s > to_s + LATE_S:
            break
        if entry.topic in (START, BEGUN):
            told.start = entry.value
        elif from_s <= utc_s <= to_s:
            told.offset_s = utc_s - entry.at_s
            try:
                _take(told, utc_s, entry)
            except (KeyError, TypeError, ValueError):
                told.strange += 1
    return told


def _take(told: Story, utc_s: float, entry: Entry) -> None:
    value = entry.value
    match entry.topic:
        case "/spat":
            told.ticks.append((utc_s, value))
        case "/air":
            data = base64.b64decode(value["data"])
            reason, detail = value.get("reason", ""), value.get("detail", "")
            told.air.append(Datagram(utc_s, entry.at_s, value["kind"], value["sent"], data, reason, detail))
        case "/doubt":
            told.doubts.append((utc_s, value["reason"]))
        case "/line":
            told.lines.append((utc_s, value["dir"], base64.b64decode(value["data"])))
        case "/report" | "/heads" | "/hazard":
            _noun(told, utc_s, nouns.unpack(base64.b64decode(value["noun"])))


def _noun(told: Story, utc_s: float, noun: Any) -> None:
    match noun:
        case SignalReport():
            told.reports.append((utc_s, noun))
        case HeadsSeen():
            told.heads.append((utc_s, noun))
        case Hazard():
            told.hazards.append((utc_s, noun))
