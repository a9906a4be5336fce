"""The message sets as a table: who makes and who judges what a crossing says in each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rsu_agent.messages.csae53.phase_table import PhaseTable
from rsu_agent.messages.csae53.units import Counts
from rsu_agent.messages.dsrc.spat import Right
from rsu_agent.messages.dsrc.units import Edition
from rsu_agent.messages.frames import MapFrames, RoadFrames, SpatFrames
from rsu_agent.outlets.guard import Guard
from rsu_agent.outlets.matrix import Matrix, Pair
from rsu_agent.outlets.rules import Rules, csae_rules, etsi_rules, j2735_rules
from rsu_agent.world.crossing import Crossing


@dataclass(frozen=True, slots=True)
class Speech:
    """All that the bytes of SPAT depend on and that no report tells. identity: (node, region).

    phases: phaseId -> lamp groups (T/CSAE 53). arrows: lamp groups that show arrows. rights: lamp group ->
    what its green gives (ETSI, SAE). revision: of the MAP. station: of the ITS PDU header. edition: of J2735.
    standing_doubt: why nothing may ever be said by this site file, None where it may.
    never, if_permissive: pairs of groups that the site file keeps apart, beside the controller's own.
    """

    standard: str
    identity: tuple[int, int | None]
    test_ids: bool
    phases: Mapping[int, tuple[int, ...]]
    arrows: frozenset[int]
    rights: Mapping[int, Right]
    revision: int = 0
    station: int = 0
    edition: Edition = Edition.J2735_2020
    standing_doubt: str | None = None
    never: tuple[Pair, ...] = ()
    if_permissive: tuple[Pair, ...] = ()

    @property
    def table(self) -> PhaseTable:
        """Phases as the mappers of T/CSAE 53 take them. Raises ValueError."""
        return PhaseTable(self.phases, self.arrows)


@dataclass(frozen=True, slots=True)
class RoadSpeech:
    """What RSM, RSI and DENM need beside. rsu_id: eight bytes; kinds: sensor name -> camera or radar."""

    rsu_id: bytes
    kinds: Mapping[str, str]
    codes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class MessageSet:
    """One set's makers."""

    spat: Callable[[Speech, Counts], SpatFrames]
    rules: Callable[[Speech], Rules]
    map: Callable[[Speech, Crossing, Counts], MapFrames]
    road: Callable[[Speech, Crossing, RoadSpeech, Counts], RoadFrames]


def _csae53() -> MessageSet:
    from rsu_agent.messages.csae53.frames import CsaeMap, CsaeRoad, CsaeSpat

    return MessageSet(
        spat=lambda speech, counts: CsaeSpat(speech.table, speech.identity, counts),
        rules=lambda speech: csae_rules(speech.phases, speech.arrows),
        map=lambda speech, crossing, counts: CsaeMap(crossing, speech.table, counts),
        road=lambda _speech, crossing, road, counts: CsaeRoad(
            crossing.origin, road.rsu_id, road.kinds, road.codes, counts
        ),
    )


def _etsi() -> MessageSet:
    from rsu_agent.messages.etsi.frames import EtsiRoad, EtsiSpat, etsi_map

    return MessageSet(
        spat=lambda speech, _counts: EtsiSpat(
            speech.rights, speech.identity, speech.revision, speech.station
        ),
        rules=lambda speech: etsi_rules(speech.rights, speech.revision),
        map=lambda speech, crossing, _counts: etsi_map(crossing, speech.revision, speech.station),
        road=lambda speech, crossing, _road, _counts: EtsiRoad(crossing.origin, speech.station),
    )


def _j2735() -> MessageSet:
    from rsu_agent.messages.j2735.frames import J2735Road, J2735Spat, j2735_map

    return MessageSet(
        spat=lambda speech, _counts: J2735Spat(speech.rights, speech.identity, speech.edition),
        rules=lambda speech: j2735_rules(speech.rights, speech.edition),
        map=lambda speech, crossing, _counts: j2735_map(crossing, speech.revision, speech.edition),
        road=lambda *_: J2735Road(),
    )


class MessageSets(Mapping[str, MessageSet]):
    """By the name in the site file. A set's codec is loaded when it is asked for: a box speaks one."""

    def __init__(self, makers: Mapping[str, Callable[[], MessageSet]]) -> None:
        self._makers = makers
        self._made: dict[str, MessageSet] = {}

    def __getitem__(self, name: str) -> MessageSet:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


MESSAGE_SETS = MessageSets(
    {
        "csae53-2020": _csae53,
        "ydt3709-2020": _csae53,  # the same bits under another name
        "etsi": _etsi,
        "j2735": _j2735,
    }
)


def guard_of(speech: Speech) -> Guard:
    """The guard of a crossing that speaks so."""
    rules = MESSAGE_SETS[speech.standard].rules(speech)
    protected = speech.arrows | {group for group, right in speech.rights.items() if right is Right.PROTECTED}
    matrix = Matrix(speech.never, speech.if_permissive, protected)
    return Guard(rules, speech.arrows, speech.identity, matrix, test_ids=speech.test_ids)


def plain(speech: Speech) -> dict[str, Any]:
    """A speech as JSON values, for the recording."""
    return {
        "standard": speech.standard,
        "identity": list(speech.identity),
        "test_ids": speech.test_ids,
        "phases": [[phase, list(groups)] for phase, groups in speech.phases.items()],
        "arrows": sorted(speech.arrows),
        "rights": [[group, right] for group, right in speech.rights.items()],
        "revision": speech.revision,
        "station": speech.station,
        "edition": speech.edition,
        "standing_doubt": speech.standing_doubt,
        "never": [list(pair) for pair in speech.never],
        "if_permissive": [list(pair) for pair in speech.if_permissive],
    }


def _pairs(value: Iterable[Any]) -> tuple[Pair, ...]:
    return tuple((int(one), int(other)) for one, other in value)


def speech_of(value: Mapping[str, Any]) -> Speech:
    """A speech from `plain`. Raises KeyError, TypeError, ValueError."""
    node, region = value["identity"]
    return Speech(
        value["standard"],
        (node, region),
        value["test_ids"],
        {phase: tuple(groups) for phase, groups in value["phases"]},
        frozenset(value["arrows"]),
        {group: Right(right) for group, right in value["rights"]},
        value["revision"],
        value["station"],
        Edition(value["edition"]),
        standing_doubt=value.get("standing_doubt"),
        never=_pairs(value.get("never", ())),
        if_permissive=_pairs(value.get("if_permissive", ())),
    )
