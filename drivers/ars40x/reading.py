"""From a cycle to a frame of the port: units, sides, codes and epochs."""

from __future__ import annotations

import math
from collections import Counter

from drivers.ars40x.codes import (
    BEGUN,
    DIALECTS,
    DISPUTED_KIND,
    EXISTS,
    GONE,
    KINDS,
    KINDS_OF_BITS,
    PREDICTED,
    UNAMBIGUOUS,
    sd_m,
)
from drivers.ars40x.epochs import Epochs
from drivers.ars40x.link import Cycle, Member
from drivers.ars40x.settings import Settings
from drivers.ars40x.wire import (
    OBJECT_STATUS,
    ClusterGeneral,
    ClusterQuality,
    ObjectExtended,
    ObjectGeneral,
    ObjectQuality,
)
from rsu_agent.ports.devices import RadarFrame, RadarPoint, RadarTarget
from rsu_agent.world.road_user import UserClass


class Reader:
    """Cycles in, frames out; it remembers who had which number."""

    def __init__(self, settings: Settings, now_s: float, counters: Counter[str]) -> None:
        side = settings.positive_side
        left = DIALECTS[settings.dialect].side_left if side == "usual" else side == "left"
        self._left = 1.0 if left else -1.0
        self._latency_s = settings.latency_ms / 1000
        self._kinds = dict(KINDS)
        if settings.class_3 == "pedestrian":
            self._kinds[DISPUTED_KIND] = UserClass.PEDESTRIAN
        self._kinds_of_bits = KINDS_OF_BITS.get(settings.model, {}) if settings.dialect == "nanoradar" else {}
        self._epochs = Epochs(now_s)
        self.counters = counters

    def frame(self, cycle: Cycle, missed: int) -> RadarFrame:
        """Targets of a cycle of objects, points of one of clusters."""
        measured_s = cycle.begun_s - self._latency_s
        if cycle.status != OBJECT_STATUS:
            points = tuple(self._point(member.general, member.quality) for member in cycle.members)
            return RadarFrame(cycle.number, measured_s, points, missed=missed)
        found = (self._target(member, cycle.begun_s) for member in cycle.members)
        targets = tuple(target for target in found if target is not None)
        if cycle.whole:
            self._epochs.end_unseen(cycle.begun_s)
        return RadarFrame(cycle.number, measured_s, (), targets, missed)

    def _target(self, member: Member, now_s: float) -> RadarTarget | None:
        """None for one that the radar has just deleted."""
        own, quality, extended = member.general, member.quality, member.extended
        state = quality.measured if isinstance(quality, ObjectQuality) else None
        if state in GONE:
            self.counters["deleted"] += 1
            self._epochs.end(own.number)
            return None
        y_m, vy_mps = self._left * own.side_m, self._left * own.side_mps
        place = own.forward_m, y_m, own.forward_mps, vy_mps
        epoch = self._epochs.epoch(own.number, now_s, place, begun=state in BEGUN)
        told = quality if isinstance(quality, ObjectQuality) else None
        return RadarTarget(
            own.number,
            *place,
            epoch,
            measured=state != PREDICTED,
            exists=EXISTS.get(told.exists) if told else None,
            kind=self._kind(own, extended),
            length_m=(extended.length_m or None) if extended else None,
            width_m=(extended.width_m or None) if extended else None,
            x_sd_m=sd_m(told.forward_sd) if told else None,
            y_sd_m=sd_m(told.side_sd) if told else None,
        )

    def _kind(self, own: ObjectGeneral | ClusterGeneral, extended: ObjectExtended | None) -> UserClass | None:
        if extended is not None:
            self.counters["class_3"] += extended.kind == DISPUTED_KIND
            return self._kinds.get(extended.kind)
        return self._kinds_of_bits.get(own.bits_6_43) if isinstance(own, ObjectGeneral) else None

    def _point(self, own: ObjectGeneral | ClusterGeneral, quality: object) -> RadarPoint:
        """The doppler is the velocity along the ray."""
        if isinstance(quality, ClusterQuality):
            self.counters["ambiguous"] += quality.ambiguity != UNAMBIGUOUS
            self.counters["invalid"] += quality.invalid != 0
        x_m, y_m = own.forward_m, self._left * own.side_m
        away_m = math.hypot(x_m, y_m)
        along = x_m * own.forward_mps + y_m * self._left * own.side_mps
        return RadarPoint(x_m, y_m, 0.0, along / away_m if away_m else own.forward_mps)
