"""The world's process: moves the users by the lamps, tells the sensors, writes the truth."""

from __future__ import annotations

import argparse
import math
import signal
import time
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from hil.bus import Bus
from hil.devices.ready import announce
from hil.truth import TruthLog
from hil.world.crossing_read import RigCrossing, read_rig_crossing
from hil.world.script import KINDS, Script
from hil.world.traffic import Traffic
from hil.world.user import User
from hil.world.visibility import eyes_of, seen

STEP_S = 0.05
WARM_S = 90.0  # simulated before the first real second, so that the crossing is not empty
STALLED_S = 0.5


class WorldProcess:
    """One traffic, one script, twenty steps a second."""

    def __init__(
        self, run_dir: Path, crossing: RigCrossing, site: dict[str, Any], seed: int, density: str
    ) -> None:
        self.bus = Bus(run_dir)
        self.heard = self.bus.subscribe("lamps", "script")
        self.truth = TruthLog(run_dir, "world")
        self.traffic = Traffic(crossing, seed, density)
        self.eyes = eyes_of(site)
        self.script = Script(self.traffic, eyes=self.eyes)
        self.lamps: dict[int, str] = {}
        self.going = True

    def run(self) -> None:
        """Until told to stop."""
        next_s = time.monotonic()
        while self.going:
            wait_s = next_s - time.monotonic()
            if wait_s > 0:
                time.sleep(wait_s)
            self.hear()
            now_s = time.monotonic()
            self.traffic.step(STEP_S, self.lamps, now_s)
            for event in self.script.step(now_s):
                fields = {
                    "id": KINDS.index(event.kind),
                    "kind": event.kind,
                    "edge": event.edge,
                    "user": event.user,
                }
                place = {"x": round(event.x, 3), "y": round(event.y, 3), "sure_t": event.sure_s}
                self.truth.write("event", event.at_s, **fields, **place)
            self._tell(now_s)
            next_s += STEP_S
            if time.monotonic() - next_s > STALLED_S:
                next_s = time.monotonic()

    def hear(self) -> None:
        """Take in what the bus says."""
        while (message := self.heard.get()) is not None:
            topic, body = message
            if topic == "lamps":
                self.lamps = body["groups"]
            else:
                for hazard in body["hazards"]:
                    self.script.plan(hazard["kind"], hazard["at_t"])

    def _tell(self, now_s: float) -> None:
        shares = {eye.name: seen(eye, self.traffic.users) for eye in self.eyes}
        users = [user_row(user) for user in self.traffic.users]
        self.bus.publish("users", {"t": now_s, "users": users})
        for row in users:
            row["seen"] = {name: round(by[row["id"]], 2) for name, by in shares.items() if row["id"] in by}
            del row["shade"], row["brake"]
        self.truth.write("users", now_s, users=users)


def user_row(user: User) -> dict[str, Any]:
    """One user as sensors and the truth log get it."""
    angle = math.radians(user.heading)
    length, width, height = user.size
    return {
        "id": user.id,
        "cls": user.cls,
        "x": round(user.x, 3),
        "y": round(user.y, 3),
        "vx": round(math.sin(angle) * user.speed, 3),
        "vy": round(math.cos(angle) * user.speed, 3),
        "heading": round(user.heading, 1),
        "l": length,
        "w": width,
        "h": height,
        "shade": user.shade,
        "brake": user.braking,
    }


def main() -> None:
    """`python -m hil.world.main --run-dir DIR --site FILE`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--density", default="day", choices=["day", "peak", "night"])
    options = parser.parse_args()
    site = YAML(typ="safe").load(options.site.read_text())
    crossing = read_rig_crossing(options.site.parent / site["crossing"]["file"])
    world = WorldProcess(options.run_dir, crossing, site, options.seed, options.density)
    _warm(world)
    signal.signal(signal.SIGTERM, lambda *_: setattr(world, "going", False))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    announce(options.run_dir, "world", users=len(world.traffic.users))
    world.run()


def _warm(world: WorldProcess) -> None:
    """Fill the crossing with users before anybody looks; everybody drives up to red lights."""
    world.hear()
    start_s = time.monotonic() - WARM_S
    for step in range(int(WARM_S / STEP_S / 4)):
        world.traffic.step(STEP_S, world.lamps, start_s + step * STEP_S)


if __name__ == "__main__":
    main()
