"""Places: the box, the walks and the motor lanes are where the crossing file has them."""

from __future__ import annotations

import pytest

from rsu_agent.hazards.places import Places
from rsu_agent.ports.assets import asset
from rsu_agent.settings.crossing import read_crossing
from rsu_agent.world.crossing import Crossing, LaneUse


@pytest.fixture(scope="module")
def crossing() -> Crossing:
    return read_crossing(asset("config/crossings/virtual.geojson"))


def test_the_middle_of_every_motor_lane_is_on_that_lane(crossing: Crossing) -> None:
    asked = Places(crossing)
    for one in crossing.lanes:
        if one.use is LaneUse.MOTOR:
            (x0, y0), (x1, y1) = one.points[0], one.points[1]
            found = asked.lane_at((x0 + x1) / 2, (y0 + y1) / 2)
            assert found is not None
            assert found.lane.lane == one.lane
            assert found.right_m == pytest.approx(0.0, abs=1e-6)


def test_the_box_and_the_walks_are_where_they_were_drawn(crossing: Crossing) -> None:
    asked = Places(crossing)
    assert asked.in_box(0.0, 0.0)
    assert not asked.in_box(50.0, 50.0)
    for walk in crossing.crosswalks:
        (x0, y0), (x1, y1) = walk.axis
        assert asked.walk_at((x0 + x1) / 2, (y0 + y1) / 2) == walk
    assert asked.walk_at(0.0, 0.0) is None
