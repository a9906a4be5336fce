"""The guard's own reading of SPATEM and of J2735's SPAT: as the codec wrote it, or refused."""

from __future__ import annotations

import contextlib
import copy
import random
from typing import Any

import pytest

from rsu_agent.messages.dsrc.units import Edition
from rsu_agent.messages.etsi import pdu
from rsu_agent.messages.j2735 import frame
from rsu_agent.outlets.bits import NotSpat
from rsu_agent.outlets.dsrc_reader import DsrcRead, read_frame, read_spatem

STATES = (
    "unavailable",
    "dark",
    "stop-Then-Proceed",
    "stop-And-Remain",
    "pre-Movement",
    "permissive-Movement-Allowed",
    "protected-Movement-Allowed",
    "permissive-clearance",
    "protected-clearance",
    "caution-Conflicting-Traffic",
)


def spat(dice: random.Random) -> dict[str, Any]:
    """A SPAT as the mapper makes it, of any numbers."""
    some = {
        "startTime": dice.randint(0, 36_001),
        "maxEndTime": dice.randint(0, 36_001),
        "likelyTime": dice.randint(0, 36_001),
        "confidence": dice.randint(0, 15),
        "nextTime": dice.randint(0, 36_001),
    }
    states = []
    for group in range(1, dice.randint(2, 40)):
        event: dict[str, Any] = {"eventState": dice.choice(STATES)}
        if dice.random() < 0.7:
            kept = {name: value for name, value in some.items() if dice.random() < 0.6}
            event["timing"] = {"minEndTime": dice.randint(0, 36_001), **kept}
        states.append({"signalGroup": group, "state-time-speed": [event]})
    stamp = (
        {"moy": dice.randint(0, 527_040), "timeStamp": dice.randint(0, 65_535)} if dice.random() < 0.5 else {}
    )
    node = {"id": dice.randint(0, 65_535)} | (
        {"region": dice.randint(0, 65_535)} if dice.random() < 0.5 else {}
    )
    crossing = {"id": node, "revision": dice.randint(0, 127), "status": (dice.randbytes(2), 16), **stamp}
    minute = {"timeStamp": stamp["moy"]} if stamp else {}
    return {**minute, "intersections": [{**crossing, "states": states}]}


def spatem(value: dict[str, Any]) -> bytes:
    return pdu.encode(("SPATEM", {"header": pdu.header("SPATEM", 7), "spat": value}))


def same(read: DsrcRead, value: dict[str, Any]) -> None:
    crossing = value["intersections"][0]
    assert (read.minute, read.millisecond) == (crossing.get("moy"), crossing.get("timeStamp"))
    assert (read.region, read.node) == (crossing["id"].get("region"), crossing["id"]["id"])
    assert (read.revision, read.status) == (
        crossing["revision"],
        int.from_bytes(crossing["status"][0], "big"),
    )
    assert len(read.movements) == len(crossing["states"])
    for movement, told in zip(read.movements, crossing["states"], strict=True):
        event = told["state-time-speed"][0]
        timing = event.get("timing", {})
        marks = [timing.get(name) for name in ("startTime", "minEndTime", "maxEndTime", "likelyTime")]
        assert [movement.start, movement.least, movement.most, movement.likely] == marks
        assert (movement.group, STATES[movement.state]) == (told["signalGroup"], event["eventState"])


def test_it_reads_what_the_codec_writes_in_either_wrapping() -> None:
    dice = random.Random(41)
    for _ in range(300):
        value = spat(dice)
        same(read_spatem(spatem(value)), value)
        same(read_frame(frame.encode(("SPAT", value), Edition.J2735_2016)), value)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda v: v.update(name="x"), "named"),
        (lambda v: v["intersections"].append(copy.deepcopy(v["intersections"][0])), "several intersections"),
        (lambda v: v["intersections"][0].update(moy=5), "two times"),
        (lambda v: v["intersections"][0].update(enabledLanes=[1]), "with lanes"),
        (lambda v: v["intersections"][0]["states"][0].update(movementName="x"), "named movement"),
        (
            lambda v: v["intersections"][0]["states"][0]["state-time-speed"].append({"eventState": "dark"}),
            "several states",
        ),
        (
            lambda v: v["intersections"][0]["states"][0]["state-time-speed"][0].update(
                speeds=[{"type": "none"}]
            ),
            "with speeds",
        ),
    ],
)
def test_what_we_never_send_is_refused_by_name(change: Any, why: str) -> None:
    value = spat(random.Random(43))
    value.pop("timeStamp", None)
    for name in ("moy", "timeStamp"):
        value["intersections"][0].pop(name, None)
    read_spatem(spatem(value))
    change(value)
    with pytest.raises(NotSpat, match=why):
        read_spatem(spatem(value))


def test_other_messages_cut_ones_and_noise_are_refused() -> None:
    dice = random.Random(44)
    raw = spatem(spat(dice))
    with pytest.raises(NotSpat, match="another kind"):
        read_spatem(b"\x02\x05" + raw[2:])
    with pytest.raises(NotSpat, match="another kind"):
        read_frame(b"\x00\x12" + raw[2:])
    with pytest.raises(NotSpat, match="announced"):
        read_frame(frame.encode(("SPAT", spat(dice)), Edition.J2735_2016) + b"\0")
    for cut in range(len(raw)):
        with pytest.raises(NotSpat):
            read_spatem(raw[:cut])
    for _ in range(500):
        with contextlib.suppress(NotSpat):
            read_spatem(bytes(byte ^ (dice.random() < 0.02) << dice.randrange(8) for byte in raw))
