"""One run: three processes that die in turn, and what is left when everything is quiet again."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hil.mosquitto import MOSQUITTO
from hil.nats_servers import nodes
from hil.processes import Processes, RigFailure
from hil.uplink_chaos.compare import compared, read_held, read_notes
from rsu_agent.district.broker import free_port
from rsu_agent.outlets.outbox import read_numbers
from rsu_agent.outlets.outbox_lane import read_lane
from rsu_agent.ports.chaos_point import VARIABLE
from rsu_agent.ports.envelope import LANES

POINTS_OF = {
    "edge": ("append", "commit", "publish", "ack", "delete"),
    "receiver": ("receive", "store", "reply"),
    "front": ("receive",),
    "back": ("receive", "store", "reply"),
}
MOST_PASSED = {"publish": 100, "receive": 100}  # an armed process dies at the 1st to this passing ...
MOST_PASSED_ELSE = 5  # ... or this, at points that stand for a batch
ARMED_SHARE = 0.75  # of the processes started; the others die at a random instant
PAUSE_S = 0.1, 0.5  # between two kills
UP_S = 60.0  # a node that stays behind is mended after 20 s
POINT_S = 2.0  # an armed process that does not come to its point is killed where it stands
DRAIN_S = 180.0
LOOK_S = 0.01


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for. databases: an SQLite file or postgresql://...; told: called after every kill.

    streams: a NATS cluster stands between a front and a back for each database, which is a shard then.
    """

    kills: int
    seed: int
    envelopes: int
    points: tuple[str, ...]
    broker: str
    databases: tuple[str, ...]
    control: bool = False
    streams: bool = False
    told: Callable[[], None] = lambda: None


class Crew:
    """Edge, broker and receiver, or its halves and the cluster's nodes between them.

    Whoever is found dead by its own hand is counted and started again.
    """

    def __init__(self, plan: Plan, folder: Path) -> None:
        self._plan, self._folder, self._dice = plan, folder, random.Random(plan.seed)
        self._processes, self._port, self._life = Processes(folder / "logs"), free_port(), 0
        self.killed: Counter[str] = Counter()
        self.at_points: Counter[str] = Counter()
        self._armed: dict[str, str] = {}
        self._nodes = {node.name: node for node in nodes(folder)} if plan.streams else {}
        backs = tuple(f"back-{n}" for n in range(len(plan.databases)))
        halves = (*self._nodes, "front", *backs) if plan.streams else ("receiver",)
        self._names = ("broker", *halves, "edge")
        self._allow()
        for name in self._nodes:  # none is well before it has another to vote with
            self._start(name, arm=False)
        for name in self._nodes:
            self._wait_up(name)
        for name in (name for name in self._names if name not in self._nodes):
            self._start(name, arm=False)
            self._wait_up(name)

    def kill_in_turn(self) -> None:
        """Until all kills are done, and each node has had its share of them."""
        while True:
            for victim in self._dice.sample(self._names, len(self._names)):
                if self._enough:
                    return
                self._rest(self._dice.uniform(*PAUSE_S))
                for name in self._nodes if victim in self._nodes else (victim,):
                    self._wait_up(name)  # of three nodes two must stand
                before = self.killed[victim]
                if victim in self._armed:
                    self._until(POINT_S, partial(self._killed_since, victim, before))
                if self.killed[victim] == before and not self._enough:
                    self._process(victim).kill()
                    self._process(victim).wait()
                    self._armed.pop(victim, None)
                    self._died(victim)

    @property
    def _enough(self) -> bool:
        share = self._plan.kills // len(self._names)
        return self.killed.total() >= self._plan.kills and all(
            self.killed[name] >= share for name in self._nodes
        )

    def settle(self) -> bool:
        """No more kills: whether everything was produced and has left the outbox in time."""
        for name in list(self._armed):
            self._processes.stop(name)
            self._start(name, arm=False)
        for name in self._names:
            self._wait_up(name)
        return self._until(DRAIN_S, self._drained)

    def stop(self) -> None:
        """End them all."""
        self._processes.stop(*self._names)

    def _killed_since(self, name: str, before: int) -> bool:
        return self.killed[name] > before

    def _drained(self) -> bool:
        lanes = [read_lane(self._folder / "outbox" / f"{name}.sqlite") for name in LANES]
        produced = sum(rows.produced for rows, _ in lanes)
        return produced >= self._plan.envelopes and not any(r.queued + c.queued for r, c in lanes)

    def _allow(self) -> None:
        """The producer's share grows with the kills, so that records flow during all of them."""
        share = min(1.0, (self.killed.total() + 1) / max(1, self._plan.kills))
        new = self._folder / "allowed.new"
        new.write_text(str(round(self._plan.envelopes * share)))
        new.replace(self._folder / "allowed")

    def _start(self, name: str, *, arm: bool = True) -> None:
        points = [point for point in POINTS_OF.get(name.split("-")[0], ()) if point in self._plan.points]
        environment = ["env"]
        self._armed.pop(name, None)
        if arm and points and self._dice.random() < ARMED_SHARE:
            point = self._dice.choice(points)
            self._armed[name] = point
            count = self._dice.randint(1, MOST_PASSED.get(point, MOST_PASSED_ELSE))
            environment = ["env", f"{VARIABLE}={point}:{count}"]
        self._ready(name).unlink(missing_ok=True)
        self._processes.start(name, [*environment, *self._command(name)])

    def _command(self, name: str) -> list[str]:
        python, port, ready = [sys.executable, "-m"], str(self._port), str(self._ready(name))
        if name in self._nodes:
            return list(self._nodes[name].command)
        if name.split("-")[0] in ("receiver", "front", "back"):
            where = ["--host", "127.0.0.1", "--port", port, "--ready", ready]
            stores = [part for each in self._plan.databases for part in ("--database", each)]
            return [*python, "rsu_agent.district.main", *stores, *where, *self._half(name)]
        if name == "edge":
            self._life += 1
            told = ["--folder", str(self._folder), "--port", port, "--life", str(self._life)]
            control = ["--control"] if self._plan.control else []
            return [*python, "hil.uplink_chaos.edge", *told, "--ready", ready, *control]
        if self._plan.broker == "amqtt":
            return [*python, "hil.chaos", "--broker", port, "--ready", ready]
        assert MOSQUITTO is not None
        user = "user root\n" if os.geteuid() == 0 else ""
        conf = self._folder / "mosquitto.conf"
        conf.write_text(f"listener {port} 127.0.0.1\n{user}allow_anonymous true\nset_tcp_nodelay true\n")
        return [MOSQUITTO, "-c", str(conf)]

    def _half(self, name: str) -> list[str]:
        """What a front or a back is told beside."""
        if not self._nodes:
            return []
        half, _, shard = name.partition("-")
        servers = ",".join(f"nats://127.0.0.1:{node.port}" for node in self._nodes.values())
        return ["--nats", servers, "--role", half, *(("--shard", shard) if shard else ())]

    def _ready(self, name: str) -> Path:
        return self._folder / f"{name}.ready"

    def _up(self, name: str) -> bool:
        if name == "broker":
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self._port)) == 0
        return self._nodes[name].is_well if name in self._nodes else self._ready(name).exists()

    def _wait_up(self, name: str) -> None:
        if not self._until(UP_S, lambda: self._up(name)):
            raise RigFailure(f"{name} is not up after {UP_S:g} s\n{self._processes.tail(name)}")

    def _process(self, name: str) -> subprocess.Popen[bytes]:
        process = self._processes.children[name].process
        assert process is not None
        return process

    def _died(self, name: str) -> None:
        self.killed[name] += 1
        self._plan.told()
        self._allow()
        self._start(name)

    def _look(self) -> None:
        """Who has died at a point; any other end is a failure of the run."""
        for name in self._names:
            if name not in self._processes.children or (status := self._process(name).poll()) is None:
                continue
            if status != -signal.SIGKILL or name not in self._armed:
                raise RigFailure(f"{name} ended with status {status}\n{self._processes.tail(name)}")
            self.at_points[self._armed[name]] += 1
            self._died(name)

    def _rest(self, seconds: float) -> None:
        self._until(seconds, lambda: False)

    def _until(self, seconds: float, true: Callable[[], bool]) -> bool:
        end_s = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end_s:
                return False
            time.sleep(LOOK_S)
            self._look()
        return True


def one_run(plan: Plan, folder: Path) -> dict[str, Any]:
    """Kill, settle, compare; the figures. Raises RigFailure when somebody ends in another way."""
    folder.mkdir(parents=True, exist_ok=True)
    began_s, crew = time.monotonic(), Crew(plan, folder)
    try:
        crew.kill_in_turn()
        drained = crew.settle()
    finally:
        crew.stop()
    return {
        "kills": crew.killed.total(),
        "killed": dict(sorted(crew.killed.items())),
        "at_points": dict(sorted(crew.at_points.items())),
        "drained": drained,
        **compared(read_notes(folder), read_numbers(folder / "outbox"), read_held(*plan.databases)),
        "seconds": round(time.monotonic() - began_s, 1),
    }
