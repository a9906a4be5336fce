"""Vehicles that send BSMs: who does, what they say, how often and how wrong, and how they can deceive."""

from __future__ import annotations

import itertools
import math
import random
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from hil.devices.talker import BIAS_SD_M, PERIOD_S, WANDER_S, WANDER_SD_M, GnssError, Said, Talker, sends
from hil.devices.talker_faults import FLOOD_S, REPLAY_S
from hil.devices.talking_vehicles import STALE_S, Talkers
from hil.devices.vehicle_codec import decode
from hil.world.crossing_read import inside, read_rig_crossing
from hil.world.make_crossing import to_metres
from rsu_agent.messages.csae53 import bsm, codec
from rsu_agent.ports.assets import asset
from rsu_agent.world.road_user import UserClass

UTC_S = 1_790_000_030.0
T0 = 5000.0
ERROR_M = 5 * math.hypot(BIAS_SD_M, WANDER_SD_M)
STEP_S = 0.01


def user(number: int = 1, cls: str = "car", x: float = 10.0, y: float = -20.0, **more: Any) -> dict[str, Any]:
    row = {"id": number, "cls": cls, "x": x, "y": y, "vx": 0.0, "vy": 5.0, "heading": 0.0}
    return {**row, "l": 4.5, "w": 1.8, "h": 1.5, "shade": 0, "brake": False, **more}


def standing(number: int = 1, **more: Any) -> dict[str, Any]:
    return user(number, **{"vx": 0.0, "vy": 0.0, **more})


def heard(said: Said) -> dict[str, Any]:
    kind, value = decode(said.data)
    assert kind == "BSM"
    return value


def place(value: dict[str, Any]) -> tuple[float, float]:
    return to_metres(value["pos"]["long"] / 1e7, value["pos"]["lat"] / 1e7)


def run(
    talkers: Talkers, users: Sequence[dict[str, Any]], seconds: float, from_s: float = 0.0
) -> Iterator[tuple[float, Said]]:
    """(second, message) of a road that stays as it is; the world tells it every step."""
    for step in range(round(seconds / STEP_S)):
        t = from_s + step * STEP_S
        talkers.see(T0 + t, users)
        for said in talkers.due(T0 + t, UTC_S + t):
            yield t, said


def test_the_same_seed_picks_the_same_vehicles_and_a_larger_share_only_adds() -> None:
    road = [user(number) for number in range(10_000)]
    few, again = ([u["id"] for u in road if sends(u, 7, 0.05)] for _ in range(2))
    more = {u["id"] for u in road if sends(u, 7, 0.2)}
    assert few == again
    assert set(few) < more
    assert len(few) == pytest.approx(500, abs=110), "five deviations"
    assert few != [u["id"] for u in road if sends(u, 8, 0.05)]
    assert not any(sends(u, 7, 0.0) for u in road)
    assert all(sends(u, 7, 1.0) for u in road)


def test_only_cars_trucks_and_buses_have_a_radio() -> None:
    kinds = ("car", "truck", "bus", "motorcycle", "bicycle", "tricycle", "cart", "pedestrian")
    assert [kind for kind in kinds if sends(user(cls=kind), 1, 1.0)] == ["car", "truck", "bus"]


def test_two_runs_of_one_seed_say_the_same_byte_for_byte_and_another_seed_has_other_ids() -> None:
    road = [user(1), user(2), user(3, "bus")]
    first, second, other = (list(run(Talkers(seed, 1.0), road, 1.0)) for seed in (1, 1, 2))
    assert first == second
    assert not {said.id for _, said in first} & {said.id for _, said in other}
    assert len({said.id for _, said in first}) == 3


@pytest.mark.parametrize(
    ("cls", "kind"), [("car", UserClass.CAR), ("truck", UserClass.TRUCK), ("bus", UserClass.BUS)]
)
def test_what_is_said_is_read_alike_by_the_rigs_decoder_and_the_products(cls: str, kind: UserClass) -> None:
    row = user(5, cls, vx=6.0, vy=-8.0, heading=143.13, l=8.0, w=2.4, brake=True)
    _, said = next(run(Talkers(3, 1.0), [row], 1.0))
    value = heard(said)
    told = bsm.heard(codec.decode(said.data)[1], UTC_S, verified=True)
    assert told is not None
    assert (told.id, told.kind) == (said.id.hex(), kind)
    assert (told.speed_mps, told.heading_deg) == pytest.approx((10.0, 143.13), abs=0.01)
    assert (told.length_m, told.width_m, told.position_sd_m) == (8.0, 2.4, 1.0)
    assert value["size"]["height"] == 30
    assert value["brakes"] == {"brakePadel": "on"}
    assert to_metres(told.place.lon_deg, told.place.lat_deg) == pytest.approx(place(value))
    assert math.dist(place(value), (said.x_m, said.y_m)) < ERROR_M


def test_a_position_is_for_the_instant_of_its_mark() -> None:
    talkers, talker = Talkers(3, 1.0), Talker(5, 3, T0)
    talkers.see(T0, [user(5, vx=0.0, vy=20.0)])
    late_s = talker.next_s - T0
    (said,) = talkers.due(talker.next_s, UTC_S + late_s)
    assert said.y_m == pytest.approx(-20.0 + 20.0 * late_s)
    assert heard(said)["secMark"] == round((UTC_S + late_s) * 1000) % 60_000
    assert (said.sender, said.lie, said.again) == (5, False, False)


def test_each_vehicle_sends_ten_times_a_second_on_a_beat_of_its_own_and_counts_to_127() -> None:
    said = list(run(Talkers(1, 1.0), [user(number) for number in range(8)], 14.0))
    counts = Counter(each.sender for _, each in said)
    assert set(counts) == set(range(8))
    assert set(counts.values()) <= {139, 140}, "the first within a tenth of a second"
    firsts = {each.sender: t for t, each in reversed(said)}
    assert len(set(firsts.values())) > 4, "own phases"
    of_one = [(t, heard(each)["msgCnt"]) for t, each in said if each.sender == 3]
    assert [count for _, count in of_one] == [n % 128 for n in range(len(of_one))]
    gaps = [after - before for (before, _), (after, _) in itertools.pairwise(of_one)]
    assert max(gaps) <= PERIOD_S + STEP_S + 1e-6
    assert min(gaps) >= PERIOD_S - STEP_S - 1e-6


def test_beats_that_a_stalled_host_missed_are_not_made_up_for() -> None:
    talkers = Talkers(1, 1.0)
    talkers.see(T0, [user()])
    for late_s in (0.42, 0.421):
        talkers.see(T0 + late_s, [user()])
        assert len(talkers.due(T0 + late_s, UTC_S)) == (1 if late_s == 0.42 else 0)
    assert T0 + 0.42 < talkers.next_s(T0 + 0.421) <= T0 + 0.52


def test_when_the_world_has_stopped_nobody_sends_and_nothing_is_waited_for() -> None:
    talkers = Talkers(1, 1.0)
    talkers.see(T0, [user()])
    assert talkers.due(T0 + STALE_S - 0.01, UTC_S)
    assert talkers.due(T0 + STALE_S + 0.2, UTC_S) == []
    assert talkers.next_s(T0 + STALE_S + 0.2) == math.inf


def test_the_error_of_a_receiver_is_a_bias_and_a_slow_noise() -> None:
    biases, wanders = [], []
    for seed in range(400):
        error = GnssError(random.Random(seed))
        path = [error.at(n * WANDER_S)[0] for n in range(50)]
        biases.append(statistics.fmean(path))
        wanders.append([x - biases[-1] for x in path])
    assert statistics.stdev(biases) == pytest.approx(BIAS_SD_M, rel=0.15)
    flat = [x for path in wanders for x in path]
    assert statistics.pstdev(flat) == pytest.approx(WANDER_SD_M, rel=0.05)
    pairs = [(a, b) for path in wanders for a, b in itertools.pairwise(path)]
    kept = statistics.correlation([a for a, _ in pairs], [b for _, b in pairs])
    assert kept == pytest.approx(math.exp(-1), abs=0.06), "one time constant later"


def test_the_liar_jumps_six_metres_to_its_right_and_goes_on_from_there() -> None:
    talkers = Talkers(1, 1.0)
    honest, lying = Talkers(1, 1.0), list[Said]()
    assert talkers.obey("lie", True, T0)
    for start_s, heading in ((0.0, 0.0), (1.0, 90.0)):
        road = [standing(heading=heading)]
        true = [place(heard(said)) for _, said in run(honest, road, 1.0, start_s)]
        told = [said for _, said in run(talkers, road, 1.0, start_s)]
        for (x, y), said in zip(true, told, strict=True):
            assert place(heard(said)) == pytest.approx((x + 6.0, y), abs=0.03), "as it headed when it jumped"
        lying += told
    assert all(said.lie and (said.x_m, said.y_m) == (10.0, -20.0) for said in lying)
    talkers.obey("lie", False, T0)
    _, back = next(run(talkers, [standing()], 1.0, 2.0))
    assert not back.lie
    assert math.dist(place(heard(back)), (10.0, -20.0)) < ERROR_M


def test_one_lies_the_nearest_inside_sixty_metres_and_when_it_has_left_the_next_does() -> None:
    talkers = Talkers(1, 1.0, liar=True)

    def liars(*road: dict[str, Any]) -> set[int | None]:
        start_s = next(clock)
        return {said.sender for _, said in run(talkers, road, 2 * PERIOD_S, start_s) if said.lie}

    clock = iter(range(100))
    far, near, nearest = standing(1, y=61.0), standing(2, y=40.0), standing(3, y=30.0)
    assert liars(far) == set()
    assert liars(far, near, nearest) == {3}
    assert liars(far, near, standing(3, y=90.0)) == {3}, "who lies goes on lying"
    assert liars(far, near) == {2}
    assert liars(far) == set()


def test_a_ghost_stands_in_the_middle_of_the_crossing_and_is_nobody() -> None:
    talkers = Talkers(1, 0.05)
    talkers.obey("ghost", True, T0)
    said = [each for _, each in run(talkers, [], 1.0)]
    assert len(said) == 10
    conflict = read_rig_crossing(asset("config/crossings/virtual.geojson")).conflict
    for each in said:
        value = heard(each)
        assert (each.sender, each.lie, value["id"], value["speed"]) == (None, True, said[0].id, 0)
        assert inside(conflict, *place(value))
    talkers.obey("ghost", False, T0)
    assert not list(run(talkers, [], 1.0, 2.0))


def test_a_flood_is_a_thousand_a_second_and_over_after_ten_seconds() -> None:
    talkers = Talkers(1)
    talkers.obey("flood", True, T0)
    told = [len(talkers.garbage(T0 + n * STEP_S)) for n in range(2000)]
    assert sum(told[:101]) == pytest.approx(1000, abs=2)
    assert sum(told) == 1000 * FLOOD_S
    assert not any(told[round(FLOOD_S / STEP_S) + 1 :])
    assert talkers.next_s(T0 + 20.0) == math.inf


def test_a_flood_can_be_ended_and_what_a_stalled_host_owes_is_not_sent_at_once() -> None:
    talkers = Talkers(1)
    talkers.obey("flood", True, T0)
    assert len(talkers.garbage(T0 + 3.0)) == 50
    assert talkers.next_s(T0 + 3.0) < T0 + 3.1
    talkers.obey("flood", False, T0 + 3.01)
    assert talkers.garbage(T0 + 3.5) == []


def test_a_replay_says_once_more_what_was_said_five_seconds_before() -> None:
    talkers = Talkers(1, 1.0)
    fresh = [(t, said) for t, said in run(talkers, [user()], 8.0) if not said.again]
    talkers.obey("replay", True, T0)
    later = list(run(talkers, [user()], 2.0, 8.0))
    old = [(t, said) for t, said in later if said.again]
    assert [said.data for _, said in old] == [said.data for t, said in fresh if t >= 8.0 - REPLAY_S][:20]
    assert all(
        t - before == pytest.approx(REPLAY_S, abs=2 * STEP_S)
        for (t, said) in old
        for before, first in fresh
        if first.data == said.data
    )
    assert sum(not said.again for _, said in later) == 20, "the true ones go on"
    talkers.obey("replay", False, T0)
    assert not any(said.again for _, said in run(talkers, [user()], 2.0, 10.0))


def test_frozen_radios_send_their_last_message_again_and_again() -> None:
    talkers = Talkers(1, 1.0)
    *_, (_, last) = run(talkers, [user()], 1.0)
    talkers.obey("freeze", True, T0)
    frozen = [said for _, said in run(talkers, [user(y=50.0)], 1.0, 1.0)]
    assert len(frozen) == 10
    assert {said.data for said in frozen} == {last.data}
    assert all(said.again for said in frozen)
    talkers.obey("freeze", False, T0)
    assert last.data not in {said.data for _, said in run(talkers, [user()], 1.0, 2.0)}


def test_a_fault_of_the_process_is_none_of_theirs() -> None:
    assert not Talkers(1).obey("unplug", True, T0)
