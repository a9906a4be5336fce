"""T/CSAE 53-2020 (YD/T 3709-2020) as the outlets see it: SPAT, MAP, RSM and RSI of one crossing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial

from rsu_agent.messages.csae53 import codec
from rsu_agent.messages.csae53.map import map_value
from rsu_agent.messages.csae53.phase_table import PhaseTable
from rsu_agent.messages.csae53.rsi import rsi_value
from rsu_agent.messages.csae53.rsm import PtcIds, rsm_values
from rsu_agent.messages.csae53.spat import spat_value, unavailable_value
from rsu_agent.messages.csae53.spat_refresh import SpatRefresh
from rsu_agent.messages.csae53.units import Counts
from rsu_agent.messages.frames import ReadyFrame, Sent
from rsu_agent.messages.moment import Instant
from rsu_agent.world.crossing import Crossing
from rsu_agent.world.hazard import Hazard
from rsu_agent.world.place import GeoPoint
from rsu_agent.world.road_user import RoadUser
from rsu_agent.world.signal import SignalOutlook


class CsaeSpat:
    """frames.SpatFrames; msgCnt rises with every frame. T/CSAE 159: nothing to say ends in silence."""

    kind = "SPAT"
    ends_silent = True

    def __init__(self, table: PhaseTable, identity: tuple[int, int | None], counts: Counts) -> None:
        self._table, self._identity, self._counts = table, identity, counts
        self._refresh = SpatRefresh()
        value = unavailable_value(table, identity)
        self.ready = ReadyFrame.of(
            lambda count: codec.encode(("spatFrame", value | {"msgCnt": count})), every_frame=True
        )

    @property
    def count(self) -> int:
        """msgCnt of the frame given last."""
        return self._counts.last(self.kind)

    def said(
        self,
        outlook: SignalOutlook,
        instant: Instant,
        map_news: Collection[int],
        without_times: frozenset[int],
    ) -> bytes:
        """One frame. Raises Malformed."""
        count = self._counts.next(self.kind)
        value = spat_value(
            outlook,
            self._table,
            self._identity,
            instant.stamp,
            count,
            now_s=instant.now_s,
            map_news=map_news,
            without_times=without_times,
        )
        return self._refresh.encode(("spatFrame", value))

    def unavailable(self) -> bytes:
        """The ready-made frame, counted."""
        return self.ready.counted(self._counts.next(self.kind))


class CsaeMap:
    """frames.MapFrames: encoded once a minute, counted every second."""

    kind = "MAP"

    def __init__(self, crossing: Crossing, table: PhaseTable, counts: Counts) -> None:
        self._crossing, self._table, self._counts = crossing, table, counts
        self._made: tuple[int | None, ReadyFrame] | None = None

    def content(self) -> bytes:
        """The MAP without count and time: what must stay the same for it to be the same MAP."""
        return self._encode(Instant(0.0, None), 0)

    def frames(self, instant: Instant) -> list[bytes]:
        """One frame: a node is never split."""
        minute = None if instant.stamp is None else instant.stamp.minute_of_year
        if self._made is None or self._made[0] != minute:
            self._made = minute, ReadyFrame.of(partial(self._encode, instant))
        return [self._made[1].counted(self._counts.next(self.kind))]

    def _encode(self, instant: Instant, count: int) -> bytes:
        region = self._crossing.region
        value = map_value(self._crossing, self._table, instant.stamp, count, region=region)
        return codec.encode(("mapFrame", value))


class CsaeRoad:
    """frames.RoadFrames: RSM for who moves, RSI for what lasts (field-rules 5.3).

    kinds_of_sensor: sensor name -> "camera" or "radar". codes: event code of each hazard kind that is told.
    """

    def __init__(
        self,
        origin: GeoPoint,
        rsu_id: bytes,
        kinds_of_sensor: Mapping[str, str],
        codes: Mapping[str, int],
        counts: Counts,
    ) -> None:
        self._origin, self._rsu_id, self._kinds = origin, rsu_id, dict(kinds_of_sensor)
        self._codes, self._counts = dict(codes), counts
        self._ids = PtcIds()

    def users(self, users: Sequence[RoadUser], instant: Instant) -> list[Sent]:
        """RSM, the RSU itself in every part; none without a trusted clock."""
        if instant.stamp is None:
            return []
        mark, at_s = instant.stamp.millisecond, instant.now_s
        frames: list[Sent] = []
        for value in rsm_values(users, self._kinds, self._ids, self._origin, self._rsu_id, mark, at_s):
            value["msgCnt"] = self._counts.next("RSM")
            frames.append(("RSM", codec.encode(("rsmFrame", value))))
        return frames

    def hazards(self, active: Sequence[Hazard], instant: Instant) -> list[Sent]:
        """One RSI; its end is that we stop sending it. None without a trusted clock."""
        if instant.stamp is None or not any(hazard.kind in self._codes for hazard in active):
            return []
        count = self._counts.next("RSI")
        value = rsi_value(active, self._codes, self._origin, self._rsu_id, instant.stamp, count)
        return [] if value is None else [("RSI", codec.encode(("rsiFrame", value)))]
