"""A signal that changes before a camera whose pictures are late by a planted time: reports and views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hil.paint.scene import Look, paint
from rsu_agent.perception.lamps import HeadBox, LampReader
from rsu_agent.ports.assets import asset
from rsu_agent.settings.read import read_site
from rsu_agent.world.signal import Colour, Lamp, SignalReport
from rsu_agent.world.witness import HeadSeen, HeadsSeen
from tests.perception.road_pictures import CROSSING, VIEW, coded, ground

CAMERA = "south-west"
GROUPS = (3, 7, 11)
CYCLE = ((Colour.RED, 3.0), (Colour.GREEN, 2.5), (Colour.YELLOW, 2.0))


@dataclass(frozen=True)
class Signal:
    """stretch: how much slower its clock runs than ours; reports come so often, the first at phase_s."""

    stretch: float = 1.0037
    report_s: float = 0.1
    phase_s: float = 0.031

    def colour(self, at_s: float) -> Colour:
        left_s = at_s / self.stretch % sum(seconds for _, seconds in CYCLE)
        for colour, seconds in CYCLE:
            if left_s < seconds:
                return colour
            left_s -= seconds
        return CYCLE[-1][0]

    def reports(self, seconds: float) -> list[SignalReport]:
        times = self.phase_s + self.report_s * np.arange(round(seconds / self.report_s))
        return [
            SignalReport(at, at + 0.004, tuple(Lamp(group, self.colour(at)) for group in GROUPS), True)
            for at in times.tolist()
        ]


def exposures(seconds: float, frame_s: float, jitter_s: float, seed: int) -> list[tuple[float, float]]:
    """(exposed, jitter of its arrival), in order."""
    dice = np.random.default_rng(seed)
    times = dice.uniform(0, frame_s) + frame_s * np.arange(round(seconds / frame_s))
    return list(zip(times.tolist(), np.abs(dice.normal(0, jitter_s, len(times))).tolist(), strict=True))


def told_views(
    signal: Signal,
    seconds: float,
    late_s: float,
    frame_s: float = 0.1003,
    jitter_s: float = 0.0,
    seed: int = 1,
) -> list[HeadsSeen]:
    """What a reader that is never wrong says of every picture; a colour is sure with the second one."""
    views: list[HeadsSeen] = []
    since: dict[Colour, float] = {}
    sure, before = Colour.UNKNOWN, Colour.UNKNOWN
    for exposed_s, jitter in exposures(seconds, frame_s, jitter_s, seed):
        at_s, colour = exposed_s + late_s + jitter, signal.colour(exposed_s)
        if colour is not before:
            since[colour] = at_s
        elif sure is not colour:
            sure = colour
        before = colour
        heads = tuple(HeadSeen(group, sure, since.get(sure), at_s) for group in GROUPS)
        views.append(HeadsSeen(CAMERA, at_s, heads))
    return views


def painted_views(signal: Signal, seconds: float, late_s: float, frame_s: float = 0.1003) -> list[HeadsSeen]:
    """The same read from rendered pictures by the product's own reader, the site's boxes around the heads."""
    section = read_site(asset("config/virtual.yaml")).settings.cameras[0]
    boxes = [HeadBox.of(head.group, head.box, head.layout) for head in section.heads if head.group in GROUPS]
    reader, views = LampReader(CAMERA, boxes), []
    for number, (exposed_s, _) in enumerate(exposures(seconds, frame_s, 0.0, 3)):
        lamps = dict.fromkeys(GROUPS, signal.colour(exposed_s).value)
        image: Any = paint(VIEW, ground(), [], CROSSING.heads, lamps, Look(seed=number + 1), exposed_s)
        views.append(reader.saw(coded(image), exposed_s + late_s))
    return views
