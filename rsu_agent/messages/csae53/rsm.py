"""RSM of T/CSAE 53-2020: the RSU's own entry in every part, at most 15 road users each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from rsu_agent.messages.csae53.units import centimetres, heading, offset, position_confidence
from rsu_agent.messages.fields import position, speed
from rsu_agent.world.place import GeoPoint, LocalFrame
from rsu_agent.world.road_user import V2X, RoadUser, UserClass

USERS_A_PART = 15  # 16 participants, one of them the RSU (field-rules 5.2)
REUSE_S = 30.0
IDS = range(1, 256)

TYPES: dict[UserClass, str] = {
    UserClass.CAR: "motor",
    UserClass.TRUCK: "motor",
    UserClass.BUS: "motor",
    UserClass.MOTORCYCLE: "non-motor",
    UserClass.BICYCLE: "non-motor",
    UserClass.TRICYCLE: "non-motor",
    UserClass.CART: "non-motor",
    UserClass.PEDESTRIAN: "pedestrian",
    UserClass.UNKNOWN: "unknown",
}
CLASSES: dict[UserClass, int] = {
    UserClass.CAR: 10,
    UserClass.TRUCK: 25,
    UserClass.BUS: 50,
    UserClass.MOTORCYCLE: 40,
    UserClass.BICYCLE: 85,
    UserClass.TRICYCLE: 47,
    UserClass.CART: 1,
    UserClass.PEDESTRIAN: 82,
    UserClass.UNKNOWN: 0,
}
SOURCES = {"camera": "video", "radar": "microwaveRadar", V2X: V2X}
ID_BYTES = 8


class PtcIds:
    """ptcId 1..255 for tracks: the least recently used first, none again within 30 s of its last use."""

    def __init__(self) -> None:
        self._of_track: dict[int, int] = {}
        self._track_of: dict[int, int] = {}
        self._used_s: dict[int, float] = dict.fromkeys(IDS, -math.inf)  # the least recently used first

    def of(self, track: int, now_s: float) -> int | None:
        """The id of a track now; None when all are in use or too fresh."""
        number = self._of_track.get(track)
        if number is None:
            number = self._free(now_s)
            if number is None:
                return None
            self._of_track.pop(self._track_of.get(number, -1), None)
            self._of_track[track], self._track_of[number] = number, track
        del self._used_s[number]
        self._used_s[number] = now_s
        return number

    def _free(self, now_s: float) -> int | None:
        best, used_s = next(iter(self._used_s.items()))
        return best if now_s - used_s >= REUSE_S else None


def rsm_values(
    users: Sequence[RoadUser],
    kinds_of_sensor: dict[str, str],
    ids: PtcIds,
    origin: GeoPoint,
    rsu_id: bytes,
    sec_mark: int,
    now_s: float,
) -> Iterator[dict[str, Any]]:
    """The parts of one cycle, msgCnt 0 (the sender counts). sec_mark: the instant the states are for.

    kinds_of_sensor: sensor name -> "camera" or "radar".
    """
    frame = LocalFrame(origin)
    entries = [
        _user(user, number, frame, kinds_of_sensor, sec_mark)
        for user in users
        if (number := ids.of(user.track, now_s)) is not None
    ]
    parts = [entries[i : i + USERS_A_PART] for i in range(0, len(entries), USERS_A_PART)] or [[]]
    for part in parts:
        yield {
            "msgCnt": 0,
            "id": rsu_id,
            "refPos": position(origin),
            "participants": [_rsu(origin, sec_mark), *part],
        }


def _rsu(origin: GeoPoint, sec_mark: int) -> dict[str, Any]:
    return {
        "ptcType": "rsu",
        "ptcId": 0,
        "source": "selfinfo",
        "secMark": sec_mark,
        "pos": offset(origin, origin),
        "posConfidence": {"pos": "a50cm"},
        "speed": 0,
        "heading": heading(None),
        "size": {"width": 0, "length": 0},
    }


def _user(
    user: RoadUser, number: int, frame: LocalFrame, kinds_of_sensor: dict[str, str], sec_mark: int
) -> dict[str, Any]:
    value: dict[str, Any] = {
        "ptcType": TYPES[user.kind],
        "ptcId": number,
        "source": _source(user, kinds_of_sensor),
        "secMark": sec_mark,
        "pos": offset(frame.origin, frame.to_geo(user.x_east_m, user.y_north_m)),
        "posConfidence": {"pos": position_confidence(user.position_sd_m)},
        "speed": speed(user.speed_mps),
        "heading": heading(user.heading_deg),
        "size": {
            "width": centimetres(user.width_m, 1023),
            "length": centimetres(user.length_m, 4095),
            "height": max(1, min(127, round(user.height_m / 0.05))),
        },
        "vehicleClass": {"classification": CLASSES[user.kind]},
    }
    if user.v2x_id is not None:
        value["id"] = bytes.fromhex(user.v2x_id)[-ID_BYTES:].rjust(ID_BYTES, b"\0")
    return value


def _source(user: RoadUser, kinds_of_sensor: dict[str, str]) -> str:
    kinds = {V2X if name == V2X else kinds_of_sensor.get(name, "") for name in user.sources}
    if len(kinds) == 1:
        return SOURCES.get(kinds.pop(), "unknown")
    return "integrated" if kinds else "unknown"
