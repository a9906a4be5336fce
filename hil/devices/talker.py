"""A vehicle that sends BSMs of T/CSAE 53: which ones do, what each says, how its GNSS errs. Sans-IO."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hil.devices.vehicle_codec import encode_bsm
from hil.world.make_crossing import REFERENCE, to_lonlat

CLASSES = {"car": 10, "truck": 25, "bus": 50}  # BasicVehicleClass: who may send, and as what
PERIOD_S = 0.1
COUNTS = 128  # msgCnt 0..127
MINUTE_MS = 60_000
BIAS_SD_M, WANDER_SD_M, WANDER_S = 0.6, 0.2, 20.0
CONFIDENCE = "k9"  # a1m: the class that holds the two deviations together, 0.63 m
FASTEST = 8190  # of 0.02 m/s; 8191 is unavailable
UNKNOWN_ACCELERATION = {"long": 2001, "lat": 2001, "vert": -127, "yaw": 0}


@dataclass(frozen=True, slots=True)
class Said:
    """One BSM on its way.

    sender: who of the road sends it, None for a vehicle that is not there. x_m, y_m: where the sender truly
    is. lie: the message puts it elsewhere. again: bytes that were sent before.
    """

    data: bytes
    sender: int | None
    id: bytes
    x_m: float
    y_m: float
    lie: bool = False
    again: bool = False


def sends(user: Mapping[str, Any], seed: int, share: float) -> bool:
    """Whether this user of the road has a radio: the same ones for the same seed, more as share grows."""
    digest = hashlib.blake2b(f"{seed}:{user['id']}".encode(), digest_size=8).digest()
    return user["cls"] in CLASSES and int.from_bytes(digest, "big") < share * 2**64


class GnssError:
    """Metres that one receiver is off: a bias for ever, and first-order Gauss-Markov noise."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._bias = [dice.gauss(0, BIAS_SD_M) for _ in "xy"]
        self._wander = [dice.gauss(0, WANDER_SD_M) for _ in "xy"]
        self._at_s: float | None = None

    def at(self, now_s: float) -> tuple[float, float]:
        """East and north; instants do not go back."""
        passed_s = 0.0 if self._at_s is None else now_s - self._at_s
        self._at_s = now_s
        kept = math.exp(-passed_s / WANDER_S)
        fresh_m = WANDER_SD_M * math.sqrt(1 - kept * kept)
        self._wander = [each * kept + self._dice.gauss(0, fresh_m) for each in self._wander]
        (bias_x, bias_y), (x, y) = self._bias, self._wander
        return bias_x + x, bias_y + y


class Talker:
    """One vehicle's radio: its id, beat, count and errors follow from seed and number."""

    def __init__(self, number: int, seed: int, now_s: float) -> None:
        dice = random.Random(f"talker {seed} {number}")
        self.id = dice.randbytes(8)
        phase_s = dice.uniform(0, PERIOD_S)
        self.next_s = phase_s + math.ceil((now_s - phase_s) / PERIOD_S) * PERIOD_S
        self._gnss = GnssError(dice)
        self._count = -1

    def beat(self, now_s: float) -> bool:
        """Whether a message is due; beats that were missed are not made up for."""
        if now_s < self.next_s:
            return False
        self.next_s += PERIOD_S * (1 + int((now_s - self.next_s) / PERIOD_S))
        return True

    def message(
        self, user: Mapping[str, Any], now_s: float, utc_s: float, aside: tuple[float, float] = (0.0, 0.0)
    ) -> bytes:
        """The BSM of a user where it is now. aside: metres east and north that it lies."""
        off_x, off_y = self._gnss.at(now_s)
        self._count = (self._count + 1) % COUNTS
        place = user["x"] + off_x + aside[0], user["y"] + off_y + aside[1]
        return encode_bsm(bsm_value(user, place, self.id, self._count, utc_s))


def bsm_value(
    user: Mapping[str, Any], place: tuple[float, float], sender: bytes, count: int, utc_s: float
) -> dict[str, Any]:
    """What a user (metres, m/s, degrees) says from a place that it believes in, at an instant."""
    lon, lat = to_lonlat(place)
    speed_mps = math.hypot(user["vx"], user["vy"])
    return {
        "msgCnt": count,
        "id": sender,
        "secMark": round(utc_s * 1000) % MINUTE_MS,
        "pos": {
            "lat": round(lat * 1e7),
            "long": round(lon * 1e7),
            "elevation": round(REFERENCE["height_m"] * 10),
        },
        "posConfidence": {"pos": CONFIDENCE},
        "transmission": "g2",
        "speed": min(FASTEST, round(speed_mps / 0.02)),
        "heading": round(user["heading"] / 0.0125) % 28_800,
        "accelSet": UNKNOWN_ACCELERATION,
        "brakes": {"brakePadel": "on" if user.get("brake") else "off"},
        "size": {
            "width": round(user["w"] * 100),
            "length": round(user["l"] * 100),
            "height": round(user["h"] / 0.05),
        },
        "vehicleClass": {"classification": CLASSES[user["cls"]]},
    }
