"""What `rsu watch signals` prints where nobody looks at a screen: a line an event for grep, or JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from rsu_agent.runtime.watch_signals import Event, Lost, Opened, Raw
from rsu_agent.runtime.watched_signals import Shining, WatchedSignals
from rsu_agent.world.signal import Programme, SignalReport

NO_RAW = "no raw bytes: this driver does not show them"


class PlainLines:
    """Raw lines as bytes pass, decoded lines as what they say changes. Seconds count from start_s."""

    def __init__(self, device: str, start_s: float) -> None:
        self._device, self._start_s = device, start_s
        self._told: dict[str, str] = {}

    def lines(self, event: Event, watched: WatchedSignals, now_s: float) -> Iterator[str]:
        """Of one event that `watched` has taken; now_s: when."""
        match event:
            case Raw(at_s, direction, data):
                yield f"{direction:<3} {at_s - self._start_s:.3f} {data.hex(' ').upper()}"
            case Opened(at_s, raw):
                self._told.clear()
                yield f"opened {self._device} at {at_s - self._start_s:.3f}" + ("" if raw else f" ({NO_RAW})")
            case Lost(at_s, reason, detail, hint):
                words = ": ".join(printable(part) for part in (detail, hint) if part)
                yield f"lost {reason} at {at_s - self._start_s:.3f}" + (f": {words}" if words else "")
            case Programme():
                groups = " ".join(map(str, event.groups))
                yield f"programme {event.fingerprint} at {now_s - self._start_s:.3f} groups {groups}"
            case SignalReport():
                yield from self._changes(watched, event.last_byte_s)

    def _changes(self, watched: WatchedSignals, now_s: float) -> Iterator[str]:
        for group, shining in sorted(watched.groups.items()):
            if self._new(f"group {group}", shining.colour):
                before = "" if shining.begun else "before "
                since = f"since {before}{shining.since_s - self._start_s:.3f}"
                left = left_words(shining, now_s)
                yield f"group {group} {shining.colour} {since}" + (f" left {left}" if left else "")
        for name, words in facts(watched, now_s).items():
            if self._new(name, words.partition(",")[0] if name == "stage" else words):
                yield f"{name} {words} at {now_s - self._start_s:.3f}"

    def _new(self, name: str, value: str) -> bool:
        if self._told.get(name) == value:
            return False
        self._told[name] = value
        return True


def facts(watched: WatchedSignals, now_s: float) -> dict[str, str]:
    """What is known beside the colours, in words; what was never told is left out."""
    said: dict[str, str] = {}
    if watched.control is not None:
        said["control"] = watched.control
    if watched.plan is not None:
        said["plan"] = str(watched.plan)
    if (stage := watched.stage) is not None:
        left_s = watched.stage_left_s(now_s)
        left = "" if left_s is None else f", {left_s:.0f} s left"
        elapsed = ""
        if stage.elapsed_s is not None:
            elapsed = f", {stage.elapsed_s + now_s - watched.stage_s:.0f} s in"
        said["stage"] = f"{stage.stage} {stage.state}{elapsed}{left}"
    for name, listed in (("faults", watched.faults), ("alarms", watched.alarms)):
        if listed is not None:
            said[name] = printable(" ".join(listed)) or "none"
    return said | {name: "yes" if on else "no" for name, on in watched.flags.items()}


def left_words(shining: Shining, now_s: float) -> str:
    """Seconds left, one number or least-most; empty where the controller does not tell."""
    left = shining.left_s(now_s)
    if left is None:
        return ""
    low, high = (f"{each:.0f}" if math.isfinite(each) else "" for each in left)
    return low if low == high else f"{low}-{high}"


def printable(text: str) -> str:
    """Some protocols carry words: what is in them must not steer the terminal or begin a line."""
    return "".join(each if each.isprintable() else "?" for each in text)


def counts(watched: WatchedSignals) -> dict[str, int]:
    """Line counters that are not zero."""
    return {name: count for name, count in sorted(watched.counters.items()) if count}


class JsonLines:
    """One object an event; `t` counts seconds from start_s, `utc` says when the line was opened."""

    def __init__(self, driver: str, port: str | None, start_s: float, utc_less_start_s: float) -> None:
        self._driver, self._port = driver, port
        self._start_s, self._utc_s = start_s, utc_less_start_s

    def objects(self, event: Event, watched: WatchedSignals, now_s: float) -> Iterator[dict[str, Any]]:
        """Of one event that `watched` has taken; now_s: when."""
        match event:
            case Raw(at_s, direction, data):
                yield {"t": self._t(at_s), "dir": direction, "hex": data.hex()}
            case Opened(at_s, raw):
                utc = datetime.fromtimestamp(self._utc_s + self._t(at_s), UTC).isoformat("T", "milliseconds")
                opened = {"opened": self._driver, "port": self._port, "raw": raw, "utc": utc}
                yield {"t": self._t(at_s), **opened}
            case Lost(at_s, reason, detail, hint):
                lost = {"lost": reason, "detail": detail, "hint": hint, "counters": counts(watched)}
                yield {"t": self._t(at_s), **lost}
            case Programme():
                plans = [plan.plan for plan in event.plans]
                programme = {"programme": event.fingerprint, "groups": list(event.groups), "plans": plans}
                yield {"t": self._t(now_s), **programme}
            case SignalReport():
                yield {"t": self._t(event.last_byte_s), **self._state(event, watched)}

    def _state(self, report: SignalReport, watched: WatchedSignals) -> dict[str, Any]:
        """All that is known after a report; `new`: the groups that this report tells of."""
        groups = sorted(watched.groups.items())
        stage, period_s = watched.stage, watched.period_s()
        stage_left_s = watched.stage_left_s(report.last_byte_s)
        left = {group: shining.left_s(report.last_byte_s) for group, shining in groups}
        return {
            "colours": {str(group): shining.colour for group, shining in groups},
            "since": {str(group): self._t(shining.since_s) for group, shining in groups if shining.begun},
            "left_s": {
                str(group): [round(each, 1) if math.isfinite(each) else None for each in span]
                for group, span in left.items()
                if span is not None
            },
            "new": [lamp.group for lamp in report.lamps],
            "control": watched.control,
            "plan": watched.plan,
            "stage": stage and {"stage": stage.stage, "state": stage.state, "remaining_s": stage_left_s},
            "faults": watched.faults,
            "alarms": watched.alarms,
            **watched.flags,
            "period_s": None if period_s is None else round(period_s, 3),
        }

    def _t(self, at_s: float) -> float:
        return round(at_s - self._start_s, 3)
