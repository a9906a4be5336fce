"""`rsu map check`'s rules: a good crossing passes, and each rule catches the crossing made for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from hil.bench.crossing import site
from rsu_agent.messages.csae53.phase_table import PhaseTable
from rsu_agent.messages.lint.finding import Severity, Subject
from rsu_agent.messages.lint.rules import RULES, findings
from rsu_agent.settings.speech import speech
from rsu_agent.world.crossing import Crossing, Lane, LaneRole, Turn
from rsu_agent.world.place import GeoPoint, LocalFrame


def subject() -> Subject:
    said = speech(site().settings, site().crossing)
    return Subject(site().crossing, said.table)


def with_lane(crossing: Crossing, number: int, change: Callable[[Lane], Lane]) -> Crossing:
    lanes = tuple(change(lane) if lane.lane == number else lane for lane in crossing.lanes)
    return replace(crossing, lanes=lanes)


def moved(lane: Lane, dx: float, dy: float) -> Lane:
    return replace(lane, points=tuple((x + dx, y + dy) for x, y in lane.points))


def turned(lane: Lane, turn: Turn) -> Lane:
    return replace(lane, connections=(replace(lane.connections[0], turn=turn), *lane.connections[1:]))


def regroup(lane: Lane, group: int | None) -> Lane:
    return replace(lane, connections=tuple(replace(way, group=group) for way in lane.connections))


def mirrored(crossing: Crossing) -> Crossing:
    def flip(points: tuple) -> tuple:
        return tuple((-x, y) for x, y in points)

    lanes = tuple(
        replace(
            lane,
            points=flip(lane.points),
            connections=tuple(replace(way, path=flip(way.path)) for way in lane.connections),
        )
        for lane in crossing.lanes
    )
    arms = tuple(replace(arm, bearing_deg=-arm.bearing_deg % 360.0) for arm in crossing.arms)
    return replace(crossing, lanes=lanes, arms=arms)


def zigzag(lane: Lane) -> Lane:
    return replace(lane, points=tuple((lane.points[0][0] + n % 2, 100.0 - 2 * n) for n in range(40)))


def other_arm(crossing: Crossing) -> Crossing:
    first, *rest = crossing.arms
    return replace(crossing, arms=(replace(first, upstream_node=crossing.node), *rest))


def many_arms(crossing: Crossing) -> Crossing:
    arms = tuple(replace(crossing.arms[0], arm=f"a{n}", upstream_node=200 + n) for n in range(16))
    return replace(crossing, arms=(*crossing.arms, *arms))


CROWD = 20
MUTANTS: dict[str, Callable[[Crossing], Crossing]] = {
    "direction": lambda c: with_lane(c, 1, lambda lane: replace(lane, points=lane.points[::-1])),
    "arm": lambda c: replace(
        c, arms=tuple(replace(a, bearing_deg=(a.bearing_deg + 90) % 360) for a in c.arms)
    ),
    "side": mirrored,
    "turn": lambda c: with_lane(c, 1, lambda lane: turned(lane, Turn.RIGHT)),
    "join": lambda c: with_lane(c, 1, lambda lane: moved(lane, 0.0, 3.0)),
    "overlap": lambda c: replace(c, lanes=(*c.lanes, replace(moved(c.lanes[0], 0.5, 0.0), lane=99))),
    "dead-end": lambda c: with_lane(c, 2, lambda lane: replace(lane, connections=())),
    "unsignalled": lambda c: with_lane(c, 2, lambda lane: regroup(lane, None)),
    "stop-line": lambda c: with_lane(c, 2, lambda lane: replace(lane, points=((2.0, 200.0), (2.0, 90.0)))),
    "length": lambda c: with_lane(c, 2, lambda lane: replace(lane, points=((0.0, 40.0), lane.points[-1]))),
    "same-point": lambda c: with_lane(
        c, 2, lambda lane: replace(lane, points=(lane.points[0], *lane.points))
    ),
    "speed": lambda c: with_lane(c, 2, lambda lane: replace(lane, speed_limit_mps=60.0)),
    "node-id": other_arm,
    "phase": lambda c: with_lane(c, 2, lambda lane: regroup(lane, 77)),
    "test-id": lambda c: replace(c, region=0),
    "limits": lambda c: replace(
        c, lanes=(*c.lanes, *(replace(moved(c.lanes[0], 4.0 * n, 0.0), lane=100 + n) for n in range(CROWD)))
    ),
    "points": lambda c: with_lane(c, 2, zigzag),
    "signal-group": lambda c: with_lane(c, 2, lambda lane: regroup(lane, 255)),
    "lane-number": lambda c: with_lane(c, 2, lambda lane: replace(lane, lane=201)),
    "approach": many_arms,
    "width": lambda c: with_lane(c, 2, lambda lane: replace(lane, width_m=11.0)),
    "elevation": lambda c: replace(c, origin=replace(c.origin, height_m=None)),
    "ingress": lambda c: with_lane(c, 2, lambda lane: replace(lane, connections=())),
    "accuracy": lambda c: replace(c, accuracy_m=1.0),
    "region": lambda c: replace(c, region=0),
    "datum": lambda c: replace(c, datum="cgcs2000@2000.0"),
}
BY_THE_POLE = {"pole"}


def test_the_virtual_crossing_has_no_error_and_no_gap() -> None:
    assert {finding.severity for finding in findings(subject())} <= {Severity.HINT}


def test_every_rule_has_a_crossing_that_breaks_it() -> None:
    assert MUTANTS.keys() | BY_THE_POLE == {rule.name for rule in RULES}


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_a_rule_finds_the_crossing_made_for_it_and_says_where(name: str) -> None:
    broken = MUTANTS[name](site().crossing)
    found = [finding for finding in findings(replace(subject(), crossing=broken)) if finding.rule == name]
    assert found
    rule = next(rule for rule in RULES if rule.name == name)
    for finding in found:
        assert (finding.source, finding.severity) == (rule.source, rule.severity)
        assert abs(finding.at.lat_deg - 22.69) < 0.01
        assert finding.feature
        assert finding.text


@pytest.mark.parametrize(
    ("apart_m", "words"),
    [(0.1, None), (0.9, "an epoch"), (550.0, "GCJ-02"), (20.0, "neither")],
)
def test_a_pole_off_its_gnss_mean_is_named_by_how_far(apart_m: float, words: str | None) -> None:
    pole = GeoPoint(22.6902, 114.3401)
    gnss = LocalFrame(pole).to_geo(apart_m * 0.6, apart_m * 0.8)
    told = [f.text for f in findings(replace(subject(), pole=pole, gnss=gnss)) if f.rule == "pole"]
    assert [words in text for text in told] == ([] if words is None else [True])
    assert not any(f.rule == "datum" for f in findings(replace(subject(), pole=pole, gnss=gnss)))


def test_without_the_sites_phases_the_other_rules_are_applied() -> None:
    bare = replace(subject(), table=None)
    assert not any(finding.rule == "phase" for finding in findings(bare))
    assert findings(replace(subject(), table=PhaseTable({1: [1]}))), "and with a wrong table it is told"


def test_entries_are_the_lanes_that_lead_in() -> None:
    assert {lane.role for lane in subject().entries} == {LaneRole.ENTRY}
