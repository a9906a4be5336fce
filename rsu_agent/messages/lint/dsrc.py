"""Rules of ETSI TS 103 301 and of CTI 4501 (facts/messages.md 7.1), both on the MAP of ISO/TS 19091."""

from __future__ import annotations

from collections.abc import Iterator

from rsu_agent.messages.dsrc.map import MOST_APPROACHES
from rsu_agent.messages.dsrc.spat import HIGHEST_GROUP
from rsu_agent.messages.lint.finding import CENTRE, Fault, Subject, end_of, named
from rsu_agent.messages.waiting import FIRST_WAITING_LANE

SURVEY_M = 0.2  # recalled of CTI 4501: nodes and lanes within about 0.2 m
WIDTH_REACH_M = 5.11  # what a node can add to the common lane width


def groups(subject: Subject) -> Iterator[Fault]:
    """SignalGroupID is 1 to 254: 0 is unknown, 255 a permanent green."""
    for lane in subject.entries:
        for way in lane.connections:
            if way.group is not None and not 0 < way.group <= HIGHEST_GROUP:
                yield Fault(named(lane), end_of(lane), f"lamp group {way.group} has no SignalGroupID")
    for walk in subject.crossing.crosswalks:
        if not 0 < walk.group <= HIGHEST_GROUP:
            yield Fault(f"crosswalk {walk.crosswalk}", walk.axis[0], f"lamp group {walk.group} has none")


def lane_numbers(subject: Subject) -> Iterator[Fault]:
    """Waiting areas and crosswalks are lanes too, numbered from 150 and from 200 on."""
    for lane in subject.crossing.lanes:
        if lane.lane >= FIRST_WAITING_LANE:
            text = f"numbers from {FIRST_WAITING_LANE} on are those of waiting areas and crosswalks"
            yield Fault(named(lane), end_of(lane), text)


def approaches(subject: Subject) -> Iterator[Fault]:
    """ApproachID holds fifteen."""
    count = len(subject.crossing.arms)
    if count > MOST_APPROACHES:
        yield Fault("crossing", CENTRE, f"{count} arms, ApproachID holds {MOST_APPROACHES}")


def elevation(subject: Subject) -> Iterator[Fault]:
    """The reference point has a height."""
    if subject.crossing.origin.height_m is None:
        yield Fault("crossing", CENTRE, "the reference point has no height_m")


def ingress(subject: Subject) -> Iterator[Fault]:
    """Every ingress lane says where it leads, with which signal group."""
    for lane in subject.entries:
        if not lane.connections:
            yield Fault(named(lane), end_of(lane), "an ingress lane needs maneuvers and connectsTo")
        for way in lane.connections:
            if way.group is None and not way.uncontrolled:
                yield Fault(named(lane), end_of(lane), f"connectsTo {way.to_lane} needs a signalGroup")


def survey(subject: Subject) -> Iterator[Fault]:
    """The survey is as good as lane-level warnings need."""
    accuracy_m = subject.crossing.accuracy_m
    if accuracy_m > SURVEY_M:
        yield Fault("crossing", CENTRE, f"accuracy_m is {accuracy_m:g}, lanes are wanted within {SURVEY_M} m")


def region(subject: Subject) -> Iterator[Fault]:
    """Version 1 requires a region, the draft of version 2 wants none: ours is always sent."""
    if subject.crossing.region == 0:
        yield Fault("crossing", CENTRE, "region 0 is for tests; CTI 4501 v1 requires an assigned one")


def widths(subject: Subject) -> Iterator[Fault]:
    """A lane's width differs from the common one by no more than a node can say."""
    found = [round(lane.width_m, 2) for lane in subject.crossing.lanes]
    common = max(set(found), key=found.count)
    for lane in subject.crossing.lanes:
        if abs(lane.width_m - common) > WIDTH_REACH_M:
            yield Fault(
                named(lane), end_of(lane), f"{lane.width_m:g} m wide, dWidth reaches {WIDTH_REACH_M} m"
            )
