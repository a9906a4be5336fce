"""Replay: phases to guard run again on a recording's own stamps, compared datagram by datagram. Pure."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from rsu_agent.messages.csae53.units import Counts
from rsu_agent.messages.moment import Instant
from rsu_agent.messages.recognise import recognise
from rsu_agent.outlets.spat_speaker import SpatSpeaker
from rsu_agent.ports import nouns
from rsu_agent.ports.recording import DROPPED, TORN, Entry
from rsu_agent.runtime.beginning import START, speaker_of
from rsu_agent.wire.uper import Malformed

COPY = "/copy"  # `rsu record` tells from when on the datagrams were copied; before it only what replay needs
NEEDED = frozenset({START, "/programme", "/report", "/heads", "/doubt", "/spat", DROPPED})
MOST_LISTED = 100
KINDS = ("SPAT", "SPATEM")  # of messages that are compared


@dataclass(frozen=True, slots=True)
class Difference:
    """One datagram that replay does not give. where: the first field that differs, decoded."""

    at_s: float
    utc_s: float | None
    start: int
    where: str
    recorded: Any
    replayed: Any


@dataclass(slots=True)
class Checked:
    """What a replay came to; not_compared by reason."""

    compared: int = 0
    equal: int = 0
    different: int = 0
    not_compared: Counter[str] = field(default_factory=Counter)
    starts: int = 0
    torn: list[dict[str, str]] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        return asdict(self) | {"not_compared": dict(self.not_compared)}


@dataclass(slots=True)
class _Tick:
    """One tick of SPAT: what the speaker of replay gives, or why there is none; what is recorded of it."""

    at_s: float
    utc_s: float | None
    expected: list[tuple[bool, bytes]]
    why_not: str | None
    recorded: list[tuple[bool, bytes]] = field(default_factory=list)


class Replay:
    """Fed with a recording's entries in order."""

    def __init__(self) -> None:
        self.checked = Checked()
        self._speaker: SpatSpeaker | None = None
        self._why_not = "beginning_forgotten"
        self._tick: _Tick | None = None
        self._copied_from_s: float | None = None

    def feed(self, entry: Entry) -> None:
        """Take in one entry. Raises nothing: what cannot be replayed is counted with its reason."""
        try:
            self._feed(entry)
        except (KeyError, TypeError, ValueError):  # also NotANoun: of another version, or damaged
            self._end_tick()
            self._lose("not_understood")

    def end(self) -> Checked:
        """The result, after the last entry."""
        self._cut_off("end_of_recording")
        return self.checked

    def _feed(self, entry: Entry) -> None:
        value = entry.value
        match entry.topic:
            case "/air" if value["kind"] in KINDS:
                self._air(value)
            case "/spat":
                self._end_tick()
                self._tick = self._speak(value)
            case "/report" | "/programme" if self._speaker is not None:
                self._speaker.saw(nouns.unpack(base64.b64decode(value["noun"])))
            case "/heads" if self._speaker is not None:
                self._speaker.saw_heads(nouns.unpack(base64.b64decode(value["noun"])))
            case "/doubt" if self._speaker is not None:
                self._speaker.tell_doubt(value["reason"])
            case "/start":
                self._start(value)
            case "/copy":
                self._copied_from_s = value["from_s"]
            case "/dropped" | "/torn":
                self._broken(entry)

    def _start(self, value: dict[str, Any]) -> None:
        self._cut_off("agent_ended")
        self.checked.starts += 1
        self._speaker, self._why_not = None, "not_understood"
        if value["nouns"] != nouns.version():
            self._why_not = "other_version"
        else:
            self._speaker = speaker_of(value, Counts())

    def _cut_off(self, why: str) -> None:
        """What was sent in the last tick may not have been written any more."""
        if self._tick is not None and len(self._tick.recorded) < len(self._tick.expected):
            self._tick.why_not = why
        self._end_tick()

    def _broken(self, entry: Entry) -> None:
        """Something is missing here: what comes until the next start cannot be known."""
        if entry.topic == TORN:
            self.checked.torn.append(dict(entry.value))
        self._cut_off("entries_missing")
        self._lose("entries_missing")

    def _lose(self, why: str) -> None:
        if self._speaker is not None:
            self._why_not = why
        self._speaker = None

    def _speak(self, value: dict[str, Any]) -> _Tick:
        now_s, utc_s = value["now_s"], value["utc_s"]
        if self._speaker is None:
            return _Tick(now_s, utc_s, [], self._why_not)
        spoken = self._speaker.speak(Instant(now_s, utc_s, value["leap"]), value["map_news"])
        expected = [] if spoken.frame is None else [(True, spoken.frame)]
        expected += [] if spoken.held is None else [(False, spoken.held)]
        before = self._copied_from_s is not None and now_s < self._copied_from_s
        return _Tick(now_s, utc_s, expected, "before_the_copy" if before else None)

    def _air(self, value: dict[str, Any]) -> None:
        """A datagram belongs to the tick before it; one without was said before the recording begins."""
        if self._tick is None:
            self.checked.not_compared[self._why_not] += 1
            return
        # A frame meant for the air counts as such also where the radio did not take it.
        meant = value["sent"] or value["reason"] in ("no_radio", "refused")
        self._tick.recorded.append((meant, base64.b64decode(value["data"])))

    def _end_tick(self) -> None:
        tick, self._tick = self._tick, None
        if tick is None:
            return
        if tick.why_not is not None:
            self.checked.not_compared[tick.why_not] += max(len(tick.recorded), len(tick.expected))
            return
        for at in range(max(len(tick.recorded), len(tick.expected))):
            recorded = tick.recorded[at] if at < len(tick.recorded) else None
            expected = tick.expected[at] if at < len(tick.expected) else None
            self.checked.compared += 1
            if recorded == expected:
                self.checked.equal += 1
                continue
            self.checked.different += 1
            if len(self.checked.differences) < MOST_LISTED:
                found = first_difference(recorded, expected)
                self.checked.differences.append(
                    Difference(tick.at_s, tick.utc_s, self.checked.starts, *found)
                )


def check(entries: Iterable[Entry]) -> Checked:
    """Replay a whole recording."""
    replay = Replay()
    for entry in entries:
        replay.feed(entry)
    return replay.end()


def first_difference(
    recorded: tuple[bool, bytes] | None, replayed: tuple[bool, bytes] | None
) -> tuple[str, Any, Any]:
    """(path of the first field that differs, recorded, replayed); bytes are told as hexadecimal digits."""
    if recorded is None or replayed is None or recorded[0] != replayed[0]:
        return "sent", _fate(recorded), _fate(replayed)
    try:
        pair = [list(_leaves("", recognise(frame).value)) for _, frame in (recorded, replayed)]
    except Malformed as error:
        return f"bytes ({error})", recorded[1].hex(), replayed[1].hex()
    ours, theirs = dict(pair[0]), dict(pair[1])
    for path in [*ours, *theirs]:
        if ours.get(path) != theirs.get(path):
            return path, ours.get(path), theirs.get(path)
    return "bytes", recorded[1].hex(), replayed[1].hex()


def _fate(said: tuple[bool, bytes] | None) -> str:
    if said is None:
        return "nothing"
    return "sent" if said[0] else "held"


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    match value:
        case dict():
            for name, inner in value.items():
                yield from _leaves(f"{path}.{name}" if path else name, inner)
        case list():
            for at, inner in enumerate(value):
                yield from _leaves(f"{path}[{at}]", inner)
        case (str(), inner):
            yield from _leaves(f"{path}.{value[0]}", inner)
        case bytes():
            yield path, value.hex()
        case tuple():
            yield path, [inner.hex() if isinstance(inner, bytes) else inner for inner in value]
        case _:
            yield path, value
