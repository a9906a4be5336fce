"""The virtual ARS408: the facts' worked frames byte for byte, cycles, configuration, NanoRadar's dialect."""

from __future__ import annotations

import statistics
import struct
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.devices.ars_codec import (
    MESSAGES,
    RMS_DEG,
    RMS_M,
    RadarConfig,
    can_frame,
    configured,
    get,
    rms_code,
)
from hil.devices.ars_front import ArsFront
from hil.devices.radar_faults import RadarFaults
from tests.hil.radar_road import fitting, run, user

ROAD = [
    user(-3, 30),
    user(4, 60, 0, -8, number=2),
    user(10, 80, 0, 0, "truck", 3),
    user(20, 40, -9, 0, number=4),
]


def cans(text: str) -> bytes:
    identifier, data = text.split("#")
    return struct.pack(">H", int(identifier, 16)) + bytes.fromhex(data)


# A reader of the tests' own, from the shift form of the facts


def general(data: bytes) -> tuple[int, float, float, float, float, int, float]:
    d = data
    return (
        d[0],
        ((d[1] << 5) | (d[2] >> 3)) * 0.2 - 500,
        (((d[2] & 7) << 8) | d[3]) * 0.2 - 204.6,
        ((d[4] << 2) | (d[5] >> 6)) * 0.25 - 128,
        (((d[5] & 0x3F) << 3) | (d[6] >> 5)) * 0.25 - 64,
        d[6] & 7,
        d[7] * 0.5 - 64,
    )


@pytest.mark.parametrize(
    ("name", "values", "frame"),
    [
        ("objects", {"count": 2, "counter": 1000, "version": 1}, "60A#0203E810"),
        (
            "object",
            {"id": 7, "long": 42.4, "lat": -3.6, "vlong": -8.5, "vlat": 0.25, "dyn": 2, "rcs": 10.0},
            "60B#0754C3ED77A02294",
        ),
        (
            "quality",
            {
                "id": 7, "long_rms": 14, "lat_rms": 15, "vlong_rms": 13, "vlat_rms": 16, "along_rms": 20,
                "alat_rms": 20, "orientation_rms": 18, "exists": 5, "state": 2,
            },
            "60C#0773DB0A5240A8",
        ),
        (
            "extended",
            {
                "id": 7, "along": -1.2, "alat": 0.1, "kind": 1, "orientation": -12.0, "length": 4.6,
                "width": 1.8,
            },
            "60D#076E104169001709",
        ),
    ],
)  # fmt: skip
def test_the_worked_frames_of_the_facts(name: str, values: dict[str, float], frame: str) -> None:
    assert can_frame(name, 0, values) == cans(frame)


@pytest.mark.parametrize("sensor", range(8))
def test_each_sensor_has_identifiers_of_its_own(sensor: int) -> None:
    for name, kind in MESSAGES.items():
        frame = can_frame(name, sensor, {})
        assert struct.unpack(">H", frame[:2])[0] == kind.base + 16 * sensor
        assert len(frame) == 2 + kind.size


def test_the_worked_configurations_of_the_facts() -> None:
    before = RadarConfig(sort=0, ext=0, quality=0, output=2)
    config, store = configured(before, bytes.fromhex("F8000000089C0000"))
    assert (config.output, config.quality, config.ext, config.sort, store) == (1, 1, 1, 1, True)
    assert config.max_distance == before.max_distance, "its valid bit is not set"
    config, store = configured(before, bytes.fromhex("79190000081C0000"))
    assert (config.output, config.quality, config.ext, config.sort, store) == (1, 1, 1, 1, False)
    assert config.max_distance == 200


@given(st.binary(max_size=12))
def test_no_configuration_is_beyond_what_its_bits_can_say(data: bytes) -> None:
    config, _ = configured(RadarConfig(), data)
    assert 0 <= config.sensor < 8
    assert 0 <= config.output < 4
    assert 0 <= config.max_distance <= 2046


@given(
    st.floats(-100, 300),
    st.floats(-100, 100),
    st.floats(-60, 60),
    st.floats(-30, 30),
    st.integers(0, 7),
    st.floats(-60, 60),
)
def test_objects_come_back_within_half_a_step_by_the_shift_form(
    long: float, lat: float, vlong: float, vlat: float, dyn: int, rcs: float
) -> None:
    frame = can_frame(
        "object", 0, {"id": 9, "long": long, "lat": lat, "vlong": vlong, "vlat": vlat, "dyn": dyn, "rcs": rcs}
    )
    number, *values = general(frame[2:])
    assert (number, values[4]) == (9, dyn)
    assert values[:2] == pytest.approx([long, lat], abs=0.1001)
    assert values[2:4] == pytest.approx([vlong, vlat], abs=0.1251)
    assert values[5] == pytest.approx(rcs, abs=0.2501)


def test_a_cluster_is_laid_out_with_a_narrower_side() -> None:
    """Facts: DistLat 17|10 (0.2, -102.3). 3.5 m to the left: raw 529 = 10 0001 0001."""
    data = can_frame("cluster", 0, {"id": 1, "long": 42.4, "lat": 3.5})[2:]
    assert (data[2] & 3) << 8 | data[3] == 529
    assert (data[1] << 5 | data[2] >> 3) * 0.2 - 500 == pytest.approx(42.4)


@pytest.mark.parametrize(
    ("sd", "code"), [(0.005, 0), (0.0051, 1), (0.1, 12), (0.105, 12), (0.106, 13), (10.0, 30), (11.0, 31)]
)
def test_an_error_is_told_as_the_next_greater_bound(sd: float, code: int) -> None:
    assert rms_code(sd) == code
    assert len(RMS_M) == len(RMS_DEG) == 31


# Cycles


def split(gone: list[tuple[float, bytes]]) -> list[tuple[int, float, bytes]]:
    return [(struct.unpack(">H", frame[:2])[0], at, frame[2:]) for at, frame in gone]


def cycles(gone: list[tuple[float, bytes]], status: int = 0x60A) -> list[list[tuple[int, float, bytes]]]:
    """Frames from one status to the next; state and version apart."""
    found: list[list[tuple[int, float, bytes]]] = []
    for identifier, at, data in split(gone):
        if identifier == status:
            found.append([])
        if found and identifier not in (0x201, 0x700):
            found[-1].append((identifier, at, data))
    return found[:-1]


def test_every_cycle_is_a_status_and_three_groups_in_the_same_order() -> None:
    for cycle in cycles(run(ArsFront(fitting()), ROAD, 0.0, 20.0)):
        count = cycle[0][2][0]
        assert [identifier for identifier, _, _ in cycle] == [0x60A] + [0x60B] * count + [0x60C] * count + [
            0x60D
        ] * count
        numbers = [data[0] for _, _, data in cycle[1:]]
        assert numbers[:count] == numbers[count : 2 * count] == numbers[2 * count :]
        assert [len(data) for _, _, data in cycle] == [4] + [8] * count + [7] * count + [8] * count


def test_cycles_take_seventy_and_seventy_five_milliseconds_and_count_by_two() -> None:
    found = cycles(run(ArsFront(fitting()), ROAD, 0.0, 40.0, 0.0005))
    counters = [struct.unpack(">H", cycle[0][2][1:3])[0] for cycle in found]
    assert {(b - a) % 0x10000 for a, b in pairwise(counters)} == {2}
    begun = [cycle[0][1] for cycle in found]
    periods = [b - a for a, b in pairwise(begun)]
    assert min(periods) > 0.068
    assert max(periods) < 0.0775
    assert statistics.fmean(periods) == pytest.approx(0.0725, abs=0.0005)


def test_state_and_version_come_once_a_second() -> None:
    gone = split(run(ArsFront(fitting()), [], 0.0, 10.5))
    for identifier in (0x201, 0x700):
        times = [at for found, at, _ in gone if found == identifier]
        assert len(times) == 11
        assert all(b - a == pytest.approx(1.0, abs=0.003) for a, b in pairwise(times))


def test_an_empty_road_gives_empty_cycles() -> None:
    found = cycles(run(ArsFront(fitting(seed=5)), [], 0.0, 5.0))
    assert sum(len(cycle) == 1 for cycle in found) > 50


def test_what_is_predicted_is_six_to_nine_of_a_hundred_objects() -> None:
    front, states = ArsFront(fitting(seed=2)), []
    near = [{**u, "vx": 0.0, "vy": 0.0} for u in ROAD]
    for cycle in cycles(run(front, near, 0.0, 150.0, 0.005)):
        states += [(data[6] >> 2) & 7 for identifier, _, data in cycle if identifier == 0x60C]
    share = states.count(3) / len(states)
    assert 0.05 < share < 0.095
    assert {0, 1, 2, 3} <= set(states)


def test_objects_say_how_they_move() -> None:
    last: dict[tuple[int, int], int] = {}
    for cycle in cycles(run(ArsFront(fitting()), ROAD, 0.0, 2.0)):
        for identifier, _, data in cycle:
            if identifier == 0x60B:
                *_, vlong, vlat, dyn, _ = general(data)
                last[(round(vlong / 4), round(vlat / 4))] = dyn
    assert last[(1, 0)] == 0, "going away"
    assert last[(-2, 0)] == 2, "oncoming"
    assert last[(0, 0)] == 1, "never seen to move"
    assert last[(0, 2)] == 6, "crossing"


def test_left_is_positive_and_the_body_is_turned_against_the_axis() -> None:
    """A car that comes from the right, west-bound: it points 90 degrees to the left of the axis."""
    left = user(-10, 50, -5, 0)
    cycle = cycles(run(ArsFront(fitting()), [left], 0.0, 1.0))[-1]
    _, _, lat, _, vlat, *_ = general(next(data for identifier, _, data in cycle if identifier == 0x60B))
    assert lat == pytest.approx(10 + 5 * 0.8, abs=1.2)
    assert vlat == pytest.approx(5, abs=0.6)
    extended = next(data for identifier, _, data in cycle if identifier == 0x60D)
    assert (extended[4] << 2 | extended[5] >> 6) * 0.4 - 180 == pytest.approx(90, abs=0.3)
    assert (extended[6] * 0.2, extended[7] * 0.2) == pytest.approx((4.6, 1.8), abs=0.11)
    assert extended[3] & 7 == 1


# Configuration and state


def state(front: ArsFront, from_s: float) -> dict[str, float]:
    """The next 0x201, whatever the sensor's number is."""
    for identifier, _, data in split(run(front, [], from_s, from_s + 1.2)):
        if identifier & 0xF0F == 0x201:
            layout = MESSAGES["state"].layout
            return {"identifier": identifier} | {name: get(data, signal) for name, signal in layout.items()}
    raise AssertionError("no state")


def test_a_stored_configuration_is_told_in_the_next_state_and_survives_a_reset() -> None:
    front = ArsFront(fitting())
    run(front, [], 0.0, 1.0)
    front.hear(cans("200#8200000002800000"), 1.0)
    told = state(front, 1.0)
    assert (told["identifier"], told["sensor"], told["nvm_write"]) == (0x221, 2, 1)
    told = state(front, 2.5)
    assert told["nvm_write"] == 0
    front.reset()
    assert state(front, 4.0)["sensor"] == 2


def test_what_is_not_stored_is_forgotten_with_power() -> None:
    front = ArsFront(fitting())
    front.hear(cans("200#0200000003000000"), 0.0)
    assert state(front, 0.0)["identifier"] == 0x231
    front.reset()
    assert state(front, 2.0)["identifier"] == 0x201


def test_all_ones_leave_only_state_and_version_of_sensor_seven() -> None:
    front = ArsFront(fitting())
    front.hear(cans("200#FFFFFFFFFFFFFFFF"), 0.0)
    assert {identifier for identifier, _, _ in split(run(front, ROAD, 0.0, 3.0))} == {0x271, 0x770}


def test_motion_counts_as_received_for_a_second() -> None:
    front = ArsFront(fitting())
    assert state(front, 0.0)["motion_rx"] == 3
    front.hear(cans("300#0000"), 1.9)
    assert state(front, 1.95)["motion_rx"] == 2
    front.hear(cans("300#0000"), 3.1)
    front.hear(cans("301#8000000000000000"), 3.1)
    assert state(front, 3.15)["motion_rx"] == 0
    assert state(front, 6.0)["motion_rx"] == 3


def test_clusters_on_request() -> None:
    front = ArsFront(fitting())
    front.hear(cans("200#1800000010040000"), 0.0)
    found = cycles(run(front, ROAD, 0.0, 5.0), 0x600)
    assert len(found) > 50
    for cycle in found[1:]:
        count = cycle[0][2][0] + cycle[0][2][1]
        assert [identifier for identifier, _, _ in cycle] == [0x600] + [0x701] * count + [0x702] * count
    assert max(len(cycle) for cycle in found) > 8


def test_faults_show_in_the_state() -> None:
    faults = RadarFaults(1)
    front = ArsFront(fitting(faults=faults))
    assert (state(front, 0.0)["interference"], state(front, 1.2)["temporary_error"]) == (0, 0)
    faults.obey("interference", True, 3.0)
    faults.obey("blocked", True, 3.0)
    told = state(front, 3.0)
    assert (told["interference"], told["temporary_error"]) == (1, 1)


def test_reordered_the_first_group_has_another_order_than_the_others() -> None:
    faults = RadarFaults(1)
    faults.obey("reorder", True, 0.0)
    different = 0
    for cycle in cycles(run(ArsFront(fitting(faults=faults)), ROAD, 0.0, 10.0)):
        count = cycle[0][2][0]
        numbers = [data[0] for _, _, data in cycle[1:]]
        assert sorted(numbers[:count]) == sorted(numbers[count : 2 * count])
        different += numbers[:count] != numbers[count : 2 * count]
    assert different > 50


def test_nanoradar_pads_to_eight_turns_the_side_and_sends_no_quality() -> None:
    seen: dict[int, Any] = {}
    for cycle in cycles(run(ArsFront(fitting(dialect="nano")), [user(10, 50)], 0.0, 3.0)):
        for identifier, _, data in cycle:
            assert len(data) == 8
            seen[identifier] = data
    assert set(seen) == {0x60A, 0x60B}
    _, _, lat, _, _, dyn, _ = general(seen[0x60B])
    assert lat == pytest.approx(10, abs=1.5), "right is positive"
    assert dyn == 0
    assert seen[0x60B][6] >> 3 & 3 == 1, "a vehicle"
    assert seen[0x60A][3] >> 4 == 1
