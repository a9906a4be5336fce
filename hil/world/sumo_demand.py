"""Who sets out when and where in the SUMO crossing: routes written from a seed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

from hil.world.sumo_net import ARM_M, ARMS
from hil.world.user import SIZES

VEHICLE_CLASSES = {
    "car": ("passenger", 13.9),
    "truck": ("truck", 11.1),
    "bus": ("bus", 11.1),
    "motorcycle": ("motorcycle", 11.1),
    "bicycle": ("bicycle", 5.5),
}
TURNS = {"left": 0.12, "through": 0.68, "right": 0.2}
CYCLE_TURNS = {"left": 0.0, "through": 0.75, "right": 0.25}  # a left turn is ridden as two crossings
NEXT = {"left": {"n": "e", "e": "s", "s": "w", "w": "n"}, "right": {"n": "w", "w": "s", "s": "e", "e": "n"}}
NEXT["through"] = {"n": "s", "e": "w", "s": "n", "w": "e"}
WALK_MPS, WALK_SD = 1.3, 0.2
WALK_FROM_M, WALK_TO_M = 20.0, 80.0  # from the middle, where walks begin and end


def write(path: Path, seed: int, per_hour: Mapping[str, float], until_s: float) -> None:
    """A routes file. per_hour: departures an hour by class, all arms together, random in time (Poisson)."""
    dice = random.Random(f"demand {seed}")
    trips: list[tuple[float, str]] = []
    for kind, rate in sorted(per_hour.items()):
        at_s = dice.expovariate(rate / 3600.0) if rate else until_s
        while at_s < until_s:
            trips.append((at_s, _trip(dice, kind, len(trips), at_s)))
            at_s += dice.expovariate(rate / 3600.0)
    rows = [*_types(), *(row for _, row in sorted(trips))]
    path.write_text("<routes>\n" + "\n".join(rows) + "\n</routes>\n")


def _types() -> list[str]:
    rows = []
    for kind, (name, most_mps) in VEHICLE_CLASSES.items():
        length, width, height = SIZES[kind]
        free = ' latAlignment="arbitrary" minGapLat="0.3"' if kind == "motorcycle" else ""
        rows.append(
            f'<vType id="{kind}" vClass="{name}" length="{length}" width="{width}" height="{height}"'
            f' maxSpeed="{most_mps}" speedFactor="normc(1,0.1,0.7,1.3)"{free}/>'
        )
    length, width, height = SIZES["pedestrian"]
    rows.append(
        f'<vType id="pedestrian" vClass="pedestrian" length="{length}" width="{width}" height="{height}"'
        f' maxSpeed="{WALK_MPS}" speedFactor="normc(1,{WALK_SD},0.6,1.5)"/>'
    )
    return rows


def _trip(dice: random.Random, kind: str, number: int, at_s: float) -> str:
    begin = dice.choice(list(ARMS))
    if kind == "pedestrian":
        return _walk(dice, begin, number, at_s)
    turns = CYCLE_TURNS if kind == "bicycle" else TURNS
    turn = dice.choices(list(turns), list(turns.values()))[0]
    route = f"{begin}_in {NEXT[turn][begin]}_out"
    lane = "best" if kind == "bicycle" else "random"
    return (
        f'<vehicle id="{number}" type="{kind}" depart="{at_s:.2f}" departLane="{lane}" departSpeed="max">'
        f'<route edges="{route}"/></vehicle>'
    )


def _walk(dice: random.Random, begin: str, number: int, at_s: float) -> str:
    """On a footway of one arm, over the crossing, to a footway of an arm, perhaps of the same one."""
    end = dice.choice(list(ARMS))
    leave = dice.choice([f"{begin}_in", f"{begin}_out"])
    reach = dice.choice([f"{end}_in", f"{end}_out"])
    start_m, stop_m = (dice.uniform(WALK_FROM_M, WALK_TO_M) for _ in range(2))
    depart, arrive = _along(leave, start_m), _along(reach, stop_m)
    return (
        f'<person id="{number}" type="pedestrian" depart="{at_s:.2f}" departPos="{depart:.1f}">'
        f'<walk from="{leave}" to="{reach}" arrivalPos="{arrive:.1f}"/></person>'
    )


def _along(edge: str, from_middle_m: float) -> float:
    """The place on an edge so far from the middle; SUMO's edges end some metres before it."""
    return ARM_M - from_middle_m if edge.endswith("_in") else from_middle_m - WALK_FROM_M / 2
