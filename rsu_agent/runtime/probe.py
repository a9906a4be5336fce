"""Finding out what speaks on a serial line (field-rules 1.2): silent first, then two questions a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rsu_agent.ports.clock import Clock
from rsu_agent.ports.line import LineSettings, open_line
from rsu_agent.ports.line_faults import diagnosis
from rsu_agent.ports.recognising import SILENT_S, Recogniser, Recognisers, Sign

QUESTION_S = 0.5  # at most two a second
FEWEST_FRAMES = 3  # of a listener; one answer to a question is enough
BAUDS = (9600, 115200, 19200, 38400, 57600)
PARITIES: tuple[Literal["none", "even"], ...] = ("none", "even")

Tell = Callable[[str, float], None]  # what is tried, and the share that is done


@dataclass(frozen=True)
class Found:
    """The best reading of the line. driver None: nothing was recognised."""

    driver: str | None
    baud: int
    parity: str
    sign: Sign
    heard_bytes: int
    asked: int
    stopped_by: str | None = None  # why asking ended early

    def section(self, port: str) -> dict[str, Any]:
        """The site file's section `controller`."""
        keys: dict[str, Any] = {"driver": self.driver, "port": port, "baud": self.baud}
        if self.parity != "none":
            keys["parity"] = self.parity
        return keys | self.sign.settings


@dataclass
class Listening:
    """One baud rate's recognisers."""

    baud: int
    parity: Literal["none", "even", "odd"]
    recognisers: dict[str, list[Recogniser]]
    heard_bytes: int = 0
    faults: set[str] = field(default_factory=set)

    def receive(self, data: bytes, now_s: float) -> None:
        """Everybody hears everything."""
        self.heard_bytes += len(data)
        for own in self.recognisers.values():
            for recogniser in own:
                recogniser.receive(data, now_s)

    def best(self) -> tuple[str, Recogniser] | None:
        """Whoever read the most bytes in whole frames."""
        everyone = [(name, each) for name, own in self.recognisers.items() for each in own]
        name, best = max(everyone, key=lambda pair: pair[1].sign.frame_bytes)
        return (name, best) if best.sign.frames else None


async def probe(
    port: str,
    protocols: Mapping[str, Recognisers],
    clock: Clock,
    tell: Tell,
    *,
    transmit: bool,
    silent_s: float = SILENT_S,
) -> Found:
    """Listen at every baud rate, then ask where that is allowed. Raises DeviceLost: missing, busy, ..."""
    tried = [(baud, parity) for parity in PARITIES for baud in BAUDS]
    rounds = []
    for n, (baud, parity) in enumerate(tried):
        tell(f"listening at {baud} baud, parity {parity}", n / len(tried))
        heard = await _listen(port, protocols, clock, baud, parity, silent_s / len(tried))
        rounds.append(heard)
        if (best := heard.best()) and best[1].sign.frames >= FEWEST_FRAMES:
            return _found(heard, best)
    seldom = next((heard for heard in rounds if heard.best()), None)
    if seldom is not None:  # a controller that tells of changes alone: too few frames in so short a time
        tell(f"listening at {seldom.baud} baud again", 1.0)
        heard = await _listen(port, protocols, clock, seldom.baud, seldom.parity, silent_s)
        if (best := heard.best()) and best[1].sign.frames >= FEWEST_FRAMES:
            return _found(heard, best)
    silent = [heard for heard in rounds if heard.heard_bytes]
    if not transmit or silent:
        return _nothing(silent, 0, "somebody speaks here what is not recognised" if silent else None)
    return await _ask(port, protocols, clock, tell, silent)


async def _listen(
    port: str,
    protocols: Mapping[str, Recognisers],
    clock: Clock,
    baud: int,
    parity: Literal["none", "even", "odd"],
    seconds: float,
) -> Listening:
    line_settings = LineSettings(port, baud, "listener", parity)
    heard = Listening(baud, parity, _made(protocols, line_settings.byte_s))
    async with open_line(line_settings, clock) as line:
        with clock.move_on_after(seconds):
            while True:
                received = await line.read()
                heard.receive(received.data, received.arrived_s)
        if fault := diagnosis(line.errors()):
            heard.faults.add(fault)
    return heard


async def _ask(
    port: str, protocols: Mapping[str, Recognisers], clock: Clock, tell: Tell, silent: list[Listening]
) -> Found:
    """One question at a time, two a second; the first frame of another host ends it for good."""
    asked = 0
    questions = list(_questions(protocols))
    for n, (baud, parity, name, index) in enumerate(questions):
        tell(f"asking {name} at {baud} baud, parity {parity}", n / len(questions))
        settings = LineSettings(port, baud, "master", parity)
        heard = Listening(baud, parity, _made(protocols, settings.byte_s))
        question = heard.recognisers[name][index].question()
        async with open_line(settings, clock) as line:
            await line.write(question or b"")
            asked += 1
            with clock.move_on_after(QUESTION_S):
                while True:
                    received = await line.read()
                    data = received.data.replace(question or b"\0", b"")  # an adapter that hears itself
                    heard.receive(data, received.arrived_s)
        if (best := heard.best()) is not None:
            if best[1].sign.foreign:
                return _nothing([heard], asked, "another host was heard")
            return _found(heard, best, asked)
    return _nothing(silent, asked, None)


def _questions(
    protocols: Mapping[str, Recognisers],
) -> Iterator[tuple[int, Literal["none", "even"], str, int]]:
    """Every baud rate and variant that has a question, the likeliest first."""
    for parity in PARITIES:
        for baud in BAUDS:
            for name, own in _made(protocols, 0.0).items():
                yield from (
                    (baud, parity, name, n) for n, each in enumerate(own) if each.question() is not None
                )


def _made(protocols: Mapping[str, Recognisers], byte_s: float) -> dict[str, list[Recogniser]]:
    return {name: list(make(byte_s)) for name, make in protocols.items()}


def _found(heard: Listening, best: tuple[str, Recogniser], asked: int = 0) -> Found:
    name, recogniser = best
    sign = recogniser.sign
    if sign.foreign:
        sign.settings["role"] = "listener"
        sign.notes.add("another host asks on this line: the role must be listener")
    return Found(name, heard.baud, heard.parity, sign, heard.heard_bytes, asked)


def _nothing(silent: list[Listening], asked: int, stopped_by: str | None) -> Found:
    most = max(silent, key=lambda heard: heard.heard_bytes, default=None)
    notes = {fault for heard in silent for fault in heard.faults}
    sign = Sign(notes=notes)
    if most is None:
        return Found(None, BAUDS[0], "none", sign, 0, asked, stopped_by)
    return Found(None, most.baud, most.parity, sign, most.heard_bytes, asked, stopped_by)
