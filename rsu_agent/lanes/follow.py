"""Every road user from its lane to its exit: scenes in, lines passed, ways gone and crosswalks walked out."""

from __future__ import annotations

from collections.abc import Iterator

from rsu_agent.lanes.approach import approach
from rsu_agent.lanes.events import Event
from rsu_agent.lanes.ground import Ground
from rsu_agent.lanes.jump import jumped
from rsu_agent.lanes.lights import LightLog
from rsu_agent.lanes.match import front
from rsu_agent.lanes.stitch import FORGET_S, again, twin
from rsu_agent.lanes.through import leave, lost, through
from rsu_agent.lanes.trace import OnLane, Trace
from rsu_agent.lanes.walking import walked, walking
from rsu_agent.world.crossing import Crossing
from rsu_agent.world.road_user import RoadUser, Scene

OTHER_BODY_M = 5.0  # a track that moves so much farther than it drives is somebody else from now on


class Follower:
    """One crossing's road users. `log` is fed with the lamps by whoever hears them."""

    def __init__(self, crossing: Crossing) -> None:
        self.ground, self.log = Ground(crossing), LightLog()
        self.traces: dict[int, Trace] = {}
        self._newest_s: float | None = None

    def scene(self, scene: Scene) -> list[Event]:
        """One fusion tick; a scene older than the newest tells nothing."""
        if self._newest_s is not None and scene.at_s <= self._newest_s:
            return []
        self._newest_s = scene.at_s
        events: list[Event] = []
        users = {user.track: user for user in scene.users}  # two entries with one number are one user
        for user in users.values():
            trace = self._trace(user, users, scene.at_s, events)
            events += self._fix(trace, user, scene.at_s)
        for number, trace in list(self.traces.items()):
            if scene.at_s - trace.at_s > FORGET_S:
                del self.traces[number]
                events += self._over(trace)
        return events

    def on_lanes(self) -> list[OnLane]:
        """Who is on an entry lane, or has not left its stop line behind, in the newest scene."""
        return [
            OnLane(trace.user, trace.lane, trace.before_m, trace.standing, trace.passed)
            for trace in self.traces.values()
            if trace.at_s == self._newest_s
            and trace.lane is not None
            and trace.before_m is not None
            and not (trace.done or trace.twin)
        ]

    def _trace(self, user: RoadUser, users: dict[int, RoadUser], at_s: float, events: list[Event]) -> Trace:
        """The memory of a user: its own, that of the track which it goes on, or a new one."""
        trace = self.traces.get(user.track)
        if trace is not None and jumped(trace.user, user, at_s - trace.at_s, OTHER_BODY_M):
            events += self._over(trace)
            trace = self.traces[user.track] = Trace(user, at_s, front(user, None))
            return trace
        if trace is not None:
            return trace
        found = again(user, at_s, (old for number, old in self.traces.items() if number not in users))
        if found is not None:
            del self.traces[found.user.track]
            self.traces[user.track] = found
            return found
        made = Trace(user, at_s, front(user, None), twin=twin(user, self.traces.values()))
        self.traces[user.track] = made
        return made

    def _fix(self, trace: Trace, user: RoadUser, at_s: float) -> Iterator[Event]:
        lane = self.ground.entries.get(trace.lane) if trace.lane is not None else None
        nose = front(user, lane.line.end_deg if lane else None)
        found: list[Event | None] = []
        if not trace.passed:
            found.append(approach(self.ground, trace, user, nose, at_s))
        if trace.passed and not trace.done:
            through(self.ground, trace, nose, at_s)
            if not trace.twin:
                found.append(leave(self.ground, self.log, trace, user, at_s))
        found.append(walking(self.ground, self.log, trace, user, at_s))
        trace.user, trace.at_s, trace.front = user, at_s, nose
        yield from (event for event in found if event is not None)

    def _over(self, trace: Trace) -> Iterator[Event]:
        """A track that is not seen any more."""
        for event in (
            lost(self.ground, self.log, trace, trace.at_s),
            walked(self.log, trace, round(trace.at_s, 2)),
        ):
            if event is not None:
                yield event
