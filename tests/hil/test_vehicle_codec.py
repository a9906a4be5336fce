"""The virtual vehicle's reading of T/CSAE 53-2020: bits put together by hand, as the facts describe them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.devices.vehicle_codec import decode, decode_air, encode_bsm
from hil.truth import TruthLog


class Bits:
    """Writes fields of a width, most significant bit first; padded with zeros to a whole byte."""

    def __init__(self) -> None:
        self.text = ""

    def put(self, *fields: tuple[int, int]) -> Bits:
        """(value, bits) after one another."""
        for value, width in fields:
            assert 0 <= value < 1 << width
            self.text += format(value, f"0{width}b")
        return self

    @property
    def data(self) -> bytes:
        text = self.text + "0" * (-len(self.text) % 8)
        return int(text, 2).to_bytes(len(text) // 8, "big")


def frame(index: int) -> Bits:
    """MessageFrame: no extension, alternative of five in three bits."""
    return Bits().put((0, 1), (index, 3))


def spat_frame(msg_cnt: int, phases: list[tuple[int, int, int | None]], node: int = 12) -> bytes:
    """Phases as (id, light, likely end in tenths or None); no times of the message."""
    bits = frame(3).put((0, 1), (0b000, 3), (msg_cnt, 7), (0, 5))  # no moy, timeStamp, name; one intersection
    bits.put((0, 1), (0b000, 3), (0b1, 1), (0, 16), (node, 16))  # no moy, timeStamp, confidence; region 0
    bits.put((0x0400, 16), (len(phases) - 1, 4))  # bit 5: fixed time
    for phase, light, likely in phases:
        bits.put((phase, 8), (0, 4), (0, 1), (likely is not None, 1), (0, 1), (light, 4))
        if likely is not None:
            bits.put((0, 1), (0, 1), (0b00000, 5), (0, 16), (likely, 16))  # counting, its required fields
    return bits.data


def rsm_frame(participants: list[dict[str, int]]) -> bytes:
    bits = frame(2).put((0, 1), (5, 7), (0x1122334455667788, 64))
    bits.put((0b1, 1), (226_900_000 + 900_000_000, 31), (1_143_400_000 + 1_799_999_999, 32), (450 + 4096, 16))
    bits.put((len(participants) - 1, 4))
    for p in participants:
        bits.put((0, 1), (0b000000, 6), (0, 1), (p["type"], 3), (p["id"], 16), (0, 1), (p["source"], 3))
        bits.put((p["mark"], 16), (0b0, 1), (2, 3), (p["east"] + 32768, 16), (p["north"] + 32768, 16))
        bits.put((0b0, 1), (10, 4), (p["speed"], 13), (p["heading"], 15))
        bits.put((0b0, 1), (p["width"], 10), (p["length"], 12))
    return bits.data


lights = [
    "unavailable",
    "dark",
    "flashing-red",
    "red",
    "flashing-green",
    "permissive-green",
    "protected-green",
]
lights += ["yellow", "flashing-yellow"]
phases = st.lists(
    st.tuples(st.integers(0, 255), st.integers(0, 8), st.none() | st.integers(0, 36001)),
    min_size=1,
    max_size=16,
)
participant = st.fixed_dictionaries(
    {
        "type": st.integers(0, 4), "id": st.integers(0, 65535), "source": st.integers(0, 7),
        "mark": st.integers(0, 65535), "east": st.integers(-32768, 32767),
        "north": st.integers(-32768, 32767), "speed": st.integers(0, 8191),
        "heading": st.integers(0, 28800), "width": st.integers(0, 1023), "length": st.integers(0, 4095),
    }
)  # fmt: skip


@settings(deadline=None)
@given(st.integers(0, 127), phases)
def test_a_spat_put_together_bit_by_bit_is_understood(
    count: int, said: list[tuple[int, int, int | None]]
) -> None:
    kind, value = decode(spat_frame(count, said))
    assert (kind, value["msgCnt"]) == ("SPAT", count)
    (crossing,) = value["intersections"]
    assert crossing["intersectionId"] == {"region": 0, "id": 12}
    assert crossing["status"] == (0x0400, 16)
    got = []
    for phase in crossing["phases"]:
        (state,) = phase["phaseStates"]
        timing = state.get("timing")
        if timing is not None:
            assert timing[0] == "counting"
            assert timing[1]["startTime"] == 0
        got.append((phase["id"], lights.index(state["light"]), timing and timing[1]["likelyEndTime"]))
    assert got == said


@settings(deadline=None)
@given(st.lists(participant, min_size=1, max_size=16))
def test_an_rsm_put_together_bit_by_bit_is_understood(people: list[dict[str, int]]) -> None:
    kind, value = decode(rsm_frame(people))
    assert kind == "RSM"
    assert value["id"] == bytes.fromhex("1122334455667788")
    assert value["refPos"] == {"lat": 226_900_000, "long": 1_143_400_000, "elevation": 450}
    kinds = ["unknown", "motor", "non-motor", "pedestrian", "rsu"]
    for said, true in zip(value["participants"], people, strict=True):
        assert said["ptcType"] == kinds[true["type"]]
        assert (said["ptcId"], said["secMark"]) == (true["id"], true["mark"])
        assert said["pos"]["offsetLL"] == ("ll3", {"lon": true["east"], "lat": true["north"]})
        assert (said["speed"], said["heading"]) == (true["speed"], true["heading"])
        assert said["size"] == {"width": true["width"], "length": true["length"]}


def test_a_map_of_one_lane_put_together_bit_by_bit_is_understood() -> None:
    bits = frame(1).put((0, 1), (0b0, 1), (9, 7), (0, 6))  # no time stamp, one node
    bits.put((0, 1), (0b01, 2), (0b0, 1), (12, 16))  # node: no name, has links; no region
    bits.put((0b0, 1), (1_126_900_000, 31), (2_943_399_999, 32), (0, 5))  # position, one link
    bits.put((0, 1), (0b00100, 5), (0b0, 1), (21, 16), (350, 15), (0, 5))  # link: linkWidth only; one lane
    bits.put((0, 1), (0b000100, 6), (3, 8), (0, 4))  # lane 3: connectsTo only, one
    bits.put((0b01, 2), (0b0, 1), (22, 16), (101, 8))  # no connecting lane, phaseId 101
    kind, value = decode(bits.data)
    (node,) = value["nodes"]
    (link,) = node["inLinks"]
    assert (kind, node["id"], link["linkWidth"]) == ("MAP", {"id": 12}, 350)
    assert link["lanes"] == [
        {"laneID": 3, "connectsTo": [{"remoteIntersection": {"id": 22}, "phaseId": 101}]}
    ]


def test_an_rsi_event_put_together_bit_by_bit_is_understood() -> None:
    bits = frame(4).put((0, 1), (0b110, 3), (1, 7), (1000, 20), (1, 64))  # moy, events, no signs
    bits.put((0b0, 1), (1_126_900_000, 31), (2_943_399_999, 32), (0, 3))
    bits.put((0, 1), (0b01_0000_00, 8), (7, 8), (904, 16), (0, 1), (5, 3), (120, 16))  # with its radius only
    kind, value = decode(bits.data)
    assert (kind, value["moy"]) == ("RSI", 1000)
    assert value["rtes"] == [{"rteId": 7, "eventType": 904, "eventSource": "detection", "eventRadius": 120}]


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_whatever_arrives_is_understood_or_a_value_error(data: bytes) -> None:
    try:
        kind, _ = decode(data)
    except ValueError:
        return
    assert kind in {"SPAT", "MAP", "RSM", "RSI", "BSM"}


@settings(deadline=None)
@given(phases, st.data())
def test_a_cut_message_is_not_understood(
    said: list[tuple[int, int, int | None]], data: st.DataObject
) -> None:
    whole = spat_frame(1, said)
    with pytest.raises(ValueError, match="not understood"):
        decode(whole[: data.draw(st.integers(0, len(whole) - 2))])


def test_an_extension_of_the_second_phase_is_unknown_not_a_crash() -> None:
    with pytest.raises(ValueError, match="un"):
        decode(bytes.fromhex("80050b0301020300"))


def test_a_value_keeps_when_the_next_message_is_read() -> None:
    _, first = decode(spat_frame(1, [(1, 3, 100)]))
    kept = repr(first)
    decode(spat_frame(2, [(2, 6, 200), (3, 7, None)]))
    assert repr(first) == kept


def test_the_air_of_a_run_is_read_back_with_what_was_not_understood(tmp_path: Path) -> None:
    log = TruthLog(tmp_path, "vehicle")
    log.write("air", 1.5, hex=spat_frame(1, [(1, 3, None)]).hex())
    log.write("air", 2.5, hex="ff00")
    log.close()
    heard: list[tuple[float, str, Any]] = list(decode_air(tmp_path))
    assert [(t, kind) for t, kind, _ in heard] == [(1.5, "SPAT"), (2.5, "BAD")]
    assert heard[0][2]["msgCnt"] == 1


BSM: dict[str, Any] = {
    "msgCnt": 9,
    "id": bytes.fromhex("0102030405060708"),
    "secMark": 12_345,
    "pos": {"lat": 226_900_000, "long": 1_143_400_000},
    "transmission": "g2",
    "speed": 500,
    "heading": 7200,
    "accelSet": {"long": 0, "lat": 0, "vert": 0, "yaw": 0},
    "brakes": {"brakePadel": "off"},
    "size": {"width": 180, "length": 460},
    "vehicleClass": {"classification": 10},
}


def test_a_bsm_is_written_as_it_is_put_together_bit_by_bit() -> None:
    bits = frame(0).put((0, 1), (0b0000000, 7), (9, 7), (0x0102030405060708, 64), (12_345, 16))
    bits.put((0b0, 1), (1_126_900_000, 31), (2_943_399_999, 32), (2, 3), (500, 13), (7200, 15))
    bits.put((2000, 12), (2000, 12), (127, 8), (32_767, 16), (0b1000000, 7), (1, 2))
    bits.put((0b0, 1), (180, 10), (460, 12), (0, 1), (0b0, 1), (10, 8))
    assert encode_bsm(BSM) == bits.data
    assert decode(bits.data) == ("BSM", BSM)


@pytest.mark.parametrize("fault", [{"speed": 9000}, {"secMark": None}, {"id": b"short"}])
def test_a_bsm_out_of_range_is_refused(fault: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not a BSM"):
        encode_bsm({**BSM, **fault})
