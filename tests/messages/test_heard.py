"""A vehicle that hears our MAP finds every lane where the crossing file has it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from hil.bench.crossing import site
from rsu_agent.messages.csae53.units import Counts
from rsu_agent.messages.heard import lanes_heard
from rsu_agent.messages.moment import Instant
from rsu_agent.messages.waiting import with_waiting
from rsu_agent.outlets.message_sets import MESSAGE_SETS
from rsu_agent.settings.speech import speech
from rsu_agent.world.crossing import LaneRole
from rsu_agent.world.place import LocalFrame

NEAR_M = 0.03  # a unit of 1e-7 degree, or a centimetre, and the chord's error at points that stayed


@pytest.mark.parametrize("standard", ["csae53-2020", "etsi", "j2735"])
def test_every_lane_is_heard_where_the_file_has_it(standard: str) -> None:
    crossing = site().crossing
    said = replace(speech(site().settings, crossing), standard=standard)
    frames = MESSAGE_SETS[standard].map(said, crossing, Counts()).frames(Instant(0.0, 1.79e9))
    heard = {
        lane.lane: lane for frame in frames for lane in lanes_heard(frame, standard.removesuffix("-2020"))
    }
    lanes = {lane.lane: lane for lane in with_waiting(crossing).lanes}
    wanted = {n for n, lane in lanes.items() if standard != "csae53-2020" or lane.role is LaneRole.ENTRY}
    assert heard.keys() == wanted | {200 + walk.crosswalk for walk in crossing.crosswalks}
    frame = LocalFrame(crossing.origin)
    for number in wanted:
        ends = lanes[number].points[0], lanes[number].points[-1]
        places = [frame.to_local(point) for point in heard[number].points]
        for end in ends:
            assert min(math.dist(end, place) for place in places) < NEAR_M, f"lane {number}"
        targets = {way.to_lane for way in lanes[number].connections}
        assert {to for to, _ in heard[number].ways} == targets


def test_a_spat_is_no_map() -> None:
    spat = MESSAGE_SETS["etsi"].spat(speech(site().settings, site().crossing), Counts())
    with pytest.raises(ValueError, match="a SPATEM, no MAP"):
        lanes_heard(spat.unavailable(), "etsi")
