"""One round of questions to ptp4l, and what its answers are worth. Sans-IO."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from drivers.ptp.settings import Settings
from drivers.ptp.wire import (
    ACCURACY_S,
    MASTER,
    PRIMARY_REFERENCE,
    SLAVE,
    Current,
    DataSet,
    Default,
    NotAnAnswer,
    Parent,
    Port,
    TimeProperties,
    TimeStatus,
    question,
    read_answer,
)
from rsu_agent.world.health import TimeQuality

SOURCE = "ptp"
QUESTIONS = tuple(DataSet)
FOLLOWED_S = 0.5  # an answer may take so long; the comparison with the system clock is a coarse one


@dataclass(frozen=True, slots=True)
class Answers:
    """All of one round."""

    default: Default
    current: Current
    parent: Parent
    properties: TimeProperties
    status: TimeStatus
    ports: tuple[Port, ...]


class Round:
    """Every question once, the next when the one before is answered, by each port where it is for ports."""

    def __init__(self, settings: Settings, first_sequence: int) -> None:
        self._settings, self._first = settings, first_sequence
        self._at = 0
        self._told: dict[DataSet, Any] = {}
        self._ports: dict[int, Port] = {}

    @property
    def done(self) -> bool:
        """Whether everything is answered."""
        return self._at == len(QUESTIONS)

    def question(self) -> bytes:
        """The question that is open."""
        settings = self._settings
        return question(QUESTIONS[self._at], self._sequence, settings.domain, settings.transport_specific)

    def receive(self, data: bytes) -> bool:
        """Whether this datagram completes the answer to the open question; what is none is passed over."""
        try:
            answer = read_answer(data, QUESTIONS[self._at], self._sequence)
        except NotAnAnswer:
            return False
        if isinstance(answer, Port):
            self._ports[answer.number] = answer
            if len(self._ports) < self._told[DataSet.DEFAULT].ports:
                return False
        self._told[QUESTIONS[self._at]] = answer
        self._at += 1
        return True

    def answers(self) -> Answers:
        """What was answered, once done."""
        told = self._told
        return Answers(
            told[DataSet.DEFAULT],
            told[DataSet.CURRENT],
            told[DataSet.PARENT],
            told[DataSet.TIME_PROPERTIES],
            told[DataSet.TIME_STATUS],
            tuple(self._ports.values()),
        )

    @property
    def _sequence(self) -> int:
        return (self._first + self._at) & 0xFFFF


class Judge:
    """How far our UTC may be off. Remembers when the offset was last renewed.

    ptp4l keeps its last offset for ever where a master goes on announcing itself and sends no Sync any more,
    so an offset is believed only once a Sync was seen to come, and is as old as the last one.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ingress_ns: int | None = None
        self._asked_s = 0.0
        self._renewed_s: float | None = None
        self._lag_s = 0.0
        self._followed = True

    def quality(self, answers: Answers, asked_s: float, utc_s: float) -> TimeQuality:
        """The reading of one round; both clocks when it was begun."""
        self._watch(answers, asked_s, utc_s)
        slave = any(port.state == SLAVE for port in answers.ports)
        bound_s = self._slave_bound_s(answers) if slave else self._master_bound_s(answers)
        offset_s = answers.current.offset_s if slave else 0.0
        if slave and not self._followed:
            offset_s, bound_s = self._lag_s, None
        if slave and self._renewed_s is None:
            bound_s = None
        good = bound_s is not None and self._traceable(answers)
        read_s = self._renewed_s if slave and good and self._renewed_s is not None else asked_s
        return TimeQuality(SOURCE, good, offset_s, bound_s if good else None, read_s, answers.properties.leap)

    def _slave_bound_s(self, answers: Answers) -> float | None:
        current = answers.current
        master_s = self._grandmaster_s(answers)
        if master_s is None:
            return None
        return abs(current.offset_s) + abs(current.delay_s) * self._settings.asymmetry + master_s

    def _master_bound_s(self, answers: Answers) -> float | None:
        """We are the grandmaster ourselves: good while it follows its primary reference."""
        parent = answers.parent
        ours = parent.grandmaster == answers.default.identity and parent.clock_class == PRIMARY_REFERENCE
        leads = any(port.state == MASTER for port in answers.ports)
        return self._grandmaster_s(answers) if ours and leads else None

    def _grandmaster_s(self, answers: Answers) -> float | None:
        accuracy_s = ACCURACY_S.get(answers.parent.clock_accuracy)
        if accuracy_s is None:
            return None
        software = self._settings.software_timestamping
        return accuracy_s + (0.0 if software else self._settings.phc2sys_allowance_s)

    def _traceable(self, answers: Answers) -> bool:
        said, wanted = answers.properties, self._settings.utc_offset
        one_master = (
            answers.status.grandmaster == answers.parent.grandmaster
        )  # else it changed while we asked
        told = said.traceable and said.utc_valid and said.ptp_timescale and said.leap != "unsynchronised"
        return one_master and told and wanted in (None, said.utc_offset_s)

    def _watch(self, answers: Answers, asked_s: float, utc_s: float) -> None:
        """Note a Sync that came since the last round, and whether the system clock agrees with when."""
        ingress_ns, before_s = answers.status.ingress_ns, self._asked_s
        self._asked_s = asked_s
        if ingress_ns == self._ingress_ns:
            return
        if self._ingress_ns is not None:
            self._renewed_s = asked_s
            self._lag_s = utc_s - (ingress_ns * 1e-9 - answers.properties.utc_offset_s)
            inside = -FOLLOWED_S <= self._lag_s <= asked_s - before_s + FOLLOWED_S
            self._followed = inside or self._settings.software_timestamping
        self._ingress_ns = ingress_ns
