"""Whatever drives however: every user is counted once at most, and nobody vanishes from the counts."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rsu_agent.lanes.follow import Follower
from rsu_agent.world.road_user import RoadUser, UserClass
from tests.lanes.made import Users, driver, follow, lines, passages, virtual, way

CROSSING = virtual()
WAYS = [
    (lane.lane, each.to_lane) for lane in CROSSING.lanes for each in lane.connections if lane.use == "motor"
]
NOISE_M = 0.35

stages = st.lists(st.tuples(st.sampled_from([0.0, 1.0, 4.0, 9.0, 14.0]), st.floats(0.5, 8.0)), max_size=6)
ways = st.sampled_from(WAYS)
begins = st.floats(1.0, 120.0)
slow = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def noisy(who: Users, seed: int, *, gaps: float = 0.0, renumbered: bool = False) -> Users:
    """The same user as a tracker tells it: off by decimetres, missing now and then, renumbered then."""
    dice, state = random.Random(seed), {"number": seed, "left": 0}

    def at(t: float) -> Iterable[RoadUser]:
        if state["left"] > 0:
            state["left"] -= 1
            return []
        if dice.random() < gaps:
            state["left"] = dice.randrange(1, 12)
            state["number"] += 1000 if renumbered else 0
            return []
        off = dice.gauss(0, NOISE_M), dice.gauss(0, NOISE_M)
        return [
            replace(u, track=state["number"], x_east_m=u.x_east_m + off[0], y_north_m=u.y_north_m + off[1])
            for u in who(t)
        ]

    return at


@slow
@given(st.lists(st.tuples(ways, stages, begins), min_size=1, max_size=4), st.randoms())
def test_no_track_passes_two_lines_or_goes_two_ways(who: list, dice: random.Random) -> None:
    drivers = [
        noisy(
            driver(n, way(CROSSING, *ends), [*parts, (10.0, 60.0)], begins_m=begin),
            dice.randrange(1, 99) * 10 + n,
        )
        for n, (ends, parts, begin) in enumerate(who)
    ]
    events = follow(Follower(CROSSING), *drivers, seconds=40.0)
    assert max(Counter(line.track for line in lines(events)).values(), default=0) <= 1
    assert max(Counter(passage.track for passage in passages(events)).values(), default=0) <= 1
    assert {passage.track for passage in passages(events)} == {line.track for line in lines(events)}


@slow
@given(ways, stages, st.integers(1, 999))
def test_whoever_comes_down_a_lane_is_counted_there_exactly_once(ends: tuple, parts: list, seed: int) -> None:
    follower = Follower(CROSSING)
    who = driver(1, way(CROSSING, *ends), [*parts, (10.0, 90.0)])
    events = follow(follower, noisy(who, seed), seconds=90.0)
    (line,), (passage,) = lines(events), passages(events)
    assert (line.lane, passage.lane, passage.to_lane) == (ends[0], *ends)
    assert line.sure
    assert passage.line_s == line.at_s
    assert passage.conflict_in_s is None or passage.conflict_in_s >= line.at_s
    assert follower.traces == {}


@slow
@given(ways, stages, st.integers(1, 999))
def test_a_track_that_is_lost_and_found_is_still_one_user(ends: tuple, parts: list, seed: int) -> None:
    who = driver(1, way(CROSSING, *ends), [*parts, (10.0, 90.0)])
    events = follow(Follower(CROSSING), noisy(who, seed, gaps=0.03, renumbered=True), seconds=90.0)
    assert len(lines(events)) <= 1
    assert len(passages(events)) <= 1
    assert {line.lane for line in lines(events)} <= {ends[0]}


@slow
@given(
    st.lists(st.tuples(st.floats(-90, 90), st.floats(-90, 90), st.sampled_from(list(UserClass))), max_size=60)
)
def test_nonsense_is_survived_and_forgotten(points: list) -> None:
    follower = Follower(CROSSING)

    def at(t: float) -> Iterable[RoadUser]:
        place = round(t * 10)
        if place >= len(points):
            return []
        x, y, kind = points[place]
        body = 4.5, 1.8, 1.5, 0.3
        return [RoadUser(1, kind, x, y, 3.0, -3.0, 4.2, None, *body, ("camera",), 0.0)]

    events = follow(follower, at, seconds=6.0)
    assert len(passages(events)) == len(lines(events))
    assert follower.traces == {}
