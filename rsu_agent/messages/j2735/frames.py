"""SAE J2735 as the outlets see it: SPAT and MAP of one crossing in MessageFrames."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from rsu_agent.messages.dsrc.layered import LayeredMap
from rsu_agent.messages.dsrc.spat import Right, spat_value, unavailable_value
from rsu_agent.messages.dsrc.units import Edition
from rsu_agent.messages.frames import ReadyFrame, Sent
from rsu_agent.messages.j2735.frame import encode
from rsu_agent.messages.moment import Instant
from rsu_agent.world.crossing import Crossing
from rsu_agent.world.hazard import Hazard
from rsu_agent.world.road_user import RoadUser
from rsu_agent.world.signal import SignalOutlook

MAP_BYTES = 1300  # of a MapData: with its frame and an IEEE 1609.2 signature it fits a WAVE short message
REVISIONS = 128


class J2735Spat:
    """frames.SpatFrames: the revision rises when anything but the time stamps changes (field-rules 5.4)."""

    kind = "SPAT"
    ends_silent = False

    def __init__(
        self, rights: Mapping[int, Right], identity: tuple[int, int | None], edition: Edition
    ) -> None:
        self._rights, self._identity, self._edition = dict(rights), identity, edition
        self.ready = ReadyFrame.of(lambda count: self._encode(unavailable_value(rights, identity, count)))
        self._revision = REVISIONS - 1
        self._content: tuple[Any, ...] | None = None

    @property
    def count(self) -> int:
        """The revision in the frame given last."""
        return self._revision

    def said(
        self,
        outlook: SignalOutlook,
        instant: Instant,
        map_news: Collection[int],
        without_times: frozenset[int],
    ) -> bytes:
        """One MessageFrame. Raises Malformed."""
        value = spat_value(
            outlook,
            self._rights,
            self._identity,
            0,
            instant,
            edition=self._edition,
            map_news=map_news,
            without_times=without_times,
        )
        state = value["intersections"][0]
        state["revision"] = self._revision_of((state["status"], state["states"]))
        return self._encode(value)

    def unavailable(self) -> bytes:
        """The ready-made frame with the revision that it has now."""
        return self.ready.counted(self._revision_of(()))

    def _revision_of(self, content: tuple[Any, ...]) -> int:
        if content != self._content:
            self._content, self._revision = content, (self._revision + 1) % REVISIONS
        return self._revision

    def _encode(self, value: dict[str, Any]) -> bytes:
        return encode(("SPAT", value), self._edition)


def j2735_map(crossing: Crossing, revision: int, edition: Edition) -> LayeredMap:
    """frames.MapFrames of MAP."""

    def wrap(value: dict[str, Any]) -> bytes:
        return encode(("MapData", value), edition)

    return LayeredMap("MAP", crossing, revision, MAP_BYTES, wrap)


class J2735Road:
    """frames.RoadFrames: none, for BSM, PSM, SDSM and TIM need SAE's own licensed text."""

    def users(self, _users: Sequence[RoadUser], _instant: Instant) -> list[Sent]:
        """None: see the class."""
        return []

    def hazards(self, _active: Sequence[Hazard], _instant: Instant) -> list[Sent]:
        """None: see the class."""
        return []
