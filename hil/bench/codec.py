"""SPAT, MAP and RSM through the generated codec, against asn1tools and pycrate in the same run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from typing import Any

from hil.bench.crossing import programme, reports, site
from hil.devices.vehicle_codec import decode as vehicle_decode
from rsu_agent.messages.csae53 import codec as ours
from rsu_agent.messages.csae53.map import map_value
from rsu_agent.messages.csae53.rsm import PtcIds, rsm_values
from rsu_agent.messages.csae53.units import Counts
from rsu_agent.runtime.beginning import beginning, speaker_of
from rsu_agent.world.road_user import RoadUser, UserClass

ROUNDS = 7  # ours and theirs by turns: both meet the same host
WORTH_S = 0.05  # of ours a round
PEOPLE = 16  # an RSM is full with them, the RSU among them
SENSORS, RSU_ID = {"camera": "camera"}, b"RSU00001"


def codec(seed: int) -> dict[str, Any]:
    """Microseconds to encode and decode each message once; ratio = asn1tools / ours, the least of all."""
    import asn1tools

    schema = files("rsu_agent.messages.csae53") / "schema.asn"
    theirs = asn1tools.compile_string(schema.read_text(), "uper")
    figures: dict[str, Any] = {}
    for name, value in _values(seed).items():
        frame = ours.encode(value)
        if theirs.encode("MessageFrame", value) != frame:
            raise AssertionError(f"asn1tools gives other bytes for {name}: nothing to compare")
        mine, other, pycrate = _by_turns(
            partial(_there_and_back, ours.encode, ours.decode, value),
            partial(
                _there_and_back,
                partial(theirs.encode, "MessageFrame"),
                partial(theirs.decode, "MessageFrame"),
                value,
            ),
            partial(vehicle_decode, frame),
        )
        figures |= {f"{name}_us": mine, f"asn1tools_{name}_us": other, f"pycrate_{name}_decode_us": pycrate}
        figures |= {f"{name}_ratio": round(other / mine, 2), f"{name}_bytes": len(frame)}
    return {**figures, "ratio": min(v for key, v in figures.items() if key.endswith("_ratio"))}


def _values(seed: int) -> dict[str, tuple[str, Any]]:
    """Messages as the virtual crossing sends them."""
    read = site()
    speaker = speaker_of(beginning(read), Counts())
    speaker.saw(programme())
    spoken = None
    for report in reports(70.0, seed, 1000.0):
        speaker.saw(report)
        spoken = speaker.speak(report.last_byte_s, None)
    assert spoken is not None
    assert spoken.frame is not None
    crossing = read.crossing
    return {
        "spat": ours.decode(spoken.frame),
        "map": ("mapFrame", map_value(crossing, speaker.table, None, 1, region=crossing.region)),
        "rsm": (
            "rsmFrame",
            next(rsm_values(_users(), SENSORS, PtcIds(), crossing.origin, RSU_ID, 12_345, 0.0)),
        ),
    }


def _users() -> tuple[RoadUser, ...]:
    return tuple(
        RoadUser(n, UserClass.CAR, 3.0 * n, -2.0, 8.0, 0.5, 8.0, 90.0, 4.5, 1.8, 1.5, 0.4, ("camera",), 0.0)
        for n in range(1, PEOPLE)
    )


def _there_and_back(encode: Callable[[Any], bytes], decode: Callable[[bytes], Any], value: Any) -> None:
    decode(encode(value))


def _by_turns(*works: Callable[[], object]) -> list[float]:
    """Microseconds of each: the median of rounds that follow each other."""
    taken: list[list[float]] = [[] for _ in works]
    began_s = time.perf_counter()
    works[0]()
    loops = max(3, int(WORTH_S / max(1e-6, time.perf_counter() - began_s)))
    for _ in range(ROUNDS):
        for work, mine in zip(works, taken, strict=True):
            began_s = time.perf_counter()
            for _ in range(loops):
                work()
            mine.append((time.perf_counter() - began_s) / loops)
    return [round(statistics.median(mine) * 1e6, 1) for mine in taken]
