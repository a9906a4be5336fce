"""Targets as JSON: field map, units, axes, WGS 84 onto the radar's plane, GCJ-02 refused, hostile JSON."""

from __future__ import annotations

import json
import math
import socket
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from drivers.json_udp import bounded_json
from drivers.json_udp.bounded_json import DEEPEST, LARGEST_BYTES, Refused, loads, number
from drivers.json_udp.driver import PLUGIN
from drivers.json_udp.link import Link
from drivers.json_udp.numbers import MOST_NAMES, WORDS_FROM, Numbers
from drivers.json_udp.settings import Settings
from drivers.json_udp.wire import MOST_TARGETS, at
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.devices import RadarFrame, RadarTarget
from rsu_agent.ports.plugins import plugins
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.settings.read import SiteInvalid, read_site
from rsu_agent.world.road_user import UserClass

CAPTURES = Path(__file__).parents[2] / "drivers/json_udp/captures/datagrams.jsonl"
SENSOR, WGS84, LIST = (line.encode() for line in CAPTURES.read_text().splitlines())
SHIPPED = Path(__file__).parents[2] / "config/virtual.yaml"

SENSOR_KEYS: dict[str, Any] = {
    "targets": "data.targets",
    "fields": {
        "id": "id", "x": "pos.x", "y": "pos.y", "speed": "speed", "heading": "heading",
        "kind": "type", "length": "len",
    },
    "time": "data.time", "frame": "seq", "position_unit": "mm", "size_unit": "mm",
    "heading_unit": "mdeg", "heading_from": "forward", "classes": {"4": "car"},
}  # fmt: skip
WGS84_KEYS: dict[str, Any] = {
    "targets": "participants", "time": "timestamp", "coord": "wgs84",
    "fields": {"id": "ptcId", "x": "lon", "y": "lat", "vx": "vE", "vy": "vN", "kind": "ptcType"},
    "lat_deg": 22.69, "lon_deg": 114.34, "yaw_deg": 90.0, "classes": {"6": "bus"},
}  # fmt: skip
LIST_KEYS: dict[str, Any] = {
    "fields": {"id": "id", "x": "x", "y": "y", "vx": "vx", "vy": "vy"}, "speed_unit": "kmh"
}  # fmt: skip


def chosen(keys: dict[str, Any] = LIST_KEYS, **more: object) -> Settings:
    return Settings.model_validate({"latency_ms": 0, **keys, **more})


def run(keys: dict[str, Any], *datagrams: bytes, **more: object) -> tuple[list[RadarFrame], Link]:
    link = Link(chosen(keys, **more), 0.0)
    return [f for n, data in enumerate(datagrams) for f in link.receive(data, 1.0 + 0.1 * n)], link


def only(keys: dict[str, Any], data: bytes, **more: object) -> RadarTarget:
    (frame,), _ = run(keys, data, **more)
    (target,) = frame.targets
    return target


def plain(**more: object) -> bytes:
    return json.dumps([{"id": 1, "x": 3, "y": 40, "vx": 0, "vy": 0, **more}]).encode()


def test_the_worked_datagram_in_the_units_own_frame() -> None:
    (frame,), _ = run(SENSOR_KEYS, SENSOR)
    (target,) = frame.targets
    assert (frame.number, target.target, target.kind) == (41, 7, UserClass.CAR)
    assert (target.x_forward_m, target.y_left_m) == (pytest.approx(42.0), pytest.approx(3.5))
    assert (target.vx_forward_mps, target.vy_left_mps) == (pytest.approx(-8.5), pytest.approx(0.0, abs=1e-9))
    assert target.length_m == pytest.approx(4.6)


def test_the_worked_datagram_in_degrees_is_laid_onto_the_radars_own_plane() -> None:
    target = only(WGS84_KEYS, WGS84)
    assert target.kind is UserClass.BUS
    assert target.x_forward_m == pytest.approx(41.102, abs=0.005), "east, where the radar looks"
    assert target.y_left_m == pytest.approx(33.222, abs=0.005), "north, to its left"
    assert (target.vx_forward_mps, target.vy_left_mps) == (pytest.approx(3.0), pytest.approx(4.0))


@pytest.mark.parametrize("yaw_deg", [0.0, 37.0, 180.0, 359.0])
def test_the_plane_turns_with_the_radar_and_keeps_distances(yaw_deg: float) -> None:
    target = only(WGS84_KEYS, WGS84, yaw_deg=yaw_deg)
    assert math.hypot(target.x_forward_m, target.y_left_m) == pytest.approx(
        math.hypot(41.102, 33.222), abs=0.01
    )
    bearing_deg = yaw_deg - math.degrees(math.atan2(target.y_left_m, target.x_forward_m))
    assert math.sin(math.radians(bearing_deg)) == pytest.approx(41.102 / math.hypot(41.102, 33.222), abs=1e-3)
    assert math.cos(math.radians(bearing_deg)) == pytest.approx(33.222 / math.hypot(41.102, 33.222), abs=1e-3)


def test_a_bare_list_with_numbers_in_quotes_is_taken() -> None:
    target = only(LIST_KEYS, LIST)
    assert (target.target, target.x_forward_m, target.y_left_m) == (9, 20.0, -1.5)
    assert target.vx_forward_mps == pytest.approx(-10.0)


@pytest.mark.parametrize(
    ("axes", "forward_m", "left_m"),
    [
        ("x_right_y_forward", 40, -3),
        ("x_forward_y_left", 3, 40),
        ("x_forward_y_right", 3, -40),
        ("x_left_y_forward", 40, 3),
    ],
)
def test_axes_are_turned_as_the_site_file_says(axes: str, forward_m: float, left_m: float) -> None:
    target = only(LIST_KEYS, plain(), axes=axes)
    assert (target.x_forward_m, target.y_left_m) == (forward_m, left_m)


@pytest.mark.parametrize(
    ("key", "unit", "value", "si"),
    [
        ("position_unit", "m", 12, 12),
        ("position_unit", "dm", 12, 1.2),
        ("position_unit", "cm", 120, 1.2),
        ("position_unit", "mm", 1200, 1.2),
        ("position_unit", "ft", 10, 3.048),
        ("speed_unit", "mps", 5, 5),
        ("speed_unit", "kmh", 36, 10),
        ("speed_unit", "mph", 10, 4.4704),
        ("speed_unit", "cmps", 250, 2.5),
        ("speed_unit", "mmps", 2500, 2.5),
    ],
)
def test_every_unit_dies_at_the_wire(key: str, unit: str, value: float, si: float) -> None:
    target = only(LIST_KEYS, plain(y=value) if key == "position_unit" else plain(vy=value), **{key: unit})
    assert (target.x_forward_m if key == "position_unit" else target.vx_forward_mps) == pytest.approx(si)


@pytest.mark.parametrize(
    ("heading_from", "unit", "heading", "yaw_deg", "velocity"),
    [
        ("forward", "deg", 0, None, (10.0, 0.0)),
        ("forward", "deg", 90, None, (0.0, -10.0)),
        ("forward", "mdeg", 270_000, None, (0.0, 10.0)),
        ("forward", "rad", math.pi, None, (-10.0, 0.0)),
        ("north", "deg", 90, 90.0, (10.0, 0.0)),
        ("north", "deg", 0, 90.0, (0.0, 10.0)),
    ],
)
def test_a_heading_counts_clockwise_from_where_the_site_file_says(
    heading_from: str, unit: str, heading: float, yaw_deg: float | None, velocity: tuple[float, float]
) -> None:
    fields = {"id": "id", "x": "x", "y": "y", "speed": "s", "heading": "h"}
    target = only(
        {"fields": fields, "heading_from": heading_from, "heading_unit": unit, "yaw_deg": yaw_deg},
        plain(s=10, h=heading),
    )
    assert (target.vx_forward_mps, target.vy_left_mps) == (
        pytest.approx(velocity[0], abs=1e-9),
        pytest.approx(velocity[1], abs=1e-9),
    )


def test_who_stands_needs_no_heading() -> None:
    fields = {"id": "id", "x": "x", "y": "y", "speed": "s", "heading": "h"}
    target = only({"fields": fields, "heading_from": "forward"}, plain(s=0))
    assert (target.vx_forward_mps, target.vy_left_mps) == (0.0, 0.0)


def test_classes_are_mapped_by_the_site_file_and_others_are_unknown() -> None:
    keys = {
        **LIST_KEYS,
        "fields": {**LIST_KEYS["fields"], "kind": "k"},
        "classes": {"4": "car", "bike": "bicycle"},
    }
    told = {
        4: UserClass.CAR,
        "4": UserClass.CAR,
        "bike": UserClass.BICYCLE,
        99: UserClass.UNKNOWN,
        None: UserClass.UNKNOWN,
    }
    for word, kind in told.items():
        assert only(keys, plain(k=word)).kind is kind
    assert only(LIST_KEYS, plain(k=4)).kind is None, "without a path nothing is told"


def test_gcj02_is_refused_in_the_site_file_with_its_reason_and_place(tmp_path: Path) -> None:
    radar = """
  - driver: json_udp
    name: deflected
    fields: {id: id, x: lon, y: lat, vx: vx, vy: vy}
    coord: gcj02
    pose: {x_east_m: 0, y_north_m: 0, height_m: 5, yaw_deg: 0, pitch_deg: 0, roll_deg: 0}
    field: {range_m: 100, half_angle_deg: 45, covers: []}
"""
    site = tmp_path / "site.yaml"
    site.write_text(SHIPPED.read_text().replace("radars:\n", "radars:" + radar, 1))
    with pytest.raises(SiteInvalid) as invalid:
        read_site(site)
    (fault,) = [fault for fault in invalid.value.faults if fault.path.endswith("coord")]
    assert "300 to 700 m" in fault.reason
    assert site.read_text().splitlines()[fault.line - 1].strip() == "coord: gcj02"


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({**WGS84_KEYS, "yaw_deg": None}, "wgs84 needs"),
        (
            {**LIST_KEYS, "fields": {"id": "i", "x": "x", "y": "y", "vx": "v"}},
            "vx and vy, or speed and heading",
        ),
        ({"fields": {"id": "i", "x": "x", "y": "y", "speed": "s", "heading": "h"}}, "needs yaw_deg"),
        ({**LIST_KEYS, "targets": "a..b"}, "targets"),
        ({**LIST_KEYS, "port": "tcp://192.0.2.1:9"}, "port"),
        ({**LIST_KEYS, "classes": {"1": "spaceship"}}, "classes"),
    ],
)
def test_a_map_that_cannot_work_is_refused_when_it_is_read(keys: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        chosen(keys)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"id": None}, "id"),
        ({"id": True}, "id"),
        ({"x": "east"}, "place"),
        ({"x": 1e308}, "far"),
        ({"y": 501}, "far"),
        ({"vx": None}, "velocity"),
        ({"vx": 400}, "fast"),
    ],
)
def test_a_broken_target_is_left_out_by_its_fault_and_the_others_stay(row: dict[str, Any], why: str) -> None:
    rows = json.loads(plain(**row)) + json.loads(plain(id=2))
    (frame,), link = run(LIST_KEYS, json.dumps(rows).encode())
    assert [target.target for target in frame.targets] == [2]
    assert link.counters[f"left_out_{why}"] == 1


def test_where_every_target_is_too_far_the_loss_speaks_of_gcj02() -> None:
    deflected = WGS84.replace(b"22.6903", b"22.6953")
    _, link = run(WGS84_KEYS, *[deflected] * 24)
    with pytest.raises(DeviceLost) as lost:
        link.check(3.4)
    assert lost.value.reason == "garbled"
    assert "GCJ-02" in lost.value.hint


def test_an_empty_list_is_a_frame_without_targets() -> None:
    (frame,), link = run(LIST_KEYS, b"[]")
    assert frame.targets == ()
    link.check(2.9)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "json"),
        (b"\xff\xfe\x00", "json"),
        (b"{}", "list"),
        (b'{"targets":{}}', "list"),
        (b"[NaN]", "json"),
        (b"[" + b"1" * 400 + b"]", "json"),
        (b"[" * (DEEPEST + 1), "depth"),
        (b'{"a":' * 10_000, "depth"),
        (b" " * (LARGEST_BYTES + 1), "size"),
        (b'["' + b'\\"' * 30_000, "json"),
    ],
)
def test_what_is_wrong_with_a_document_is_named(data: bytes, why: str) -> None:
    _, link = run({**LIST_KEYS, "targets": "targets"} if why == "list" else LIST_KEYS, data)
    assert link.counters[f"garbled_{why}"] == 1


def test_brackets_inside_words_are_no_depth() -> None:
    assert loads(json.dumps(["[" * 100 + '\\"' + "{" * 100]).encode()) == ["[" * 100 + '\\"' + "{" * 100]
    with pytest.raises(Refused, match="depth"):
        loads(b'["a"' + b",[" * DEEPEST)


def test_a_string_that_never_ends_is_looked_through_once() -> None:
    marks = [mark[0][:1] for mark in bounded_json._MARKS.finditer(b'"' + b'\\"' * 30_000)]
    assert marks == [b'"']


@pytest.mark.parametrize("value", [None, True, "x", "nan", "inf", "1_0", [], {}, "9" * 40, float("inf")])
def test_what_is_no_number_is_none(value: Any) -> None:
    assert number(value) is None


def test_paths_step_into_objects_and_lists_and_end_quietly_where_nothing_is() -> None:
    tree = {"a": [{"b": 5}], "c": 1}
    assert at(tree, ("a", "0", "b")) == 5
    for path in (("a", "1"), ("a", "b"), ("c", "d"), ("x",), ("a", "-1")):
        assert at(tree, path) is None
    assert at(tree, ()) is tree


def test_too_many_targets_are_cut_and_told() -> None:
    rows = [json.loads(plain(id=n))[0] for n in range(MOST_TARGETS + 5)]
    (frame,), link = run(LIST_KEYS, json.dumps(rows).encode())
    assert len(frame.targets) == MOST_TARGETS
    assert link.counters["left_out_too_many"] == 1


def test_names_of_any_kind_become_numbers_that_stay_and_never_those_of_others() -> None:
    numbers = Numbers()
    assert [numbers.of(name) for name in ("12", "0", "a-12", "ÿ", "a-12")] == [
        12,
        0,
        WORDS_FROM,
        WORDS_FROM + 1,
        WORDS_FROM,
    ]
    assert numbers.of("99999999999") >= WORDS_FROM
    for n in range(2 * MOST_NAMES):
        numbers.of(f"car {n}")
    assert len(numbers._of) == MOST_NAMES
    assert numbers.of("a-12") not in (WORDS_FROM, WORDS_FROM + 1)


def test_frames_are_stamped_by_the_units_clock_however_wrong_it_is() -> None:
    link = Link(chosen(SENSOR_KEYS), 0.0)
    arrivals = (10.0, 10.1, 10.75)  # the third is late by 0.55 s
    frames = []
    for n, arrived_s in enumerate(arrivals):
        data = SENSOR.replace(b"1767225600123", b"%d" % (1767225600123 + 100 * n))
        frames += link.receive(data, arrived_s)
    assert [frame.measured_s for frame in frames] == [pytest.approx(t, abs=1e-3) for t in (10.0, 10.1, 10.2)]


def test_lost_datagrams_are_counted_where_the_unit_counts_them() -> None:
    frames, _ = run(SENSOR_KEYS, *(SENSOR.replace(b'"seq":41', b'"seq":%d' % n) for n in (41, 42, 45, 7, 8)))
    assert [frame.missed for frame in frames] == [0, 0, 2, 0, 0]


def test_a_number_given_to_another_user_begins_a_new_epoch() -> None:
    frames, _ = run(LIST_KEYS, plain(), plain(), plain(y=90), plain(y=90))
    assert [frame.targets[0].epoch for frame in frames] == [0, 0, 1, 1]


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["id", "x", "y", "vx", "vy", "0"]), inner)
    ),
    max_leaves=30,
)


@given(ANY, st.binary(max_size=300))
def test_no_document_can_break_the_link(value: Any, noise: bytes) -> None:
    for keys in (LIST_KEYS, SENSOR_KEYS, WGS84_KEYS):
        _, link = run(keys, json.dumps(value).encode(), json.dumps([value]).encode(), noise)
        assert link.counters["frames"] + link.counters["garbled"] == 3


@given(st.binary(max_size=300))
def test_garbage_never_costs_the_next_datagram(noise: bytes) -> None:
    frames, _ = run(LIST_KEYS, noise, LIST)
    assert frames[-1].targets[0].target == 9


def test_the_site_file_finds_this_driver() -> None:
    assert plugins()["json_udp"] is PLUGIN


@pytest.mark.anyio
async def test_datagrams_come_over_the_loopback_and_silence_is_a_loss() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = chosen(LIST_KEYS, port=f"udp-in://127.0.0.1:{port}", silence_s=0.3)
    async with PLUGIN.open(settings, SystemClock()) as radar:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unit:
            unit.sendto(LIST, ("127.0.0.1", port))
        with anyio.fail_after(5):
            frame = await anext(radar)
            assert frame.targets[0].target == 9
            with pytest.raises(DeviceLost) as lost:
                await anext(radar)
    assert lost.value.reason == "silent"
