"""What a crossing of sixteen lanes has to say, at the product's rate of 0.58 records a second; seeded."""

from __future__ import annotations

import heapq
import random
from typing import Any

from rsu_agent.outlets.summary_kinds import LANE_OF
from rsu_agent.world.hazard import HazardKind

LANES = 16
FLOW_S, BEAT_S = 60.0, 10.0  # one record a lane, one record a box
PHASE_HZ, EVENT_HZ = 0.2, 0.01  # on average
RECORDS_PER_S = LANES / FLOW_S + 1 / BEAT_S + PHASE_HZ + EVENT_HZ
OF_TOMORROW = "phase-of-tomorrow"  # a kind that no receiver of today knows
CORNER_DEG, EXTENT_DEG = (22.62, 114.28), (0.12, 0.16)  # a district; the poles are spread over it
SPREAD = 0.7548776662, 0.5698402910  # of the R2 sequence: any number of points, no two close together

Told = tuple[dict[str, Any], str]  # (record, lane)


class Crossing:
    """One pole's records in order of time. pace: how many times the product's rate.

    tomorrow: its phase records are of a kind that is unknown as yet.
    """

    def __init__(
        self, seed: int, number: int, begins_us: int, pace: float = 1.0, *, tomorrow: bool = False
    ) -> None:
        self._dice, self._pace = random.Random(f"{seed}/{number}"), pace
        self._number, self._phase = number, OF_TOMORROW if tomorrow else "phase"
        self._beats, self._begins_us = 0, begins_us
        firsts = [("flow", lane, self._dice.uniform(0, FLOW_S)) for lane in range(LANES)]
        firsts += [("hb", 0, self._dice.uniform(0, BEAT_S)), ("base", 0, 0.0), ("health", 0, 0.0)]
        firsts += [(kind, 0, self._wait_s(kind)) for kind in ("phase", "event")]
        self._due = [(begins_us + int(wait_s / pace * 1e6), kind, lane) for kind, lane, wait_s in firsts]
        heapq.heapify(self._due)

    @property
    def next_us(self) -> int:
        """When it has something to say next."""
        return self._due[0][0]

    def due(self, now_us: int) -> list[Told]:
        """What it has to say by now."""
        told: list[Told] = []
        while self._due[0][0] <= now_us:
            at_us, kind, lane = heapq.heappop(self._due)
            told.append((self._record(kind, lane, at_us), LANE_OF[kind]))
            if kind not in ("base", "health"):
                wait_us = int(self._wait_s(kind) / self._pace * 1e6)
                heapq.heappush(self._due, (at_us + wait_us, kind, lane))
        return told

    def _wait_s(self, kind: str) -> float:
        match kind:
            case "flow":
                return FLOW_S
            case "hb":
                return BEAT_S
            case "phase":
                return self._dice.expovariate(PHASE_HZ)
        return self._dice.expovariate(EVENT_HZ)

    def _record(self, kind: str, lane: int, at_us: int) -> dict[str, Any]:
        match kind:
            case "flow":
                return flow(self._dice, lane, at_us)
            case "hb":
                self._beats += 1
                return {"k": "hb", "t": at_us, "up": (at_us - self._begins_us) // 1_000_000, "ok": 9}
            case "phase":
                colour = self._dice.choice(("red", "green", "yellow"))
                return {"k": self._phase, "t": at_us, "g": self._dice.randrange(24), "c": colour}
            case "health":
                return {"k": "health", "t": at_us, "d": "controller", "s": "ok", "w": "ok"}
            case "base":
                return base(self._number, at_us)
        return event(self._dice, self._number, at_us)


def flow(dice: random.Random, lane: int, at_us: int) -> dict[str, Any]:
    """A minute of one lane."""
    passed = dice.randrange(20)
    return {
        "k": "flow", "t": at_us, "d": 60.0, "ln": lane, "n": {"car": passed}, "v": dice.uniform(2, 15),
        "o": dice.random(), "h": dice.uniform(1, 9), "hm": 0.9, "dl": dice.uniform(0, 60), "df": 55.0,
        "dn": 4, "du": 1, "st": 0.5, "ss": 0.4, "mv": {"through": passed}, "rt": {"green": passed},
    }  # fmt: skip


def place(number: int) -> tuple[float, float]:
    """Where a pole stands: latitude and longitude, degrees."""
    lat, lon = (
        round(corner + extent * ((0.5 + number * step) % 1), 7)
        for corner, extent, step in zip(CORNER_DEG, EXTENT_DEG, SPREAD, strict=True)
    )
    return lat, lon


def base(number: int, at_us: int) -> dict[str, Any]:
    """What the box is, and where."""
    lat, lon = place(number)
    return {
        "k": "base", "t": at_us, "ver": "simulated", "py": "-", "os": "-", "std": "csae53",
        "node": number % 65536, "rg": None, "lat": lat, "lon": lon, "dr": [],
    }  # fmt: skip


def event(dice: random.Random, number: int, at_us: int) -> dict[str, Any]:
    """A hazard that was seen."""
    lat, lon = place(number)
    return {
        "k": "event", "t": at_us, "i": f"{number}-{at_us}", "h": str(HazardKind.STOPPED_VEHICLE), "s": "on",
        "lat": lat, "lon": lon, "x": dice.uniform(-50, 50), "y": dice.uniform(-50, 50), "hd": None,
        "ln": dice.randrange(LANES), "tr": dice.randrange(1000), "ev": "simulated",
    }  # fmt: skip
