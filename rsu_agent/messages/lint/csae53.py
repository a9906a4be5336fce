"""Rules of T/CSAE 53-2020 and of the receivers that are in the field (field-rules 2.6, 5.5, 5.6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rsu_agent.messages.csae53.map import CHORD_M, LIMITS, links_of
from rsu_agent.messages.lint.finding import CENTRE, Fault, Subject, end_of, named
from rsu_agent.messages.thin import thinned

FEWEST_POINTS = 2


def node_ids(subject: Subject) -> Iterator[Fault]:
    """A link is known by the node it comes from: each arm has one of its own, and it is not this one."""
    crossing = subject.crossing
    counts = Counter(arm.upstream_node for arm in crossing.arms)
    for arm in crossing.arms:
        if arm.upstream_node == crossing.node:
            yield Fault(
                f"arm {arm.arm}", CENTRE, f"comes from node {arm.upstream_node}, which is this crossing"
            )
        elif counts[arm.upstream_node] > 1:
            yield Fault(f"arm {arm.arm}", CENTRE, f"comes from node {arm.upstream_node}, as another arm does")


def test_ids(subject: Subject) -> Iterator[Fault]:
    """Nodes 0 to 255 and region 0 are for tests."""
    crossing = subject.crossing
    if crossing.node <= 255 or crossing.region == 0:
        yield Fault("crossing", CENTRE, f"node {crossing.node} region {crossing.region} are for tests only")


def links(subject: Subject) -> Iterator[Fault]:
    """Links of the node, and lanes and movements of each link, are no more than receivers hold."""
    found = links_of(subject.crossing)
    if len(found) > LIMITS["links"]:
        yield Fault("crossing", CENTRE, f"{len(found)} arms that come in, receivers hold {LIMITS['links']}")
    for arm, (lanes, movements) in found.items():
        for what, count in (("lanes", lanes), ("movements", movements)):
            if count > LIMITS[what]:
                yield Fault(f"arm {arm}", CENTRE, f"{count} {what}, receivers hold {LIMITS[what]}")


def points(subject: Subject) -> Iterator[Fault]:
    """A lane thinned to 0.1 m has no more points than receivers hold."""
    for lane in subject.entries:
        kept = thinned(lane.points, CHORD_M)
        if not FEWEST_POINTS <= len(kept) <= LIMITS["points"]:
            text = f"{len(kept)} points after thinning to {CHORD_M} m, receivers hold {LIMITS['points']}"
            yield Fault(named(lane), end_of(lane), text)


def phases(subject: Subject) -> Iterator[Fault]:
    """Every signalled way and walk has a phase (16 at most, told when the table is made)."""
    if subject.table is None:
        return
    for lane in subject.entries:
        for way in lane.connections:
            if way.group is not None and not way.uncontrolled and subject.table.phase_of(way.group) is None:
                yield Fault(
                    named(lane), end_of(lane), f"lamp group {way.group} has no phaseId in the site file"
                )
    for walk in subject.crossing.crosswalks:
        if subject.table.phase_of(walk.group) is None:
            where = f"crosswalk {walk.crosswalk}"
            yield Fault(where, walk.axis[0], f"lamp group {walk.group} has no phaseId in the site file")
