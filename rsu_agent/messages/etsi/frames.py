"""ETSI as the outlets see it: SPATEM, MAPEM and DENM of one crossing (TS 103 301, EN 302 637-3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rsu_agent.messages.dsrc.layered import LayeredMap
from rsu_agent.messages.dsrc.spat import Right, spat_value, unavailable_value
from rsu_agent.messages.etsi.denm import CAUSES, denm_value
from rsu_agent.messages.etsi.pdu import encode, header
from rsu_agent.messages.frames import ReadyFrame, Sent
from rsu_agent.messages.moment import Instant
from rsu_agent.world.crossing import Crossing
from rsu_agent.world.hazard import Hazard
from rsu_agent.world.place import GeoPoint
from rsu_agent.world.road_user import RoadUser
from rsu_agent.world.signal import SignalOutlook

CANCEL_S = 3.0  # so long is the end of a hazard told again, for those who missed it
MOVED_M = 1.0  # a hazard that moved so far is told anew, else its last DENM is repeated
MAPEM_BYTES = 1300  # of a MapData: with PDU, BTP and GeoNetworking headers and a certificate it fits 1,500


class EtsiSpat:
    """frames.SpatFrames: the revision is that of the MAPEM it belongs to (C-Roads, field-rules 5.4)."""

    kind = "SPATEM"
    ends_silent = False
    count = 0  # a SPATEM has none

    def __init__(
        self, rights: Mapping[int, Right], identity: tuple[int, int | None], revision: int, station: int
    ) -> None:
        self._rights, self._identity = dict(rights), identity
        self._revision, self._station = revision, station
        self.ready = ReadyFrame(self._frame(unavailable_value(rights, identity, revision)))

    def said(
        self,
        outlook: SignalOutlook,
        instant: Instant,
        map_news: Collection[int],
        without_times: frozenset[int],
    ) -> bytes:
        """One PDU. Raises Malformed."""
        value = spat_value(
            outlook,
            self._rights,
            self._identity,
            self._revision,
            instant,
            map_news=map_news,
            without_times=without_times,
        )
        return self._frame(value)

    def unavailable(self) -> bytes:
        """The ready-made PDU."""
        return self.ready.frame

    def _frame(self, spat: dict[str, Any]) -> bytes:
        return encode((self.kind, {"header": header(self.kind, self._station), "spat": spat}))


def etsi_map(crossing: Crossing, revision: int, station: int) -> LayeredMap:
    """frames.MapFrames of MAPEM."""

    def wrap(value: dict[str, Any]) -> bytes:
        return encode(("MAPEM", {"header": header("MAPEM", station), "map": value}))

    return LayeredMap("MAPEM", crossing, revision, MAPEM_BYTES, wrap)


@dataclass(slots=True)
class _Told:
    """A hazard that vehicles know of: as it was told last, and the frame; over_s: since when it is over."""

    hazard: Hazard
    detected_utc_s: float
    frame: bytes
    over_s: float | None = None


class EtsiRoad:
    """frames.RoadFrames: a DENM a hazard, repeated while it lasts, cancelled when it is over.

    Who moves would be told in a CPM, which is left out (facts/messages.md 2.2): road users give nothing.
    """

    def __init__(self, origin: GeoPoint, station: int) -> None:
        self._origin, self._station = origin, station
        self._told: dict[int, _Told] = {}

    def users(self, _users: Sequence[RoadUser], _instant: Instant) -> list[Sent]:
        """None: see the class."""
        return []

    def hazards(self, active: Sequence[Hazard], instant: Instant) -> list[Sent]:
        """What is new or lasts, and what is over; nothing without a trusted clock."""
        if instant.utc_s is None:
            return []
        lasting = {hazard.number: hazard for hazard in active if hazard.kind in CAUSES}
        for number, hazard in lasting.items():
            self._tell(number, hazard, instant, instant.utc_s)
        for number in self._told.keys() - lasting.keys():
            self._end(number, instant, instant.utc_s)
        return [("DENM", told.frame) for told in self._told.values()]

    def _tell(self, number: int, hazard: Hazard, instant: Instant, utc_s: float) -> None:
        told = self._told.get(number)
        if told is not None and _apart_m(told.hazard, hazard) < MOVED_M:
            return
        detected_utc_s = told.detected_utc_s if told else utc_s - (instant.now_s - hazard.onset_s)
        frame = self._frame(hazard, detected_utc_s, utc_s, over=False)
        self._told[number] = _Told(hazard, detected_utc_s, frame)

    def _end(self, number: int, instant: Instant, utc_s: float) -> None:
        told = self._told[number]
        if told.over_s is None:
            told.over_s = instant.now_s
            told.frame = self._frame(told.hazard, told.detected_utc_s, utc_s, over=True)
        elif instant.now_s - told.over_s > CANCEL_S:
            del self._told[number]

    def _frame(self, hazard: Hazard, detected_utc_s: float, utc_s: float, *, over: bool) -> bytes:
        value = denm_value(hazard, self._station, self._origin, detected_utc_s, utc_s, over=over)
        return encode(("DENM", value))


def _apart_m(one: Hazard, other: Hazard) -> float:
    return abs(one.x_east_m - other.x_east_m) + abs(one.y_north_m - other.y_north_m)
