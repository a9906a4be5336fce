"""The world's process: moves the users by the lamps, tells the sensors, writes the truth."""

from __future__ import annotations

import argparse
import math
import signal
import time
from pathlib import Path
from typing import Any, Protocol

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
WARM_STEPS = int(WARM_S / STEP_S / 4)
STALLED_S = 0.5


class Moving(Protocol):
    """Traffic that moves by the lamps."""

    users: list[User]

    def step(self, dt_s: float, lamps: dict[int, str], now_s: float, /) -> None: ...


class WorldProcess:
    """One traffic, twenty steps a second, and the script of the built-in one; another has no script."""

    def __init__(self, run_dir: Path, site: dict[str, Any], traffic: Moving) -> None:
        self.bus = Bus(run_dir)
        self.heard = self.bus.subscribe("lamps", "script")
        self.truth = TruthLog(run_dir, "world")
        self.traffic = traffic
        self.eyes = eyes_of(site)
        self.script = Script(traffic, eyes=self.eyes) if isinstance(traffic, Traffic) else None
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
            if self.script is not None:
                self._act(self.script, now_s)
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
            elif self.script is not None:
                for hazard in body["hazards"]:
                    self.script.plan(hazard["kind"], hazard["at_t"])

    def _act(self, script: Script, now_s: float) -> None:
        for event in script.step(now_s):
            what = {"id": KINDS.index(event.kind), "kind": event.kind, "edge": event.edge, "user": event.user}
            place = {"x": round(event.x, 3), "y": round(event.y, 3), "sure_t": event.sure_s}
            self.truth.write("event", event.at_s, **what, **place)

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
    options, site, crossing = asked()
    world = WorldProcess(options.run_dir, site, Traffic(crossing, options.seed, options.density))
    serve(world, options.run_dir, WARM_S, WARM_STEPS)


def asked() -> tuple[argparse.Namespace, dict[str, Any], RigCrossing]:
    """What the command line says, the site file, the crossing."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--density", default="day", choices=["day", "peak", "night"])
    options = parser.parse_args()
    site = YAML(typ="safe").load(options.site.read_text())
    return options, site, read_rig_crossing(options.site.parent / site["crossing"]["file"])


def serve(world: WorldProcess, run_dir: Path, warm_s: float, warm_steps: int) -> None:
    """Fill the crossing before anybody looks (everybody drives up to red lights), then run."""
    world.hear()
    start_s = time.monotonic() - warm_s
    for step in range(warm_steps):
        world.traffic.step(STEP_S, world.lamps, start_s + step * STEP_S)
    signal.signal(signal.SIGTERM, lambda *_: setattr(world, "going", False))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    announce(run_dir, "world", users=len(world.traffic.users))
    world.run()


if __name__ == "__main__":
    main()
