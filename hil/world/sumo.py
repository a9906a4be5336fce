"""Ground truth from SUMO: where every road user's middle is, ten times a second. One simulation a process.

`python -m hil.world.sumo ORDER.json OUT.npz [GEOMETRY.json]`. What SUMO lacks: height, weather, occlusion.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hil.world.sumo_demand import write
from hil.world.sumo_net import Net, NoSumo, build, crossing_of, sumo_home
from hil.world.user import SIZES

KINDS = tuple(SIZES)
SUBLANE_M = 0.6
JAM_S = "10"  # who is blocked so long squeezes through: no run may end in a standstill
JUMP_MPS = 1.5  # faster than SUMO's own speed by so much: it has put a walker elsewhere, that is no motion
COLUMNS = ("step", "id", "kind", "x", "y", "heading_deg", "speed_mps", "length", "width", "height")
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Order:
    """What to simulate. per_hour: departures by class; warm_s goes by before the first step."""

    seed: int
    steps: int
    step_s: float
    warm_s: float
    within_m: float
    per_hour: dict[str, float]


def middle(front: tuple[float, float], angle_deg: float, length_m: float) -> tuple[float, float]:
    """A body's middle from its front bumper. angle: clockwise from north."""
    angle = math.radians(angle_deg)
    return front[0] - math.sin(angle) * length_m / 2, front[1] - math.cos(angle) * length_m / 2


def simulate(order: Order, net: Net, routes: Path) -> dict[str, Any]:
    """Rows of all users within so many metres, by COLUMNS and `vx`, `vy`. One step more on either side is
    run, so that every velocity is that of the middle between its neighbours in time."""
    import libsumo  # after SUMO_HOME is set

    libsumo.start(_command(order, net, routes))
    rows: list[tuple[float, ...]] = []
    numbers: dict[str, int] = {}
    try:
        for _ in range(round(order.warm_s / order.step_s)):
            libsumo.simulationStep()
        for step in range(-1, order.steps + 1):
            libsumo.simulationStep()
            rows += _users(libsumo, net, step, order.within_m, numbers)
    finally:
        libsumo.close()
    return with_velocities(np.array(rows).reshape(-1, len(COLUMNS)), order)


def _command(order: Order, net: Net, routes: Path) -> list[str]:
    command = [str(sumo_home() / "bin" / "sumo"), "-n", str(net.path), "-r", str(routes)]
    command += ["--step-length", str(order.step_s), "--lateral-resolution", str(SUBLANE_M)]
    command += ["--seed", str(order.seed), "--time-to-teleport", "-1", "--no-step-log", "--no-warnings"]
    command += ["--pedestrian.model", "striping", "--pedestrian.striping.jamtime", JAM_S]
    return [*command, "--ignore-junction-blocker", JAM_S]


def _users(
    sumo: Any, net: Net, step: int, within_m: float, numbers: dict[str, int]
) -> list[tuple[float, ...]]:
    rows: list[tuple[float, ...]] = []
    for domain, bumper in ((sumo.vehicle, True), (sumo.person, False)):
        for name in domain.getIDList():
            kind = domain.getTypeID(name).split("@")[0]
            length, width, height = SIZES[kind]
            angle, (x, y) = domain.getAngle(name), domain.getPosition(name)
            x, y = x - net.shift[0], y - net.shift[1]
            if bumper:
                x, y = middle((x, y), angle, length)
            if math.hypot(x, y) < within_m:
                number = numbers.setdefault(name, len(numbers) + 1)
                speed = domain.getSpeed(name)
                rows.append((step, number, KINDS.index(kind), x, y, angle, speed, length, width, height))
    return rows


def with_velocities(rows: Array, order: Order) -> dict[str, Any]:
    """The rows of the steps asked for, with the velocities of their middles."""
    columns = dict(zip(COLUMNS, rows.T, strict=True))
    place = {(int(step), int(one)): n for n, (step, one) in enumerate(rows[:, :2])}
    velocity = np.zeros((len(rows), 2))
    for (step, one), n in place.items():
        before, after = place.get((step - 1, one), n), place.get((step + 1, one), n)
        gone_s = (rows[after, 0] - rows[before, 0]) * order.step_s
        if gone_s:
            velocity[n] = (rows[after, 3:5] - rows[before, 3:5]) / gone_s
    length = np.maximum(np.hypot(*velocity.T), 1e-9)
    jumped = length > columns["speed_mps"] + JUMP_MPS
    velocity[jumped] *= (columns["speed_mps"] / length)[jumped, None]
    columns |= {"vx": velocity[:, 0], "vy": velocity[:, 1]}
    asked = (columns["step"] >= 0) & (columns["step"] < order.steps)
    return {name: values[asked] for name, values in columns.items()}


def main(order_file: str, out: str, geometry: str = "") -> None:
    """One simulation, from an order to its rows."""
    order = Order(**json.loads(Path(order_file).read_text()))
    with tempfile.TemporaryDirectory(prefix="rsu-sumo-") as folder:
        net, routes = build(Path(folder)), Path(folder) / "routes.rou.xml"
        until_s = order.warm_s + (order.steps + 2) * order.step_s
        write(routes, order.seed, order.per_hour, until_s)
        columns = simulate(order, net, routes)
        if geometry:
            Path(geometry).write_text(json.dumps(asdict(crossing_of(net))))
    with Path(out).open("wb") as file:
        np.savez_compressed(file, **columns)
    count = Counter(KINDS[int(kind)] for kind in columns["kind"])
    print({kind: round(n / order.steps, 1) for kind, n in count.items()}, file=sys.stderr)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except NoSumo as missing:
        sys.exit(str(missing))
