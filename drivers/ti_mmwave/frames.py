"""From a raw frame to a radar frame: points with their side information, targets with their epochs."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from itertools import zip_longest
from typing import Literal

from drivers.ti_mmwave.doppler import DopplerWatch
from drivers.ti_mmwave.link import RawFrame
from drivers.ti_mmwave.numbering import Numbered
from drivers.ti_mmwave.targets import HIGHEST, read_targets
from drivers.ti_mmwave.tlvs import COMPARED, PARTS, Role, Rows, side_information
from rsu_agent.ports.devices import RadarFrame, RadarPoint, RadarTarget
from rsu_agent.ports.target_epochs import TargetEpochs


class FrameReader:
    """Sans-IO; remembers one frame, because the target index speaks of the frame before.

    lateral_sign: 1 as TI draws its axes, -1 for a unit whose left and right come out changed.
    target_bytes: size of a target (see `targets.LAYOUTS`). doppler_limit_mps: None when not known.
    """

    def __init__(
        self,
        counters: Counter[str],
        target_bytes: int = 112,
        lateral_sign: Literal[1, -1] = 1,
        doppler_limit_mps: float | None = None,
    ) -> None:
        self._counters, self._target_bytes, self._lateral = counters, target_bytes, lateral_sign
        self._doppler = DopplerWatch(doppler_limit_mps, counters)
        self._epochs = TargetEpochs()
        self._first = self._highest = 0  # epochs: of a number since the radar began, of any so far
        self._before: Rows | None = None  # the points of the frame before, None: it was lost

    def read(self, raw: RawFrame, numbered: Numbered, measured_s: float) -> RadarFrame:
        """Never raises: what cannot be read is counted and left out."""
        if numbered.anew:
            self._epochs, self._first = TargetEpochs(), self._highest + 1
        parts = self._parts(raw)
        moving = self._rows(parts.get(Role.POINTS), parts.get(Role.SIDE), raw)
        still = self._rows(parts.get(Role.STILL), parts.get(Role.SIDE_STILL), raw)
        lost = numbered.missed > 0 or numbered.anew
        returns = None if lost else self._returns(parts.get(Role.INDEX))
        targets = self._targets(parts.get(Role.TARGETS), returns, measured_s)
        self._before = moving
        points = tuple(point for point in (*moving, *still) if point is not None)
        self._doppler.points(points)
        return RadarFrame(raw.number, measured_s, points, targets, numbered.missed)

    def _parts(self, raw: RawFrame) -> dict[Role, tuple[int, bytes]]:
        """What concerns us, by what it is for, the first of a kind; the rest is counted by its name."""
        found: dict[Role, tuple[int, bytes]] = {}
        for tlv in raw.tlvs:
            part = PARTS[raw.variant.name].get(tlv.type)
            if part is None:
                self._counters["other_tlvs"] += 1
            elif not part.fits(len(tlv.data), self._target_bytes):
                self._counters["bad_tlv_length"] += 1
            elif part.role is Role.PASSED_OVER:
                self._counters[f"skipped_{part.name}"] += 1
            elif part.role in found:
                self._counters["doubled_tlvs"] += 1
            else:
                found[part.role] = tlv.type, tlv.data
        return found

    def _rows(self, part: tuple[int, bytes] | None, side: tuple[int, bytes] | None, raw: RawFrame) -> Rows:
        """One row a point told; rows that cannot be are None."""
        if part is None:
            return []
        kind, data = part
        read = PARTS[raw.variant.name][kind].read
        rows = read(data) if read is not None and data else []
        self._counters["bad_points"] += rows.count(None)
        if (raw.variant.name, kind) in COMPARED and raw.header.counted != len(rows):
            self._counters["count_lies"] += 1
        if side is not None and len(side[1]) != 4 * len(rows):
            self._counters["side_lies"] += 1
            side = None
        snrs = side_information(side[1]) if side is not None else []
        return [row and self._placed(row, snr) for row, snr in zip_longest(rows, snrs)]

    def _placed(self, point: RadarPoint, snr_db: float | None) -> RadarPoint:
        if snr_db is None and self._lateral == 1:
            return point
        snr_db = point.snr_db if snr_db is None else snr_db
        return replace(point, y_left_m=self._lateral * point.y_left_m, snr_db=snr_db)

    def _returns(self, part: tuple[int, bytes] | None) -> dict[int, list[RadarPoint]] | None:
        """By target number the points of the frame before; None where nobody tells."""
        if part is None or self._before is None:
            return None
        if len(part[1]) != len(self._before):
            self._counters["index_lies"] += 1
            return None
        returns: dict[int, list[RadarPoint]] = defaultdict(list)
        for target, point in zip(part[1], self._before, strict=True):
            if target <= HIGHEST and point is not None:
                returns[target].append(point)
        return returns

    def _targets(
        self,
        part: tuple[int, bytes] | None,
        returns: dict[int, list[RadarPoint]] | None,
        measured_s: float,
    ) -> tuple[RadarTarget, ...]:
        """Targets with epochs; one without points is only carried on by the radar."""
        data = b"" if part is None else part[1]
        rows = read_targets(data, self._target_bytes, self._counters)
        targets = [self._known(target, measured_s) for target in rows]
        if returns is not None:
            targets = [replace(target, measured=target.target in returns) for target in targets]
            self._doppler.tracked(targets, returns, measured_s)
        return tuple(targets)

    def _known(self, target: RadarTarget, measured_s: float) -> RadarTarget:
        """With its epoch, and on its own side."""
        left_m, vy_left_mps = self._lateral * target.y_left_m, self._lateral * target.vy_left_mps
        place_m, v_mps = (target.x_forward_m, left_m), (target.vx_forward_mps, vy_left_mps)
        epoch = self._first + self._epochs.epoch(target.target, place_m, v_mps, measured_s)
        self._highest = max(self._highest, epoch)
        return replace(target, y_left_m=left_m, vy_left_mps=vy_left_mps, epoch=epoch)
