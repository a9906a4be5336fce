"""What every virtual radar sees of the road: returns and hits, with their errors (facts/radars 6)."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Rows = Sequence[Mapping[str, Any]]

RCS_DB = {  # dBsm: mean over users of a class, and its spread among them
    "pedestrian": (-8.0, 3.0),
    "bicycle": (0.0, 3.0),
    "motorcycle": (0.0, 3.0),
    "tricycle": (0.0, 3.0),
    "cart": (0.0, 3.0),
    "car": (10.0, 4.0),
    "truck": (20.0, 5.0),
    "bus": (20.0, 5.0),
}
CAR_RCS_DB = 10.0
RCS_FLICKER_DB = 1.5  # of one user from look to look: 0.3 to 2 dB where it stands alone
FADES = 4.0  # power falls with the fourth power of the range
REACH_SNR_DB = 16.0  # a car's at the reach
HALF_SNR_DB, SLOPE_DB = 10.0, 2.0  # detection: one in two there, logistic around it
SHADOW_DB = 12.0  # lost behind something large
TALL_M, LONG_M = 1.3, 3.0  # what is larger shadows others
FULL_LENGTH_M = 4.5  # a vehicle that gives all its points; shorter ones give fewer
STILL_MPS = 0.3
NEAREST_M = 3.0
AZIMUTH_SNR_DB = 15.0  # from here down the azimuth's error grows
ELEVATION_FACTOR = 2.0  # fewer antennas upward
GHOST_LOSS_DB = 10.0
CLUTTER_SNR_DB = (6.0, 12.0)
CLUTTER_MPS = 1.5
INTERFERED_DB, INTERFERED_CLUTTER = 6.0, 4.0  # floor raised, false returns multiplied
BLOCKED_DB = 40.0  # wet snow on the radome


@dataclass(frozen=True, slots=True)
class Traits:
    """What one kind of radar can do; the first values are those of TI Traffic Monitoring.

    reach_m: a car gives REACH_SNR_DB there. points: (fewest, most) a vehicle at 30 m, and at 70 m.
    clutter: false returns a look, Poisson. ghost: share of vehicles with one. most: detection's best chance.
    """

    reach_m: float = 70.0
    range_sd_m: float = 0.12
    range_step_m: float = 0.366
    azimuth_sd_rad: float = math.radians(1.0)
    azimuth_apart_rad: float = math.radians(15.0)
    doppler_sd_mps: float = 0.2
    doppler_step_mps: float = 0.579
    doppler_most_mps: float = 11.57
    points: tuple[tuple[int, int], tuple[int, int]] = ((3, 15), (1, 3))
    clutter: float = 5.0
    ghost: float = 0.05
    hides_still: bool = True
    most: float = 1.0


@dataclass(frozen=True, slots=True)
class Mount:
    """Where a radar hangs and what it is declared to see. Metres east and north, yaw clockwise from north."""

    x_m: float
    y_m: float
    height_m: float
    yaw_rad: float
    range_m: float
    half_rad: float

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Mount:
        """From a radar's entry in a site file."""
        pose, seen = entry["pose"], entry["field"]
        yaw, half = math.radians(pose["yaw_deg"]), math.radians(seen["half_angle_deg"])
        return cls(pose["x_east_m"], pose["y_north_m"], pose["height_m"], yaw, seen["range_m"], half)

    def turned(self, east: float, north: float) -> tuple[float, float]:
        """A vector as (forward, left)."""
        s, c = math.sin(self.yaw_rad), math.cos(self.yaw_rad)
        return east * s + north * c, north * s - east * c

    def placed(self, x: float, y: float) -> tuple[float, float]:
        """A place as (forward, left) of the radar."""
        return self.turned(x - self.x_m, y - self.y_m)

    def holds(self, forward_m: float, left_m: float) -> bool:
        """Whether it lies in the declared field."""
        away, bearing = math.hypot(forward_m, left_m), math.atan2(left_m, forward_m)
        return NEAREST_M < away < self.range_m and abs(bearing) < self.half_rad


@dataclass(frozen=True, slots=True)
class Return:
    """One detection: slant range, azimuth right positive, elevation up positive, doppler away positive.

    source: the user's id, None for clutter, negative for the ghost of a user.
    """

    range_m: float
    azimuth_rad: float
    elevation_rad: float
    doppler_mps: float
    snr_db: float
    source: int | None = None

    @property
    def xyz(self) -> tuple[float, float, float]:
        """Right, forward, up of the sensor, in metres."""
        flat = self.range_m * math.cos(self.elevation_rad)
        up = self.range_m * math.sin(self.elevation_rad)
        return flat * math.sin(self.azimuth_rad), flat * math.cos(self.azimuth_rad), up


@dataclass(frozen=True, slots=True)
class Hit:
    """A user that was detected in this look: its true centre and velocity, forward and left of the radar."""

    row: Mapping[str, Any]
    forward_m: float
    left_m: float
    vf_mps: float
    vl_mps: float
    snr_db: float
    rcs_db: float
    returns: tuple[Return, ...] = ()

    @property
    def away_mps(self) -> float:
        """Radial speed, positive away."""
        away = math.hypot(self.forward_m, self.left_m)
        return (self.vf_mps * self.forward_m + self.vl_mps * self.left_m) / max(away, 0.1)


@dataclass(frozen=True, slots=True)
class Look:
    """One measurement of the whole field, the nearest user first."""

    returns: tuple[Return, ...] = ()
    hits: tuple[Hit, ...] = ()


@dataclass(slots=True)
class Weather:
    """What stands between the radar and the road, and whether it still measures."""

    blocked: bool = False
    interference: bool = False
    frozen: bool = False


class RoadRadar:
    """Sans-IO: users in, a look out; the same seed and users give the same looks."""

    def __init__(self, mount: Mount, traits: Traits, seed: int, weather: Weather | None = None) -> None:
        self.mount, self.traits = mount, traits
        self.weather = weather or Weather()
        self._random = random.Random(seed)
        self._rcs: dict[int, float] = {}
        self._last = Look()

    def look(self, users: Rows) -> Look:
        """Returns and hits of one measurement."""
        if self.weather.frozen:
            return self._last
        returns: list[Return] = []
        hits: list[Hit] = []
        covers: list[tuple[float, float]] = []
        for away, row, forward, left in self._in_order(users):
            bearing = math.atan2(left, forward)
            hidden = any(low < bearing < high for low, high in covers)
            if row["h"] > TALL_M and row["l"] > LONG_M:
                half = 0.8 * math.atan2(max(row["l"], row["w"]) / 2, max(away, 1.0))
                covers.append((bearing - half, bearing + half))
            hit = self._hit(row, forward, left, hidden)
            if hit is not None:
                hits.append(hit)
                returns += [*hit.returns, *self._ghosts(hit)]
        self._rcs = {row["id"]: self._rcs[row["id"]] for row in users if row["id"] in self._rcs}
        self._last = Look((*self._merged(returns), *self._clutter()), tuple(hits))
        return self._last

    def chance(self, snr_db: float) -> float:
        """That something of this signal to noise is detected."""
        return self.traits.most / (1.0 + math.exp(-(snr_db - HALF_SNR_DB) / SLOPE_DB))

    def snr_db(self, rcs_db: float, away_m: float) -> float:
        """Of something this reflecting so far away, by this weather."""
        lost = INTERFERED_DB * self.weather.interference + BLOCKED_DB * self.weather.blocked
        fading = 10.0 * FADES * math.log10(max(away_m, 1.0) / self.traits.reach_m)
        return REACH_SNR_DB + rcs_db - CAR_RCS_DB - fading - lost

    def noise_sd_rad(self, snr_db: float) -> float:
        """The azimuth's error: grows with 1/SNR."""
        return self.traits.azimuth_sd_rad * math.sqrt(1.0 + 10.0 ** ((AZIMUTH_SNR_DB - snr_db) / 10.0))

    def _in_order(self, users: Rows) -> list[tuple[float, Mapping[str, Any], float, float]]:
        found = []
        for row in users:
            forward, left = self.mount.placed(row["x"], row["y"])
            found.append((math.hypot(forward, left), row, forward, left))
        return sorted(found, key=lambda entry: entry[0])

    def _hit(self, row: Mapping[str, Any], forward: float, left: float, hidden: bool) -> Hit | None:
        moving = math.hypot(row["vx"], row["vy"]) > STILL_MPS
        if not self.mount.holds(forward, left) or (self.traits.hides_still and not moving):
            return None
        dice = self._random
        rcs = self._rcs.get(row["id"])
        if rcs is None:
            rcs = self._rcs[row["id"]] = dice.gauss(*RCS_DB.get(row["cls"], (0.0, 3.0)))
        rcs += dice.gauss(0.0, RCS_FLICKER_DB)
        snr = self.snr_db(rcs, math.hypot(forward, left)) - SHADOW_DB * hidden
        if dice.random() >= self.chance(snr):
            return None
        hit = Hit(row, forward, left, *self.mount.turned(row["vx"], row["vy"]), snr, rcs)
        return replace(hit, returns=tuple(self._body(hit)))

    def _body(self, hit: Hit) -> list[Return]:
        """Points over the side of the body that faces the radar, fewer with range and for short ones."""
        row, dice = hit.row, self._random
        share = min(1.0, max(0.0, (math.hypot(hit.forward_m, hit.left_m) - 30.0) / 40.0))
        near, far = self.traits.points
        count = dice.uniform(near[0], near[1]) * (1.0 - share) + dice.uniform(far[0], far[1]) * share
        angle, returns = math.radians(row["heading"]), []
        for _ in range(max(1, round(count * min(1.0, row["l"] / FULL_LENGTH_M)))):
            along, across = dice.uniform(-0.45, 0.45) * row["l"], dice.uniform(-0.4, 0.4) * row["w"]
            x = row["x"] + math.sin(angle) * along + math.cos(angle) * across
            y = row["y"] + math.cos(angle) * along - math.sin(angle) * across
            forward, left = self.mount.placed(x, y)
            away = max(1.0, math.hypot(forward, left))
            doppler = (hit.vf_mps * forward + hit.vl_mps * left) / away
            away -= 0.25 * min(row["w"], row["l"])
            snr = max(3.0, hit.snr_db + dice.gauss(0.0, 1.0))
            up = dice.uniform(0.3, 0.7) * row["h"]
            returns.append(self._return(away, math.atan2(-left, forward), up, doppler, snr, row["id"]))
        return returns

    def _ghosts(self, hit: Hit) -> list[Return]:
        """Seen in a guard rail: the other side, or twice as far, at the same doppler."""
        dice = self._random
        if dice.random() >= self.traits.ghost or not hit.returns:
            return []
        true = max(hit.returns, key=lambda each: each.snr_db)
        snr, source = max(3.0, true.snr_db - GHOST_LOSS_DB), -hit.row["id"]
        if dice.random() < 0.5:
            return [replace(true, azimuth_rad=-true.azimuth_rad, snr_db=snr, source=source)]
        return [replace(true, range_m=2.0 * true.range_m, snr_db=snr, source=source)]

    def _clutter(self) -> list[Return]:
        mean = self.traits.clutter * (INTERFERED_CLUTTER if self.weather.interference else 1.0)
        dice, mount, returns = self._random, self.mount, []
        for _ in range(poisson(dice, mean)):
            away, azimuth = dice.uniform(5.0, mount.range_m), dice.uniform(-mount.half_rad, mount.half_rad)
            doppler, snr = dice.gauss(0.0, CLUTTER_MPS), dice.uniform(*CLUTTER_SNR_DB)
            returns.append(self._return(away, azimuth, 0.5, doppler, snr, None))
        return returns

    def _return(
        self, away: float, azimuth: float, up: float, doppler: float, snr: float, source: int | None
    ) -> Return:
        """With errors, in steps; away and up over the ground, up from the road."""
        dice, traits = self._random, self.traits
        slant = math.hypot(away, up - self.mount.height_m)
        elevation = math.asin((up - self.mount.height_m) / slant)
        sd = self.noise_sd_rad(snr)
        return Return(
            stepped(max(0.0, slant + dice.gauss(0.0, traits.range_sd_m)), traits.range_step_m),
            azimuth + dice.gauss(0.0, sd),
            elevation + dice.gauss(0.0, ELEVATION_FACTOR * sd),
            stepped(
                wrapped(doppler + dice.gauss(0.0, traits.doppler_sd_mps), traits.doppler_most_mps),
                traits.doppler_step_mps,
            ),
            snr,
            source,
        )

    def _merged(self, returns: Sequence[Return]) -> list[Return]:
        """Two users' returns in one cell of range and doppler, closer than the beam tells apart, are one."""
        traits, cells = self.traits, _Cells()
        for each in returns:
            cell = cells.at(each.range_m / traits.range_step_m, each.doppler_mps / traits.doppler_step_mps)
            for i, other in enumerate(cell):
                apart = abs(each.azimuth_rad - other.azimuth_rad)
                if each.source != other.source and apart < traits.azimuth_apart_rad:
                    cell[i] = blended(other, each)
                    break
            else:
                cell.append(each)
        return [each for cell in cells.found.values() for each in cell]


@dataclass(slots=True)
class _Cells:
    """Returns by range and doppler cell, in order of appearance."""

    found: dict[tuple[int, int], list[Return]] = field(default_factory=dict)

    def at(self, range_cell: float, doppler_cell: float) -> list[Return]:
        return self.found.setdefault((round(range_cell), round(doppler_cell)), [])


def blended(one: Return, other: Return) -> Return:
    """Two returns as the radar gives them: the stronger one, pulled towards the weaker by their powers."""
    strong, weak = (one, other) if one.snr_db >= other.snr_db else (other, one)
    share = 1.0 / (1.0 + 10.0 ** ((strong.snr_db - weak.snr_db) / 10.0))
    azimuth = strong.azimuth_rad + share * (weak.azimuth_rad - strong.azimuth_rad)
    return replace(strong, azimuth_rad=azimuth)


def stepped(value: float, step: float) -> float:
    """The nearest multiple of a step."""
    return round(value / step) * step


def wrapped(doppler_mps: float, most_mps: float) -> float:
    """As it appears between -most and +most: what is faster comes in again from the other side."""
    return (doppler_mps + most_mps) % (2.0 * most_mps) - most_mps


def poisson(dice: random.Random, mean: float) -> int:
    """So many by chance."""
    limit, count, product = math.exp(-mean), 0, dice.random()
    while product > limit:
        count += 1
        product *= dice.random()
    return count
