"""Ground truth from a SUMO scenario of somebody's own, around one of its junctions. One simulation a process.

`python -m hil.world.sumo_given ORDER.json OUT.npz TOLD.json`. Nothing of the scenario is changed but its step
length and seed, and that bodies change lanes in some seconds instead of at once; its reports are not written.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hil.world.sumo import COLUMNS, KINDS, middle, with_velocities
from hil.world.sumo import Order as Run
from hil.world.sumo_given_crossing import crossing_at, poles_at
from hil.world.sumo_given_net import around, chosen
from hil.world.sumo_net import NoSumo, sumo_home
from hil.world.sumo_scenario import Scenario, UnfitScenario, read_scenario
from hil.world.user import SIZES

CLASSES = {
    "passenger": "car", "private": "car", "taxi": "car", "hov": "car", "evehicle": "car", "vip": "car",
    "authority": "car", "ignoring": "car", "custom1": "car", "custom2": "car",
    "delivery": "truck", "truck": "truck", "trailer": "truck", "emergency": "truck", "army": "truck",
    "bus": "bus", "coach": "bus", "motorcycle": "motorcycle", "moped": "motorcycle",
    "bicycle": "bicycle", "scooter": "bicycle", "pedestrian": "pedestrian", "wheelchair": "pedestrian",
}  # fmt: skip
AFOOT = ("pedestrian", "wheelchair", "bicycle", "scooter")
HEIGHTS = (0.55, 2.0)  # of our own of that kind; outside of that SUMO's is a default of another class
LONGEST_M, WIDEST_M = 30.0, 4.0
LEAST_STEPS = 100
BUSY = 5  # users within the region from whom on there is something to measure
WAITS_S = 1800.0  # for so many, after the warm-up
LANE_CHANGE_S = "3"
WALKS, RIDES = 2, 3  # stages of SUMO's persons; who rides and sits in no vehicle waits for one
Size = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class GivenOrder:
    """What to simulate: a .sumocfg, a junction ("": the biggest with lights); the rest as in sumo.Order."""

    scenario: str
    junction: str
    seed: int
    steps: int
    step_s: float
    warm_s: float
    within_m: float
    region_m: float


@dataclass(slots=True)
class Cast:
    """Numbers by name, bodies by vType, and by class the names of whom no road user is made."""

    numbers: dict[str, int] = field(default_factory=dict)
    bodies: dict[str, tuple[int, Size] | None] = field(default_factory=dict)
    left_out: dict[str, set[str]] = field(default_factory=dict)

    def body(self, domain: Any, name: str, on_foot: bool) -> tuple[int, Size] | None:
        """Kind and size of a user; None: its class has none of our kinds."""
        type_id = f"{'person' if on_foot else 'vehicle'} {domain.getTypeID(name)}"
        if type_id not in self.bodies:
            size = domain.getLength(name), domain.getWidth(name), domain.getHeight(name)
            self.bodies[type_id] = body(domain.getVehicleClass(name), size, on_foot=on_foot)
        return self.bodies[type_id]


def body(v_class: str, size: Size, *, on_foot: bool) -> tuple[int, Size] | None:
    """Number of a kind, and length, width, height, by SUMO's class and size; None: of no kind of ours.

    A person whose class is none of a person's (SUMO's default is a car's) is a pedestrian of our size.
    """
    odd = on_foot and v_class not in AFOOT
    kind = "pedestrian" if odd else CLASSES.get(v_class)
    if kind is None:
        return None
    own = SIZES[kind]
    if odd:
        return KINDS.index(kind), own
    length = size[0] if 0.0 < size[0] <= LONGEST_M else own[0]
    width = size[1] if 0.0 < size[1] <= WIDEST_M else own[1]
    fits = HEIGHTS[0] * own[2] <= size[2] <= HEIGHTS[1] * own[2]
    return KINDS.index(kind), (length, width, size[2] if fits else own[2])


def main(order_file: str, out: str, told: str) -> None:
    """One simulation, from an order to its rows and to what is told of them."""
    order = GivenOrder(**json.loads(Path(order_file).read_text()))
    scenario = read_scenario(Path(order.scenario))
    here = around(scenario.net, chosen(scenario.net, order.junction), order.within_m)
    crossing = crossing_at(here, order.within_m)
    columns, steps, cast = simulate(order, scenario, here.junction.middle)
    if not len(columns["step"]):
        raise UnfitScenario(
            f"nobody came within {order.within_m:g} m of junction {here.junction.id}: name another with"
            " --junction, or let the scenario begin (<time><begin>) when there is traffic"
        )
    about = {
        "crossing": asdict(crossing),
        "poles_m": poles_at(here, crossing),
        "junction": here.junction.id,
        "steps": steps,
        "left_out": {name: len(who) for name, who in sorted(cast.left_out.items())},
    }
    Path(told).write_text(json.dumps(about))
    with Path(out).open("wb") as file:
        np.savez_compressed(file, **columns)


def simulate(
    order: GivenOrder, scenario: Scenario, place: tuple[float, float]
) -> tuple[dict[str, Any], int, Cast]:
    """Rows as those of sumo.simulate, how many steps there were, and the cast. Raises UnfitScenario."""
    sumo_home()  # before libsumo is imported
    import libsumo

    rows: list[tuple[float, ...]] = []
    cast, done = Cast(), -1
    try:
        with tempfile.TemporaryDirectory(prefix="rsu-sumo-") as folder:
            config = Path(folder) / "given.sumocfg"
            scenario.write(config)
            libsumo.start(_command(order, scenario, config))
        warm(libsumo, order, scenario, place)
        for step in range(-1, order.steps + 1):
            if _over(libsumo, scenario):
                break
            libsumo.simulationStep()
            rows += _users(libsumo, place, step, order.within_m, cast)
            done = step + 1
        at_s = libsumo.simulation.getTime()
    except (libsumo.TraCIException, libsumo.FatalTraCIError) as fault:
        raise UnfitScenario(
            f"SUMO does not run {scenario.path}: {fault}; try: sumo -c {scenario.path}"
        ) from None
    finally:
        libsumo.close()
    steps = min(done, order.steps)
    if steps < LEAST_STEPS:
        raise UnfitScenario(
            f"the scenario is over at {at_s:g} s, after {max(0, steps)} steps of {order.step_s:g} s:"
            f" {LEAST_STEPS} are needed. Let traffic set out for longer; a stated <end> makes the"
            f" {order.warm_s:g} s of warm-up as short as it must be"
        )
    run = Run(order.seed, steps, order.step_s, order.warm_s, order.within_m, {})
    return with_velocities(np.array(rows).reshape(-1, len(COLUMNS)), run), steps, cast


def _command(order: GivenOrder, scenario: Scenario, config: Path) -> list[str]:
    command = [str(sumo_home() / "bin" / "sumo"), "-c", str(config)]
    command += ["--step-length", str(order.step_s), "--seed", str(order.seed), "--random", "false"]
    command += ["--no-step-log", "true", "--verbose", "false", "--aggregate-warnings", "2"]
    if not scenario.moves_sideways:
        command += ["--lanechange.duration", LANE_CHANGE_S]
    return command


def warm(sumo: Any, order: GivenOrder, scenario: Scenario, place: tuple[float, float]) -> None:
    """Go on for warm_s after the scenario's begin, then until BUSY users are in the region, WAITS_S at most.

    Both end sooner where the scenario's stated end would leave no time for the steps.
    """
    last_s = math.inf if scenario.end_s is None else scenario.end_s - (order.steps + 2) * order.step_s
    begin_s = sumo.simulation.getTime()
    for _ in _until(sumo, scenario, min(begin_s + order.warm_s, last_s)):
        pass
    for _ in _until(sumo, scenario, min(begin_s + order.warm_s + WAITS_S, last_s)):
        if len(list(_users(sumo, place, 0, order.region_m, Cast()))) >= BUSY:
            return


def _until(sumo: Any, scenario: Scenario, until_s: float) -> Iterator[None]:
    while sumo.simulation.getTime() < until_s - 1e-6 and not _over(sumo, scenario):
        yield
        sumo.simulationStep()


def _over(sumo: Any, scenario: Scenario) -> bool:
    ended = scenario.end_s is not None and sumo.simulation.getTime() >= scenario.end_s - 1e-6
    return bool(ended or sumo.simulation.getMinExpectedNumber() == 0)


def _users(
    sumo: Any, place: tuple[float, float], step: int, within_m: float, cast: Cast
) -> Iterator[tuple[float, ...]]:
    """Rows of all within so many metres: vehicles, and persons who walk or wait for a vehicle."""
    for domain, on_foot in ((sumo.vehicle, False), (sumo.person, True)):
        for name in domain.getIDList():
            x, y = domain.getPosition(name)
            x, y = x - place[0], y - place[1]
            if math.hypot(x, y) > within_m + LONGEST_M or (on_foot and not _is_out(domain, name)):
                continue
            found = cast.body(domain, name, on_foot)
            if found is None:
                cast.left_out.setdefault(domain.getVehicleClass(name), set()).add(name)
                continue
            angle, (kind, size) = domain.getAngle(name), found
            if not on_foot:
                x, y = middle((x, y), angle, size[0])
            if math.hypot(x, y) < within_m:
                number = cast.numbers.setdefault(f"{on_foot} {name}", len(cast.numbers) + 1)
                yield (step, number, kind, x, y, angle, domain.getSpeed(name), *size)


def _is_out(persons: Any, name: str) -> bool:
    """Whether a person can be seen: not in a vehicle, not in a stop's house, not on a way to a platform."""
    if persons.getVehicle(name):
        return False
    return persons.getStage(name, 0).type in (WALKS, RIDES)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (NoSumo, UnfitScenario) as unfit:
        sys.exit(str(unfit))
