"""From nouns to frames: units, unavailable codes, limits."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rsu_agent.messages.csae53 import codec
from rsu_agent.messages.csae53.phase_table import PhaseTable
from rsu_agent.messages.csae53.rsi import rsi_value
from rsu_agent.messages.csae53.rsm import PtcIds, rsm_values
from rsu_agent.messages.csae53.spat import light, spat_value, unavailable_value
from rsu_agent.messages.csae53.units import Counts, heading, offset
from rsu_agent.messages.fields import speed
from rsu_agent.messages.moment import utc_stamp
from rsu_agent.messages.thin import thinned
from rsu_agent.wire.counter import counted
from rsu_agent.world.hazard import Hazard, HazardKind
from rsu_agent.world.place import GeoPoint
from rsu_agent.world.road_user import RoadUser, UserClass
from rsu_agent.world.signal import Colour, Control, GroupOutlook, SignalOutlook

ORIGIN = GeoPoint(22.69, 114.34, 45.0)
TABLE = PhaseTable({1: [1, 3], 3: [5]}, arrows=[5])


def outlook(*groups: GroupOutlook, control: Control = Control.FIXED_TIME) -> SignalOutlook:
    return SignalOutlook(100.0, groups, control, 1, 1)


def states(value: dict, phase: int) -> dict:
    phases = {p["id"]: p["phaseStates"][0] for p in value["intersections"][0]["phases"]}
    return phases[phase]


def test_a_countdown_counts_tenths_from_the_instant_of_encoding() -> None:
    group = GroupOutlook(5, Colour.GREEN, 90.0, 104.9, 105.0, 105.2, 0.98)
    value = spat_value(outlook(group), PhaseTable({3: [5]}, [5]), (12, 0), None, 7, now_s=100.0)
    state = states(value, 3)
    assert state["light"] == "protected-green"
    assert state["timing"][1] == {
        "startTime": 0,
        "minEndTime": 49,
        "maxEndTime": 52,
        "likelyEndTime": 50,
        "timeConfidence": 196,
    }
    assert codec.decode(codec.encode(("spatFrame", value)))[1]["msgCnt"] == 7


def test_an_announced_end_is_never_in_the_past() -> None:
    group = GroupOutlook(5, Colour.RED, 90.0, 98.0, 99.0, 99.5)
    value = spat_value(outlook(group), PhaseTable({3: [5]}, [5]), (12, 0), None, 7, now_s=100.0)
    timing = states(value, 3)["timing"][1]
    assert (timing["minEndTime"], timing["likelyEndTime"], timing["maxEndTime"]) == (0, 1, 1)


def test_what_is_not_known_is_not_said() -> None:
    value = spat_value(
        outlook(GroupOutlook(5, Colour.RED, None)), PhaseTable({3: [5]}), (12, 0), None, 0, now_s=1.0
    )
    assert "timing" not in states(value, 3)
    only_bounds = GroupOutlook(5, Colour.GREEN, 90.0, 103.0, None, 120.0)
    value = spat_value(outlook(only_bounds), PhaseTable({3: [5]}), (12, 0), None, 0, now_s=100.0)
    assert states(value, 3)["timing"][1]["likelyEndTime"] == 36001


def test_groups_that_share_a_phase_and_differ_make_it_unavailable() -> None:
    both = outlook(GroupOutlook(1, Colour.GREEN, 90.0), GroupOutlook(3, Colour.RED, 90.0))
    value = spat_value(both, PhaseTable({1: [1, 3]}), (12, 0), None, 0, now_s=100.0)
    assert states(value, 1) == {"light": "unavailable"}


def test_the_green_kind_follows_the_lamp_and_flashing_green_is_its_own() -> None:
    assert light(Colour.GREEN, arrow=True) == "protected-green"
    assert light(Colour.GREEN, arrow=False) == "permissive-green"
    assert light(Colour.GREEN_FLASH, arrow=True) == "flashing-green"
    assert light(Colour.RED_YELLOW, arrow=False) == "red"
    assert light(Colour.DARK, arrow=True) == "dark"


def test_the_ready_made_frame_says_nothing_and_its_count_is_the_upper_seven_bits_of_byte_one() -> None:
    value = unavailable_value(TABLE, (12, 0))
    frame = codec.encode(("spatFrame", value))
    read = codec.decode(counted(frame, 8 * len(frame) - 15, 77))[1]
    assert read["msgCnt"] == 77
    assert read["intersections"] == value["intersections"]
    assert read["intersections"][0]["status"] == ((1 << 2).to_bytes(2, "big"), 16)  # bit 13 of 16
    assert "moy" not in read


def test_a_seventeenth_phase_is_refused_and_nothing_is_cut_short() -> None:
    with pytest.raises(ValueError, match="PhaseList holds 16"):
        PhaseTable({n: [n] for n in range(1, 18)})
    with pytest.raises(ValueError, match="may not be used"):
        PhaseTable({255: [1]})
    with pytest.raises(ValueError, match="lamp group 1"):
        PhaseTable({1: [1], 2: [1]})


@pytest.mark.parametrize(
    ("instant", "minute", "millisecond"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), 0, 0),
        (datetime(2026, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC), 525_599, 59_999),
        (datetime(2028, 12, 31, 23, 59, 0, tzinfo=UTC), 527_039, 0),
        (datetime(2026, 11, 24, 0, 0, 30, 250_000, tzinfo=UTC), 470_880, 30_250),
    ],
)
def test_the_minute_of_the_year_turns_in_utc(instant: datetime, minute: int, millisecond: int) -> None:
    stamp = utc_stamp(instant.timestamp())
    assert stamp.minute_of_year == minute
    assert abs(stamp.millisecond - millisecond) <= 1


def test_an_offset_takes_the_smallest_form_that_holds_it() -> None:
    assert offset(ORIGIN, ORIGIN)["offsetLL"] == ("position-LL1", {"lon": 0, "lat": 0})
    near = GeoPoint(ORIGIN.lat_deg + 0.0002047, ORIGIN.lon_deg)
    assert offset(ORIGIN, near)["offsetLL"] == ("position-LL1", {"lon": 0, "lat": 2047})
    farther = GeoPoint(ORIGIN.lat_deg + 0.0002048, ORIGIN.lon_deg)
    assert offset(ORIGIN, farther)["offsetLL"][0] == "position-LL2"
    abroad = GeoPoint(50.0, 8.0)
    assert offset(ORIGIN, abroad)["offsetLL"] == ("position-LatLon", {"lon": 80_000_000, "lat": 500_000_000})


def test_speed_and_heading_never_collide_with_their_unavailable_codes() -> None:
    assert speed(500.0) == 8190
    assert speed(13.9) == 695
    assert heading(None) == 28800
    assert heading(359.999) == 0
    assert heading(-90.0) == 21600


def user(track: int) -> RoadUser:
    return RoadUser(
        track, UserClass.CAR, 10.0, -5.0, 5.0, 0.0, 5.0, 90.0, 4.5, 1.8, 1.5, 0.4, ("cam", "rad"), 0.0
    )


def test_every_part_of_an_rsm_holds_the_rsu_and_at_most_fifteen_users() -> None:
    kinds = {"cam": "camera", "rad": "radar"}
    values = list(rsm_values([user(n) for n in range(32)], kinds, PtcIds(), ORIGIN, b"rsu00001", 1234, 50.0))
    assert [len(value["participants"]) for value in values] == [16, 16, 3]
    for value in values:
        first = value["participants"][0]
        assert (first["ptcType"], first["ptcId"], first["source"], first["speed"]) == (
            "rsu",
            0,
            "selfinfo",
            0,
        )
        codec.encode(("rsmFrame", value))
    ids = [p["ptcId"] for value in values for p in value["participants"][1:]]
    assert len(set(ids)) == 32
    assert values[0]["participants"][1]["source"] == "integrated"


def test_a_participant_id_is_not_used_again_within_thirty_seconds() -> None:
    ids = PtcIds()
    first = [ids.of(track, 0.0) for track in range(255)]
    assert sorted(first) == list(range(1, 256))
    assert ids.of(1000, 10.0) is None
    assert ids.of(5, 29.0) == first[5]
    again = ids.of(1000, 30.5)
    assert again is not None
    assert again != first[5]


def test_an_rsi_lasts_to_the_next_minute_and_leaves_out_kinds_without_a_code() -> None:
    hazards = [
        Hazard(1, HazardKind.WRONG_WAY, 0.0, None, 5.0, 40.0, 7, 3, 180.0, "seen"),
        Hazard(2, HazardKind.RED_LIGHT_RUNNING, 0.0, None, 5.0, 40.0, 8, 3, 180.0, "seen"),
    ]
    stamp = utc_stamp(datetime(2026, 6, 1, 12, 0, 59, tzinfo=UTC).timestamp())
    value = rsi_value(hazards, {"wrong_way": 904}, ORIGIN, b"rsu00001", stamp, 3)
    assert value is not None
    (event,) = value["rtes"]
    assert event["eventType"] == 904
    assert event["timeDetails"]["endTime"] == stamp.minute_of_year + 1
    assert event["description"][1].decode("gb2312") == "车辆逆行"
    codec.encode(("rsiFrame", value))
    assert rsi_value(hazards[1:], {"wrong_way": 904}, ORIGIN, b"rsu00001", stamp, 3) is None


def test_message_counts_run_apart_for_each_kind_and_wrap_after_127() -> None:
    counts = Counts()
    assert [counts.next("SPAT") for _ in range(129)][-2:] == [127, 0]
    assert counts.next("MAP") == 0


def test_thinning_keeps_every_point_within_the_chord_error() -> None:
    straight = tuple((float(x), 0.05 * (x % 2)) for x in range(50))
    assert thinned(straight, 0.1) == (straight[0], straight[-1])
    corner = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0))
    assert thinned(corner, 0.1) == corner
