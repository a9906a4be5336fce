"""ARS40x frames as the port has them: sides, codes, kinds, epochs, points of clusters."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from ars40x_peer import EXTENDED, OBJECT, QUALITY

from drivers.ars40x.codes import SD, STEP_SD_M
from drivers.ars40x.epochs import EPOCHS_A_SECOND, JUMP_M, Epochs
from drivers.ars40x.link import Cycle, Member
from drivers.ars40x.reading import Reader
from drivers.ars40x.settings import Settings
from drivers.ars40x.wire import ClusterGeneral, ClusterQuality, ObjectExtended, ObjectGeneral, ObjectQuality
from rsu_agent.ports.devices import RadarPoint, RadarTarget
from rsu_agent.world.road_user import UserClass

PERIOD_S = 0.075


def reader(**keys: Any) -> Reader:
    return Reader(Settings(**keys), 0.0, Counter())


def member(number: int = 7, groups: str = "BCD", **own: float) -> Member:
    """An object of the peer's usual values but for those named as the facts name them."""
    o, q, e = ({k: own.get(k, v) for k, v in usual.items()} for usual in (OBJECT, QUALITY, EXTENDED))
    bits = int(own.get("bits_6_43", 0))
    general = ObjectGeneral(
        number, o["DistLong"], o["DistLat"], o["VrelLong"], o["VrelLat"], bits, int(o["DynProp"]), o["RCS"]
    )
    codes = int(q["DistLong_rms"]), int(q["DistLat_rms"]), 0, 0, 0, 0, 0
    quality = ObjectQuality(number, *codes, int(q["ProbOfExist"]), int(q["MeasState"]))
    extended = ObjectExtended(
        number, 0.0, 0.0, int(e["Class"]), e["OrientationAngle"], e["Length"], e["Width"]
    )
    return Member(general, quality if "C" in groups else None, extended if "D" in groups else None)


def target(own: Reader, one: Member | None = None, at_s: float = 10.0, whole: bool = True) -> RadarTarget:
    (found,) = own.frame(Cycle(0x60A, 2, at_s, (one or member(),), whole), 0).targets
    return found


def test_an_object_becomes_a_target_with_all_that_is_told_of_it() -> None:
    found = target(reader())
    assert (found.target, found.x_forward_m, found.y_left_m) == (7, 40.0, 2.0)
    assert (found.vx_forward_mps, found.vy_left_mps) == (-8.5, 0.25)
    assert (found.measured, found.exists, found.kind) == (True, 0.945, UserClass.CAR)
    assert (found.length_m, found.width_m) == (4.6, 1.8)
    assert found.x_sd_m == pytest.approx(math.hypot(SD[14], STEP_SD_M))
    assert found.y_sd_m == pytest.approx(math.hypot(SD[15], STEP_SD_M))


def test_what_the_radar_does_not_send_is_none() -> None:
    found = target(reader(), member(groups="B"))
    assert (found.exists, found.kind, found.length_m, found.width_m) == (None, None, None, None)
    assert (found.x_sd_m, found.y_sd_m, found.measured) == (None, None, True)
    unknown = target(reader(), member(ProbOfExist=0, DistLong_rms=31, Class=0, Length=0.0, Width=0.0))
    assert (unknown.exists, unknown.x_sd_m, unknown.kind) == (None, None, None)
    assert (unknown.length_m, unknown.width_m) == (None, None)


@pytest.mark.parametrize(
    ("dialect", "side", "left"),
    [
        ("ars40x", "usual", 2.0),
        ("ars40x", "right", -2.0),
        ("nanoradar", "usual", -2.0),
        ("nanoradar", "left", 2.0),
    ],
)
def test_the_positive_side_is_the_dialects_or_the_sites(dialect: str, side: str, left: float) -> None:
    found = target(reader(dialect=dialect, positive_side=side))
    assert (found.y_left_m, found.vy_left_mps) == (left, math.copysign(0.25, left))
    assert (found.x_forward_m, found.vx_forward_mps) == (40.0, -8.5)


@pytest.mark.parametrize(
    ("code", "kind"),
    [(0, None), (1, "car"), (2, "truck"), (3, None), (4, "motorcycle"), (5, "bicycle"), (6, None), (7, None)],
)
def test_classes_name_kinds_and_the_disputed_one_none(code: int, kind: str | None) -> None:
    own = reader()
    assert target(own, member(Class=code)).kind == (UserClass(kind) if kind else None)
    assert own.counters["class_3"] == (code == 3)


def test_class_3_is_a_pedestrian_where_the_site_says_so() -> None:
    assert target(reader(class_3="pedestrian"), member(Class=3)).kind is UserClass.PEDESTRIAN


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ({"dialect": "nanoradar", "model": "mr76"}, UserClass.CAR),
        ({"dialect": "nanoradar", "model": "mr72"}, None),
        ({"dialect": "nanoradar"}, None),
        ({"dialect": "ars40x", "model": "mr76"}, None),
    ],
)
def test_two_bits_of_nanoradar_are_a_class_by_the_model_only(
    keys: dict[str, str], kind: UserClass | None
) -> None:
    assert target(reader(**keys), member(groups="B", bits_6_43=1)).kind is kind
    assert target(reader(**keys), member(groups="B", bits_6_43=0)).kind is None


def test_a_predicted_object_is_not_measured_and_a_deleted_one_is_no_target() -> None:
    own = reader()
    assert not target(own, member(MeasState=3)).measured
    for state in (0, 4):
        assert own.frame(Cycle(0x60A, 2, 10.0, (member(MeasState=state),), True), 0).targets == ()
    assert own.counters["deleted"] == 2


def test_a_cycle_was_measured_before_its_first_message_by_the_latency() -> None:
    frame = reader(latency_ms=80).frame(Cycle(0x60A, 1234, 10.0, (), True), 3)
    assert (frame.number, frame.measured_s, frame.missed) == (1234, pytest.approx(9.92), 3)


def test_clusters_are_points_with_the_speed_along_the_ray() -> None:
    own = reader()
    general = ClusterGeneral(5, 30.0, 40.0, 6.0, 8.0, 0, 10.0)
    quality = ClusterQuality(5, 0, 0, 0, 0, 0, invalid=2, ambiguity=2)
    (point,) = own.frame(Cycle(0x600, 2, 10.0, (Member(general, quality),), True), 0).points
    assert point == RadarPoint(30.0, 40.0, 0.0, pytest.approx(10.0), None)
    assert (own.counters["ambiguous"], own.counters["invalid"]) == (1, 1)
    (turned,) = reader(positive_side="right").frame(Cycle(0x600, 2, 10.0, (Member(general),), True), 0).points
    assert (turned.y_left_m, turned.doppler_mps) == (-40.0, pytest.approx(10.0))
    here = ClusterGeneral(5, 0.0, 0.0, -3.0, 0.0, 0, 10.0)
    (point,) = own.frame(Cycle(0x600, 2, 10.0, (Member(here),), True), 0).points
    assert point.doppler_mps == -3.0


def epochs_of(*steps: tuple[float, Member], whole: bool = True) -> list[int]:
    """Epochs of object 7 over cycles; a step is (seconds, object)."""
    own = reader()
    return [target(own, one, at_s, whole).epoch for at_s, one in steps]


def test_a_track_that_goes_on_keeps_its_epoch() -> None:
    steps = [(n * PERIOD_S, member(DistLong=100 - 8.5 * PERIOD_S * n)) for n in range(100)]
    assert set(epochs_of(*steps)) == {0}


def test_a_new_state_is_another_user_but_a_second_one_in_a_row_is_not() -> None:
    begun, going = member(MeasState=1), member()
    assert epochs_of((0.0, begun), (0.07, begun), (0.14, going), (0.21, begun)) == [0, 0, 0, 1]
    assert epochs_of((0.0, going), (0.07, member(MeasState=5))) == [0, 1]


def test_a_jump_beyond_the_gate_is_another_user() -> None:
    near, far = member(DistLong=40.0), member(DistLong=40.0 + JUMP_M + 3.0)
    assert epochs_of((0.0, near), (0.07, far), (0.14, far)) == [0, 1, 1]
    aside = member(DistLat=2.0 + JUMP_M + 3.0)
    assert epochs_of((0.0, near), (0.07, aside)) == [0, 1]


def test_a_fast_vehicle_unseen_for_some_cycles_is_looked_for_where_it_was_going() -> None:
    before, after = member(DistLong=100.0, VrelLong=-50.0), member(DistLong=85.0, VrelLong=-50.0)
    assert epochs_of((0.0, before), (0.3, after), whole=False) == [0, 0]
    stayed = member(DistLong=100.0, VrelLong=-50.0)
    assert epochs_of((0.0, before), (0.3, stayed), whole=False) == [0, 1]


@pytest.mark.parametrize("state", [0, 4])
def test_after_a_deletion_the_number_is_anothers(state: int) -> None:
    own = reader()
    first = target(own, member(), 0.0).epoch
    own.frame(Cycle(0x60A, 2, 0.07, (member(MeasState=state),), True), 0)
    assert target(own, member(), 0.14).epoch == first + 1


@pytest.mark.parametrize(("whole", "epoch"), [(True, 1), (False, 0)])
def test_a_number_missing_in_a_whole_cycle_has_gone_and_one_missing_in_a_damaged_one_may_not(
    whole: bool, epoch: int
) -> None:
    own = reader()
    assert target(own, member(), 0.0).epoch == 0
    own.frame(Cycle(0x60A, 2, 0.07, (), whole), 0)
    assert target(own, member(), 0.14).epoch == epoch


def test_after_reopening_no_epoch_comes_again() -> None:
    place = (0.0, 0.0, 0.0, 0.0)
    first = Epochs(1000.0)
    for cycle in range(80):  # a whole second of new users at the fastest radar's pace
        first.end(7)
        last = first.epoch(7, 1000.0 + cycle / 80, place, begun=True)
    assert Epochs(1001.0).epoch(7, 1001.0, place, begun=True) > last
    assert EPOCHS_A_SECOND > 80
