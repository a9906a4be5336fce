"""The scripted hazards: whom they hold back, and how long one stands."""

from __future__ import annotations

import math

import pytest

from hil.devices.signal_model import SignalModel
from hil.world.crossing_read import RigCrossing, read_rig_crossing
from hil.world.script import KINDS, Script, _cross
from hil.world.traffic import Traffic
from rsu_agent.ports.assets import asset

STEP_S = 0.05
WARM_S, INTO_CYCLE_S = 150.0, 22.0  # the demo's scored seconds begin eight seconds into a cycle
FIRST_S = 5.0


@pytest.fixture(scope="module")
def crossing() -> RigCrossing:
    return read_rig_crossing(asset("config/crossings/virtual.geojson"))


class Played:
    """A minute and a half of traffic with all four hazards asked for, as the bounded demo asks."""

    def __init__(self, crossing: RigCrossing, seed: int) -> None:
        self.traffic = Traffic(crossing, seed)
        self.lights = SignalModel(-WARM_S + INTO_CYCLE_S, seed=seed)
        self.script = Script(self.traffic)
        self.edges: dict[tuple[str, str], float] = {}
        self.now_s = -WARM_S

    def to(self, end_s: float) -> Played:
        """Play on."""
        while self.now_s < end_s:
            self.now_s += STEP_S
            self.lights.advance(self.now_s)
            self.traffic.step(STEP_S, self.lights.lamps, self.now_s)
            for event in self.script.step(self.now_s):
                self.edges[event.kind, event.edge] = self.now_s
        return self

    def plan(self) -> Played:
        """Ask for the four."""
        self.to(0.0)
        for kind in KINDS:
            self.script.plan(kind, FIRST_S)
        return self


def test_routes_that_meet_are_the_ones_held_and_meeting_is_mutual(crossing: RigCrossing) -> None:
    traffic = Traffic(crossing, 1)
    by = {route.name: route for route in traffic.routes}
    left_east = next(r for r in traffic.motor if r.turn == "left" and crossing.lanes[r.entry].arm == "E")
    through = {crossing.lanes[r.entry].arm: r for r in traffic.motor if r.turn == "through"}
    assert _cross(left_east, through["W"]), "it turns across the opposing way"
    assert _cross(left_east, through["S"])
    assert not _cross(through["N"], through["S"]), "they pass beside each other"
    for one in by.values():
        assert not _cross(one, one)
        assert all(_cross(one, other) == _cross(other, one) for other in by.values())


def test_who_can_still_stop_waits_at_a_held_green_and_who_cannot_goes_on(crossing: RigCrossing) -> None:
    traffic = Traffic(crossing, 1, "night")
    traffic.users.clear()
    route = next(r for r in traffic.motor if r.turn == "through")
    far = traffic.add(route, "car", route.stop_m - 60.0, 12.0)
    traffic.held = {route.name}
    lamps = {route.group: "green"}
    for step in range(300):
        traffic.step(STEP_S, lamps, step * STEP_S)
    assert far.speed < 0.1
    assert far.along_m + far.size[0] / 2 <= route.stop_m + 0.3
    traffic.held = set()
    near = traffic.add(route, "car", route.stop_m - 4.0, 13.0)
    traffic.users = [near]
    traffic.held = {route.name}
    for step in range(300, 360):
        traffic.step(STEP_S, lamps, step * STEP_S)
    assert near.along_m > route.stop_m + 15.0


def test_a_stopped_vehicle_stands_in_its_exit_lane_for_half_a_minute(crossing: RigCrossing) -> None:
    played = Played(crossing, 3).plan().to(20.0)
    act = next(act for act in played.script.acts if act.kind == "stopped_vehicle")
    assert act.user is not None
    lane = crossing.lanes[act.user.route.exit]
    assert math.dist((act.user.x, act.user.y), lane.points[0]) < 20.0
    assert act.user.speed < 0.3
    played.to(90.0)
    lasted = played.edges["stopped_vehicle", "clear"] - played.edges["stopped_vehicle", "onset"]
    assert lasted == pytest.approx(30.0, abs=0.2)
