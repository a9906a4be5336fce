"""The road's figures: scenes and lamps in, records of flow, queue and walk out. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rsu_agent.lanes.events import Event, LinePassed, Passage, Walked
from rsu_agent.lanes.follow import Follower
from rsu_agent.outlets.summary_delay import Delays
from rsu_agent.outlets.summary_flow import Flow
from rsu_agent.outlets.summary_moves import Moves
from rsu_agent.outlets.summary_queue import Queues
from rsu_agent.outlets.summary_ways import Walks, Ways
from rsu_agent.world.crossing import Crossing
from rsu_agent.world.road_user import Scene
from rsu_agent.world.signal import Colour, Lamp

Record = dict[str, Any]


class RoadFigures:
    """What passes, waits and walks, by lane and crosswalk."""

    def __init__(self, crossing: Crossing) -> None:
        self._follower = Follower(crossing)
        lanes = [entry.lane for entry in self._follower.ground.entries.values()]
        self._arms = {lane.lane: lane.arm for lane in lanes}
        self._flow = Flow(self._arms)
        self._delays = Delays(lanes)
        self._moves = Moves(lanes)
        self._ways = Ways()
        self._walks = Walks({walk.crosswalk: walk.arm for walk in crossing.crosswalks})
        self._queues = Queues(
            {
                lane.lane: frozenset(way.group for way in lane.connections if way.group is not None)
                for lane in lanes
            }
        )

    def lamps(self, lamps: Iterable[Lamp], at_s: float) -> None:
        """One report of the controller."""
        for lamp in lamps:
            changed = self._follower.log.saw(lamp.group, lamp.colour, at_s)
            if changed and lamp.colour is Colour.GREEN:
                self._queues.green(lamp.group)

    def scene(self, scene: Scene, step_s: float) -> list[Event]:
        """One fusion tick, so long after the one before; what it told, for whoever asks."""
        arms = {arm for sensor in scene.sensors if sensor.healthy for arm in sensor.covers}
        watched = {lane for lane, arm in self._arms.items() if arm in arms}
        events = self._follower.scene(scene)
        present = self._follower.on_lanes()
        self._flow.tick(step_s, watched, present)
        self._queues.tick(step_s, watched, present)
        self._walks.tick(step_s, arms)
        for event in events:
            match event:
                case LinePassed():
                    self._flow.passed(event)
                    self._delays.passed(event)
                    self._moves.passed(event)
                case Passage():
                    self._ways.gone(event)
                    self._moves.gone(event)
                case Walked():
                    self._walks.walked(event)
        return events

    def minute(self, start_utc_us: int) -> list[Record]:
        """The minute that began then is over."""
        delays = self._delays.close()
        records = [
            {"k": "flow", "t": start_utc_us, "ln": lane, **fields, **delays[lane], **self._ways.close(lane)}
            for lane, fields in self._flow.close().items()
        ]
        return records + self._moves.close(start_utc_us) + self._walks.close(start_utc_us)

    def interval(self, start_utc_us: int, seconds: float) -> list[Record]:
        """The queue interval that began then is over."""
        return self._queues.close(start_utc_us, seconds)
