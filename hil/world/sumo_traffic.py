"""SUMO's vehicles and cycles on the virtual crossing, driven by the lamps that shine. One a process."""

from __future__ import annotations

import random
from pathlib import Path

from hil.world.crossing_read import RigCrossing, RigWay
from hil.world.routes import Route, routes_of
from hil.world.sumo import middle
from hil.world.sumo_lanes import EDGE, JUNCTION, build_lanes, edge
from hil.world.sumo_net import sumo_home
from hil.world.traffic import DENSITIES, GO, MOTOR, TWO_WHEEL
from hil.world.user import SIZES, User

BRAKES_MPSS = 0.7  # from here on the brake lights burn
FOR_EVER_S = 1e8
MOST_MPS = {
    "car": 13.9,
    "truck": 11.1,
    "bus": 11.1,
    "motorcycle": 6.9,
    "bicycle": 5.0,
    "tricycle": 5.0,
    "cart": 4.2,
}
CLASS = {"car": "passenger", "truck": "truck", "bus": "bus"}  # all others ride in the cycle lane
TURN_WEIGHT = {"through": 3.0, "u_turn": 0.25}


class SumoTraffic:
    """`users` as the built-in traffic has them, but no pedestrians: their walks are not in the net."""

    def __init__(self, crossing: RigCrossing, seed: int, density: str, step_s: float, folder: Path) -> None:
        home = sumo_home()  # before libsumo is imported
        import libsumo

        self.users: list[User] = []
        self.crossing, self._sumo = crossing, libsumo
        self._routes = {(route.entry, route.exit): route for route in routes_of(crossing)}
        self._net = build_lanes(folder, crossing)
        demand = folder / "lanes.rou.xml"
        demand.write_text(flows(crossing, density))
        command = [str(home / "bin" / "sumo"), "-n", str(self._net.path), "-r", str(demand)]
        command += ["--step-length", str(step_s), "--seed", str(seed), "--no-step-log", "--no-warnings"]
        libsumo.start([*command, "--time-to-teleport", "-1"])
        self._dice = random.Random(f"paint {seed}")
        self._met, self._at_s = 0, 0.0
        self._known: dict[str, tuple[int, str, Route, int]] = {}

    def step(self, dt_s: float, lamps: dict[int, str], _now_s: float) -> None:
        """Move everybody by dt_s under these lamps."""
        state = "".join(signal(way, lamps) for way in self._net.links)
        self._sumo.trafficlight.setRedYellowGreenState(JUNCTION, state)
        self._at_s += dt_s
        self._sumo.simulationStep(self._at_s)
        self.users = [self._user(name) for name in self._sumo.vehicle.getIDList()]
        there = {user.id for user in self.users}
        self._known = {name: who for name, who in self._known.items() if who[0] in there}

    def close(self) -> None:
        """End SUMO."""
        self._sumo.close()

    def _user(self, name: str) -> User:
        vehicle = self._sumo.vehicle
        number, cls, route, shade = self._known.get(name) or self._new(name)
        heading = vehicle.getAngle(name)
        user = User(
            number, cls, route, 0.0, vehicle.getSpeed(name), vehicle.getAllowedSpeed(name), shade=shade
        )
        user.x, user.y = middle(vehicle.getPosition(name), heading, SIZES[cls][0])
        user.heading, user.braking = heading, vehicle.getAcceleration(name) < -BRAKES_MPSS
        return user

    def _new(self, name: str) -> tuple[int, str, Route, int]:
        first, last = (int(lane.removeprefix(EDGE)) for lane in self._sumo.vehicle.getRoute(name))
        cls = self._sumo.vehicle.getTypeID(name).split("@")[0]
        self._met += 1
        self._known[name] = self._met, cls, self._routes[first, last], self._dice.randrange(1 << 16)
        return self._known[name]


def signal(way: RigWay, lamps: dict[int, str]) -> str:
    """SUMO's letter for a way: G goes first, g gives way, y stops who can, r stops."""
    colour = "dark" if way.group is None else lamps.get(way.group, "red")
    if colour in GO:
        return "G" if way.turn == "through" else "g"
    return {"yellow": "y", "dark": "g"}.get(colour, "r")


def flows(crossing: RigCrossing, density: str) -> str:
    """SUMO's demand without end, as dense as the built-in traffic's: each way has its share."""
    motor_hz, cycle_hz, *_ = DENSITIES[density]
    rows = [_type(cls) for cls in MOST_MPS]
    for name, mix in (("motor_lanes", MOTOR), ("bicycle_lanes", TWO_WHEEL)):
        kinds, shares = (" ".join(str(part) for part in column) for column in zip(*mix, strict=True))
        rows.append(f'<vTypeDistribution id="{name}" vTypes="{kinds}" probabilities="{shares}"/>')
    for use, rate_hz in (("motor", motor_hz), ("bicycle", cycle_hz)):
        ways = [way for way in crossing.ways if crossing.lanes[way.from_lane].use == use]
        ways = [way for way in ways if use == "motor" or way.turn == "through"]
        weights = [TURN_WEIGHT.get(way.turn, 1.0) for way in ways]
        rows += [
            _flow(way, f"{use}_lanes", rate_hz * weight / sum(weights))
            for way, weight in zip(ways, weights, strict=True)
        ]
    return "<routes>\n" + "\n".join(rows) + "\n</routes>\n"


def _type(cls: str) -> str:
    length, width, height = SIZES[cls]
    return (
        f'<vType id="{cls}" vClass="{CLASS.get(cls, "bicycle")}" length="{length}" width="{width}"'
        f' height="{height}" maxSpeed="{MOST_MPS[cls]}" speedFactor="normc(1,0.1,0.7,1.2)"/>'
    )


def _flow(way: RigWay, kind: str, rate_hz: float) -> str:
    return (
        f'<flow id="{way.from_lane}-{way.to_lane}" type="{kind}" begin="0" end="{FOR_EVER_S:.0f}"'
        f' probability="{rate_hz:.5f}" departSpeed="desired" departPos="base">'
        f'<route edges="{edge(way.from_lane)} {edge(way.to_lane)}"/></flow>'
    )
