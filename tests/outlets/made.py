"""Speakers and guards as tests need them: of T/CSAE 53, by phases and arrows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from rsu_agent.messages.csae53.frames import CsaeRoad
from rsu_agent.messages.csae53.units import Counts
from rsu_agent.outlets.guard import Guard
from rsu_agent.outlets.message_sets import MESSAGE_SETS, Speech, guard_of
from rsu_agent.outlets.road_speaker import RoadSpeaker
from rsu_agent.outlets.spat_speaker import SpatSpeaker
from rsu_agent.world.place import GeoPoint
from rsu_agent.world.signal import Phase, Plan, Programme, Stage, StageSlot

IDENTITY = (12, 0)
# Two stages of thirty seconds, a lamp group in each, kept apart by the controller's own matrix
PROGRAMME = Programme(
    "p",
    (1, 5),
    (Phase(1, (1,)), Phase(2, (5,))),
    (Stage(1, (1,)), Stage(2, (2,))),
    (Plan(1, 60.0, (StageSlot(1, 30.0), StageSlot(2, 30.0))),),
    ((1, 2),),
)


def speech(
    phases: Mapping[int, Sequence[int]],
    arrows: Collection[int] = (),
    identity: tuple[int, int | None] = IDENTITY,
    *,
    test_ids: bool = True,
) -> Speech:
    groups = {phase: tuple(members) for phase, members in phases.items()}
    return Speech("csae53-2020", identity, test_ids, groups, frozenset(arrows), {})


def guard(
    phases: Mapping[int, Sequence[int]],
    arrows: Collection[int] = (),
    identity: tuple[int, int | None] = IDENTITY,
    *,
    test_ids: bool = True,
) -> Guard:
    return guard_of(speech(phases, arrows, identity, test_ids=test_ids))


def spat_speaker(phases: Mapping[int, Sequence[int]], arrows: Collection[int]) -> SpatSpeaker:
    said = speech(phases, arrows)
    return SpatSpeaker(MESSAGE_SETS[said.standard].spat(said, Counts()), guard_of(said))


def road_speaker(
    origin: GeoPoint, rsu: bytes, must_cover: Sequence[str], budget_bytes_s: float
) -> RoadSpeaker:
    """With one camera named cam, and a code for wrong ways only."""
    frames = CsaeRoad(origin, rsu, {"cam": "camera"}, {"wrong_way": 904}, Counts())
    return RoadSpeaker(frames, must_cover, budget_bytes_s)


def count_of(frame: bytes) -> int:
    """msgCnt of a SPAT frame: the upper seven bits of byte 1 (field-rules 4)."""
    return frame[1] >> 1
