"""One ARS40x on a bus: found among others, set only where it differs, told that it stands, missed rightly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from ars40x_peer import cycle, decode, frame, state
from pydantic import ValidationError

from drivers.ars40x.configuring import MOST_TRIES
from drivers.ars40x.finding import SCAN_S
from drivers.ars40x.session import STILL_S, Session
from drivers.ars40x.settings import Settings
from rsu_agent.ports.can_line import CanFrame
from rsu_agent.ports.devices import RadarFrame
from rsu_agent.ports.trouble import DeviceLost

AS_WANTED = {"OutputType": 1, "SendQuality": 1, "SendExtInfo": 1, "MaxDistance": 200}


def session(**keys: Any) -> Session:
    return Session(Settings(**keys), 0.0, Counter())


def fed(own: Session, frames: Iterable[CanFrame]) -> list[RadarFrame]:
    return [found for one in frames for found in own.receive(one)]


def lost(own: Session, now_s: float) -> DeviceLost:
    with pytest.raises(DeviceLost) as raised:
        own.check(now_s)
    return raised.value


def traffic(sensor: int, end_s: float, begin_s: float = 0.1) -> list[CanFrame]:
    """A radar that sends its state and cycles without an object."""
    frames, at_s, number = [], begin_s, 0
    while at_s < end_s:
        if number % 28 == 0:
            frames.append(state(at_s, sensor))
        frames += cycle(number, [], at_s, sensor)
        at_s, number = at_s + 0.07, number + 2
    return frames


@pytest.mark.parametrize("sensor", range(8))
def test_a_radar_of_any_number_is_found_by_the_scan(sensor: int) -> None:
    own = session()
    found = fed(own, traffic(sensor, 3.0))
    assert len(found) > 15
    assert found[0].measured_s + 0.075 >= SCAN_S
    own.check(3.0)
    assert own.counters["missed"] == 0


def test_a_named_radar_is_heard_at_once_and_others_are_not() -> None:
    own = session(sensor_id=3)
    mixed = sorted([*traffic(3, 1.0), *traffic(0, 1.0)], key=lambda one: one.arrived_s)
    found = fed(own, mixed)
    assert len(found) == len(traffic(3, 1.0)) - 1  # the state apart
    assert own.counters["others"] == len(traffic(0, 1.0))


def test_two_radars_and_no_name_are_refused_with_both_named() -> None:
    own = session()
    fed(own, sorted([*traffic(0, 1.4), *traffic(5, 1.4)], key=lambda one: one.arrived_s))
    own.check(1.4)
    trouble = lost(own, SCAN_S)
    assert trouble.reason == "refused"
    assert "0 (sends objects), 5 (sends objects)" in trouble.detail
    assert "sensor_id" in trouble.hint


def test_an_empty_bus_is_silent_and_the_hint_speaks_of_the_wire() -> None:
    own = session(silence_s=3)
    assert own.wake_s(0.0) == SCAN_S
    own.check(2.9)
    trouble = lost(own, 3.1)
    assert (trouble.reason, "120 ohm" in trouble.hint) == ("silent", True)


def test_a_radar_of_another_number_than_the_named_one_is_missing_and_told() -> None:
    own = session(sensor_id=2, silence_s=3)
    fed(own, traffic(6, 3.0))
    trouble = lost(own, 3.1)
    assert (trouble.reason, trouble.detail) == ("missing", "no radar 2; heard: 6 (sends objects)")


@pytest.mark.parametrize(("output", "words"), [(0, "nothing"), (3, "nothing that is known")])
def test_a_radar_silenced_by_its_configuration_is_found_by_its_state_and_the_hint_says_how_to_wake_it(
    output: int, words: str
) -> None:
    # facts 2.4: after 200#FFFFFFFFFFFFFFFF only 0x271 and 0x770 are on the bus
    own = session(silence_s=3)
    for second in range(4):
        fed(own, [state(second, 7, OutputType=output), frame(0x700, second, 7)])
    trouble = lost(own, 3.2)
    assert (trouble.reason, trouble.detail) == ("silent", f"no cycle for 3.2 s; heard: 7 (sends {words})")
    assert "output: objects" in trouble.hint


def test_a_state_that_names_another_number_is_no_sign_of_a_radar() -> None:
    own = session(silence_s=3)
    for second in range(3):
        fed(own, [frame(0x201, second, 4, SensorID=1, OutputType=1)])
    assert lost(own, 3.1).detail == "no radar of any number for 3.1 s"


def test_a_radar_that_stops_is_lost_after_the_silence() -> None:
    own = session(sensor_id=0, silence_s=3)
    frames = traffic(0, 2.0)
    fed(own, frames)
    last_s = frames[-1].arrived_s
    assert own.wake_s(2.0) == pytest.approx(last_s + 3)
    own.check(last_s + 3)
    assert lost(own, last_s + 3.1).reason == "silent"


def test_lost_cycles_are_told_with_the_frame_that_follows_them() -> None:
    own = session(sensor_id=0)
    counts = [*range(0, 40, 2), *range(48, 80, 2)]
    found = [one for n in counts for one in fed(own, cycle(n, [], n * 0.035))]
    assert [one.missed for one in found if one.missed] == [4]
    assert [one.number for one in found if one.missed] == [48]


def test_a_cycle_without_an_end_comes_by_its_deadline() -> None:
    own = session(sensor_id=0)
    assert fed(own, cycle(2, [{"ID": 1}], 1.0)) == []
    assert own.wake_s(1.0) == pytest.approx(1.1)
    assert list(own.tick(1.05)) == []
    (found,) = own.tick(1.1)
    assert len(found.targets) == 1


def test_nothing_is_sent_unless_the_settings_ask() -> None:
    own = session(sensor_id=0)
    for at_s in (0.0, 1.0, 2.0):
        fed(own, [state(at_s, OutputType=2)])
        assert own.next_frames(at_s) == []


def answers(own: Session, sensor: int = 0, seconds: int = 8, **told: float) -> list[dict[str, float]]:
    """What is sent to a radar that never changes, a state a second."""
    sent: list[tuple[int, bytes]] = []
    for second in range(seconds):
        fed(own, [state(second, sensor, **told)])
        sent += own.next_frames(second)
    assert all(frame_id == 0x200 + 0x10 * sensor for frame_id, _ in sent)
    return [decode(0x200, data) for _, data in sent]


WANTED = {"output": "objects", "quality": True, "extended": True, "max_distance_m": 200}


def test_a_radar_that_is_as_wanted_is_sent_nothing() -> None:
    assert answers(session(sensor_id=0, wanted=WANTED), **AS_WANTED) == []
    assert answers(session(sensor_id=0, wanted=WANTED | {"store": True}), **AS_WANTED) == []


def test_only_what_differs_is_set_and_the_rest_is_marked_invalid() -> None:
    own = session(sensor_id=5, wanted=WANTED)
    first, *_ = answers(own, 5, **AS_WANTED | {"MaxDistance": 250})
    marked = {name for name, value in first.items() if name.endswith("_valid") and value}
    assert (marked, first["MaxDistance"]) == ({"MaxDist_valid"}, 200)
    assert first["StoreInNVM"] == first["SensorID"] == first["CtrlRelay"] == 0


def test_every_wish_has_its_place_in_the_message() -> None:
    wanted = WANTED | {"output": "clusters", "sort": "rcs", "power": 5, "rcs_threshold": 1}
    first, *_ = answers(session(sensor_id=0, wanted=wanted), MaxDistance=100)
    assert first == {
        "NVM_valid": 0, "Sort_valid": 1, "ExtInfo_valid": 1, "Quality_valid": 1, "OutputType_valid": 1,
        "Power_valid": 1, "SensorID_valid": 0, "MaxDist_valid": 1, "MaxDistance": 200, "SensorID": 0,
        "OutputType": 2, "RadarPower": 5, "StoreInNVM": 0, "SortIndex": 2, "SendExtInfo": 1, "SendQuality": 1,
        "CtrlRelay": 0, "CtrlRelay_valid": 0, "RCS_Thr_valid": 1, "RCS_Thr": 1,
    }  # fmt: skip


def test_a_radar_that_takes_nothing_over_is_asked_a_few_times_and_then_named() -> None:
    own = session(sensor_id=0, wanted=WANTED | {"store": True})
    sent = answers(own, MaxDistance=250)
    assert len(sent) == MOST_TRIES
    assert own.words == ("configuration_refused",)
    assert all(one["StoreInNVM"] == one["NVM_valid"] == 0 for one in sent)


@pytest.mark.parametrize("store", [False, True])
def test_the_memory_is_written_once_after_a_change_was_taken_over_and_only_if_asked(store: bool) -> None:
    own = session(sensor_id=0, wanted=WANTED | {"store": store})
    answers(own, seconds=1, **AS_WANTED | {"SendQuality": 0})
    after = answers(own, seconds=6, **AS_WANTED)
    assert len(after) == store
    if store:
        assert (after[0]["NVM_valid"], after[0]["StoreInNVM"]) == (1, 1)
        assert after[0]["SendQuality"] == after[0]["Quality_valid"] == 1
    assert own.counters["stores"] == store


def test_a_radar_silenced_for_good_is_woken_where_objects_are_wanted() -> None:
    own = session(wanted={"output": "objects"})
    for second in range(3):
        fed(own, [state(second, 7, OutputType=3)])
    ((frame_id, data),) = own.next_frames(2.0)
    assert frame_id == 0x270
    assert decode(0x200, data)["OutputType"] == decode(0x200, data)["OutputType_valid"] == 1


@pytest.mark.parametrize(
    "wrong", [{"output": "3"}, {"output": 3}, {"max_distance_m": 199}, {}, {"store": True}]
)
def test_settings_that_would_silence_a_radar_or_name_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(wanted=wrong)


def test_a_radar_is_told_that_it_stands_only_if_asked_and_at_a_steady_pace() -> None:
    own = session(sensor_id=2, still=True)
    sent = []
    for step in range(500):  # two seconds
        now_s = step * 0.004
        assert own.wake_s(now_s) <= now_s + STILL_S
        sent += own.next_frames(now_s)
    assert sent[:2] == [(0x320, b"\x00\x00"), (0x321, b"\x80\x00")]
    assert 49 <= len(sent) / 2 <= 51


def test_messages_to_nanoradar_have_eight_bytes_too() -> None:
    own = session(sensor_id=0, still=True, dialect="nanoradar")
    assert own.next_frames(0.0) == [(0x300, bytes(8)), (0x301, b"\x80" + bytes(7))]


def test_what_the_radar_complains_of_is_words_and_counts() -> None:
    own = session(sensor_id=0, still=True)
    fed(own, [state(1.0, Interference=1, TempErr=1, MotionRxState=0)])
    assert own.words == ("interference", "temperature")
    fed(own, [state(2.0, VoltageErr=1, TemporaryErr=1, PersistentErr=1, MotionRxState=3)])
    assert own.words == ("voltage", "temporary_error", "persistent_error", "motion_not_heard")
    fed(own, [state(3.0, MotionRxState=0)])
    assert own.words == ()
    assert own.counters["states"] == 3
    assert own.counters["interference"] == own.counters["temperature"] == own.counters["voltage"] == 1


def test_the_version_and_the_newest_state_are_kept_for_the_technician() -> None:
    own = session(sensor_id=0)
    fed(own, [state(1.0, MaxDistance=250), frame(0x700, 1.0, Major=4, Minor=30, Patch=1, ExtendedRange=1)])
    assert own.state is not None
    assert own.state.max_distance_m == 250
    assert own.version is not None
    assert (own.version.major, own.version.minor, own.version.extended_range) == (4, 30, True)
