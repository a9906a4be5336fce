"""The judge: runs the rules over each scene, holds hazards while they last, releases them. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from rsu_agent.hazards.evidence import Lights, Mark, Memory, Seen
from rsu_agent.hazards.pedestrian_on_red import pedestrian_on_red
from rsu_agent.hazards.places import Places
from rsu_agent.hazards.red_light_running import red_light_running
from rsu_agent.hazards.stopped_vehicle import QUEUE_M, stopped_vehicle
from rsu_agent.hazards.wrong_way import wrong_way
from rsu_agent.world.crossing import Crossing
from rsu_agent.world.hazard import Hazard, HazardKind
from rsu_agent.world.road_user import Scene
from rsu_agent.world.signal import Colour

HIDDEN_S = 8.0  # what passing traffic hides is lost and found again: that takes a rule some seconds
WALK_MPS = 2.0
SAME_PLACE_M = 6.0  # a new track so near a hazard of the same kind is the same hazard


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind: its rule, how long it is held after its last evidence, what its onset is reckoned from.

    moves_mps: how fast it goes on while nobody sees it.
    """

    kind: HazardKind
    find: Callable[[Seen, Lights, float], str | None]
    hold_s: float
    since: Callable[[Seen], Mark | None] = lambda _: None  # None: the instant of the finding
    moves_mps: float = 0.0


class Judge:
    """One crossing's hazards."""

    def __init__(self, crossing: Crossing) -> None:
        self._places = Places(crossing)
        self._memory = Memory(self._places)
        self.lights = Lights()
        self._held: dict[int, tuple[Hazard, float, Rule]] = {}
        self._number = 0
        self._rules = (
            Rule(HazardKind.RED_LIGHT_RUNNING, red_light_running, 3.0),
            Rule(HazardKind.WRONG_WAY, wrong_way, 3.0, lambda seen: seen.wrong),
            Rule(HazardKind.STOPPED_VEHICLE, stopped_vehicle, HIDDEN_S),
            Rule(
                HazardKind.PEDESTRIAN_ON_RED, self._pedestrian, HIDDEN_S, lambda seen: seen.on_walk, WALK_MPS
            ),
        )

    def saw_lamp(self, group: int, colour: Colour, at_s: float) -> None:
        """A change of colour from the controller's reports."""
        self.lights.changed(group, colour, at_s)

    def scene(self, scene: Scene) -> tuple[list[Hazard], list[Hazard]]:
        """(hazards that began, hazards that ended) with this scene."""
        began: list[Hazard] = []
        present = self._memory.update(scene)
        for seen in present:
            for rule in self._rules:
                if rule.kind is HazardKind.STOPPED_VEHICLE and self._queued(seen, present):
                    seen.still = seen.mark(scene.at_s)  # whoever waits behind somebody begins to stand alone
                words = rule.find(seen, self.lights, scene.at_s)
                if words is not None:
                    self._found(rule, seen, words, scene.at_s, began)
        return began, self._release(scene.at_s)

    @property
    def active(self) -> tuple[Hazard, ...]:
        """Hazards that hold now."""
        return tuple(hazard for hazard, _, _ in self._held.values())

    def _pedestrian(self, seen: Seen, lights: Lights, now_s: float) -> str | None:
        return pedestrian_on_red(seen, lights, now_s, self._places)

    def _queued(self, seen: Seen, present: list[Seen]) -> bool:
        """Whether somebody stands close ahead in the same lane."""
        if seen.lane is None:
            return False
        for other in present:
            ahead = other.lane
            if other is seen or ahead is None or ahead.lane.lane != seen.lane.lane.lane:
                continue
            if 0.0 < ahead.along_m - seen.lane.along_m < QUEUE_M and other.user.speed_mps < 1.5:
                return True
        return False

    def _found(self, rule: Rule, seen: Seen, words: str, now_s: float, began: list[Hazard]) -> None:
        user = seen.user
        for number, (hazard, last_s, known) in self._held.items():
            apart_m = abs(hazard.x_east_m - user.x_east_m) + abs(hazard.y_north_m - user.y_north_m)
            near = apart_m < SAME_PLACE_M + known.moves_mps * (now_s - last_s)
            if known.kind is rule.kind and (hazard.track == user.track or near):
                moved = replace(hazard, x_east_m=user.x_east_m, y_north_m=user.y_north_m, evidence=words)
                self._held[number] = moved, now_s, rule
                return
        self._number += 1
        lane = seen.lane.lane.lane if seen.lane else None
        onset = rule.since(seen) or seen.mark(now_s)
        place = onset.x_east_m, onset.y_north_m
        hazard = Hazard(
            self._number, rule.kind, onset.at_s, None, *place, user.track, lane, user.heading_deg, words
        )
        self._held[self._number] = hazard, now_s, rule
        began.append(hazard)

    def _release(self, now_s: float) -> list[Hazard]:
        ended = []
        for number, (hazard, last_s, rule) in list(self._held.items()):
            if now_s - last_s > rule.hold_s:
                del self._held[number]
                ended.append(replace(hazard, ended_s=last_s))
        return ended
