"""Where the virtual crossing's lamp groups hang and what shape they have: for protocols that tell it."""

from __future__ import annotations

DEGREES = {"N": 0, "E": 105, "S": 180, "W": 270}  # clockwise from north, as config/crossings/virtual.geojson
_ARMS: dict[str, tuple[int, ...]] = {
    "N": (1, 5, 9, 13, 17, 22),
    "E": (2, 6, 10, 14, 18, 24),
    "S": (3, 7, 11, 12, 15, 19, 23),
    "W": (4, 8, 16, 20, 21),
}
DIRECTION: dict[int, int] = {group: DEGREES[arm] for arm, groups in _ARMS.items() for group in groups}

STRAIGHT, LEFT, RIGHT, ROUND, LEFT_BICYCLE, RIGHT_BICYCLE, BICYCLE, PEDESTRIAN, U_TURN = range(1, 10)
# Two of one type hang on the east arm (2, its repeater 24) and on the south arm (7, the waiting area's 12).
LAMP_TYPE: dict[int, int] = {
    **dict.fromkeys((1, 2, 3, 4, 24), ROUND),
    **dict.fromkeys((5, 6, 7, 8, 12), LEFT),
    **dict.fromkeys((9, 10, 11), RIGHT),
    **dict.fromkeys((13, 14, 15, 16), BICYCLE),
    **dict.fromkeys((17, 18, 19, 20), PEDESTRIAN),
    21: U_TURN,
    **dict.fromkeys((22, 23), LEFT_BICYCLE),
}
