"""The fleet: records at the product's rate, lags that are not flattered, losses that would be seen."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from hil.bench.command import over
from hil.bench.fleet import ingest_and_fleet, judged
from hil.fleet.light import LightPole, Rows
from hil.fleet.line import Line
from hil.fleet.plan import MOST_REAL, Plan, site_of
from hil.fleet.real import fill
from hil.fleet.records import OF_TOMORROW, RECORDS_PER_S, Crossing, place
from hil.fleet.run import simulate
from hil.fleet.tally import Lags, Tally, counted, missed
from hil.mosquitto import MOSQUITTO
from hil.postgres import INITDB, MISSING
from hil.processes import RigFailure
from hil.uplink_chaos.compare import Held
from rsu_agent.district.facts import place_of
from rsu_agent.outlets.outbox import Outbox, read_numbers
from rsu_agent.outlets.summary_kinds import LANE_OF, faults
from rsu_agent.ports.envelope import SCHEMA, Ack, unpack_envelope
from rsu_agent.ports.mqtt import Broker
from rsu_agent.ports.trouble import DeviceLost

BEGINS_US = 1_790_000_000_000_000
HOUR_US = 3_600_000_000
RSU = [sys.executable, "-P", "-m", "rsu_agent.cli.main", "district", "simulate"]
NO_MOSQUITTO = "mosquitto is not installed (make tools)"
needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason=NO_MOSQUITTO)
LIVE = {
    "sites": 1000,
    "sealed_p99_s": {"hi": 0.2, "lo": 0.3},
    "lag_p99_s": {"hi": 0.2, "lo": 5.2},
    "missed": [],
}
MANY = {"cpu_us_per_envelope": 200.0, "envelopes_per_s": 1990.0, "missed": []}
BACK = {"sites": 143, "return_s": 100.0, "return_hi_p99_s": 0.5, "missed": []}
RUNS: dict[str, dict[str, Any]] = {
    "live": LIVE,
    "many": MANY,
    "few": {**MANY, "cpu_us_per_envelope": 180.0},
    "back": BACK,
}


def rsu(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*RSU, *arguments], capture_output=True, text=True, timeout=120, check=False)


def told(seed: int, **options: Any) -> list[tuple[dict[str, Any], str]]:
    return Crossing(seed, 3, BEGINS_US, **options).due(BEGINS_US + HOUR_US)


def test_an_hour_of_a_crossing_has_the_products_rate_and_its_kinds() -> None:
    records = told(1)
    assert len(records) / 3600 == pytest.approx(RECORDS_PER_S, rel=0.1)
    assert pytest.approx(0.58, abs=0.005) == RECORDS_PER_S
    kinds = Counter(record["k"] for record, _ in records)
    assert kinds["flow"] == 16 * 60
    assert kinds["hb"] == 360
    assert {"phase", "event", "base", "health"} <= kinds.keys()


def test_every_record_is_as_its_kind_declares_it_and_in_its_lane_and_in_order() -> None:
    records = told(2)
    assert [(record["k"], faults(record)) for record, _ in records if faults(record)] == []
    assert all(lane == LANE_OF[record["k"]] for record, lane in records)
    assert [r["t"] for r, _ in records] == sorted(r["t"] for r, _ in records)


def test_the_same_seed_says_the_same_and_another_seed_or_pole_does_not() -> None:
    assert told(1) == told(1)
    assert told(1) != told(2)
    assert told(1) != Crossing(1, 4, BEGINS_US).due(BEGINS_US + HOUR_US)


def test_a_pace_is_so_many_times_the_rate() -> None:
    assert len(told(1, pace=10)) == pytest.approx(10 * len(told(1)), rel=0.1)


def test_a_third_of_a_mixed_fleet_is_of_the_next_version_and_a_third_has_a_kind_of_tomorrow() -> None:
    plan = Plan(9, 1.0, versions=True)
    mix = Counter(plan.version_of(number) for number in range(1, 10))
    assert mix == {(SCHEMA + 1, False): 3, (SCHEMA, True): 3, (SCHEMA, False): 3}
    assert {Plan(9, 1.0).version_of(number) for number in range(1, 10)} == {(SCHEMA, False)}
    strange = [record for record, _ in told(1, tomorrow=True) if faults(record)]
    assert {record["k"] for record in strange} == {OF_TOMORROW}


def test_poles_stand_apart_and_say_where() -> None:
    assert len({place(number) for number in range(1, 301)}) == 300
    base = next(record for record, _ in told(1) if record["k"] == "base")
    assert place_of(base) == place(3)


def test_a_lag_is_rounded_up_and_its_p99_is_one_that_was_seen() -> None:
    lags = Lags()
    assert lags.p_s(0.99) is None
    for ms in range(1, 101):
        lags.add(ms * 1000)
    assert (lags.p_s(0.99), lags.p_s(0.5), lags.p_s(1.0)) == (0.099, 0.05, 0.1)
    lags = Lags()
    lags.add(1_234_567)
    assert lags.p_s(0.99) == 1.24
    lags.add(-5)  # a clock that was set back
    assert lags.p_s(0.5) == 0.0


def test_a_lag_counts_once_from_the_records_and_the_envelopes_stamp_however_often_it_was_sent() -> None:
    tally = Tally()
    tally.sent((1, "lo"), 1, 4_000_000, [1_000_000, 3_000_000])
    tally.sent((1, "lo"), 1, 4_900_000, [4_900_000])
    tally.answered((1, "lo"), Ack(7, "lo", 1), 5_000_000)
    tally.answered((1, "lo"), Ack(7, "lo", 1), 9_000_000)
    tally.sent((1, "lo"), 1, 4_000_000, [1_000_000])
    tally.answered((1, "lo"), Ack(7, "lo", 1), 10_000_000)
    assert (tally.envelopes, tally.records) == (1, 2)
    assert tally.record["lo"].p_s(1.0) == 4.0
    assert tally.sealed["lo"].p_s(1.0) == 1.0
    assert len(tally.record["hi"]) == 0


def test_ranges_and_refusals_answer_too_and_other_poles_are_not_meant() -> None:
    tally = Tally()
    for seq in (1, 2, 3, 4):
        tally.sent((1, "hi"), seq, 0, [0])
        tally.sent((2, "hi"), seq, 0, [0])
    tally.answered((1, "hi"), Ack(7, "hi", 1, ((3, 3),), ((4, "invalid"),)), 1000)
    assert tally.envelopes == 3
    assert not tally.reached({(1, "hi"): 2})
    assert tally.reached({(1, "hi"): 1})


def test_of_a_return_only_what_was_stamped_since_counts() -> None:
    tally = Tally()
    tally.sent((1, "hi"), 1, 1000, [1000])
    tally.sent((1, "hi"), 2, 9000, [9000])
    tally.sent((1, "lo"), 1, 9000, [9000])
    tally.returning_from_us = 5000
    tally.answered((1, "hi"), Ack(7, "hi", 2), 10_000)
    tally.answered((1, "lo"), Ack(7, "lo", 1), 10_000)
    assert len(tally.returned_hi) == 1
    assert tally.returned_hi.p_s(0.99) == 0.001


def held(*numbers: int, holes: frozenset[int] = frozenset()) -> Held:
    return Held({(7, "lo"): Counter(numbers)}, Counter(), {(7, "lo"): set(holes)})


def test_what_is_not_in_the_database_is_lost_and_what_is_there_twice_is_a_duplicate() -> None:
    given = {(7, "lo"): 3}
    clean, gone, twice = (
        counted(given, held(1, 2, 3)),
        counted(given, held(1, 3)),
        counted(given, held(1, 2, 2, 3)),
    )
    assert (clean.lost, clean.duplicates) == (0, 0)
    assert (gone.lost, gone.duplicates) == (1, 0)
    assert (twice.lost, twice.duplicates) == (0, 1)
    assert counted(given, held(1, 3, holes=frozenset({2}))).lost == 0
    assert counted({(8, "lo"): 2}, held(1, 2)).lost == 2


def test_loss_and_what_is_not_drained_are_missed_and_a_foreign_database_is_not_judged() -> None:
    assert missed({"lost": 0, "duplicates": 0, "drained": True}) == []
    assert missed({"lost": None, "duplicates": None, "drained": True}) == []
    assert missed({"lost": 2, "duplicates": 1, "drained": False}) == [
        "lost 2 > 0",
        "duplicates 1 > 0",
        "not drained",
    ]


def rows_of(count: int, stock: int = 0) -> Rows:
    rows = Rows(7, stock)
    for _ in range(count):
        rows.give([{"k": "hb", "t": 1}], 1)
    return rows


def test_rows_go_again_in_order_once_the_oldest_has_waited() -> None:
    rows = rows_of(3)
    assert [rows.take(1.0).seq, rows.take(2.0).seq] == [1, 2]
    assert rows.again(0.5) == 0
    assert rows.again(1.5) == 2
    assert [row.seq for row in rows.waiting] == [1, 2, 3]


def test_answered_rows_are_gone_and_the_others_stay() -> None:
    rows = rows_of(4)
    for _ in range(4):
        rows.take(1.0)
    rows.answered(Ack(7, "lo", 1, ((3, 3),), ((4, "invalid"),)))
    assert list(rows.flying) == [2]


def test_a_stock_is_made_as_it_is_sent_before_what_came_later_and_sent_again_first() -> None:
    rows = rows_of(2, stock=3)
    assert (rows.last, len(rows), len(rows.waiting)) == (5, 5, 2)
    assert [rows.take(1.0).seq for _ in range(2)] == [1, 2]
    assert rows.again(9.0) == 2
    assert [rows.take(1.0).seq for _ in range(len(rows))] == [1, 2, 3, 4, 5]
    assert [row.timed for row in rows.flying.values()] == [False] * 3 + [True] * 2


class Heard:
    """A session that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes]] = []

    def send(self, topic: str, payload: bytes) -> None:
        self.sent.append((topic, payload))


def test_a_light_pole_sends_the_products_envelopes_high_lane_first_and_keeps_its_window() -> None:
    pole, session, tally = LightPole(Plan(1, 1.0, backlog=50), 1, BEGINS_US), Heard(), Tally()
    pole.produce(BEGINS_US + 60_000_000)
    pole.send(session, "rsu/1/d/", tally, 1.0)  # type: ignore[arg-type]
    sent = [(topic, unpack_envelope(payload)) for topic, payload in session.sent]
    assert sent[0][0] == f"rsu/1/d/{site_of(1)}/up/hi"
    low = [envelope.seq for topic, envelope in sent if topic.endswith("/lo")]
    assert low == list(range(1, 15))
    assert len(sent) <= 20
    assert not pole.drained
    pole.send(session, "rsu/1/d/", tally, 1.0)  # type: ignore[arg-type]
    assert len(session.sent) == len(sent)


def test_a_backlog_is_rows_of_three_records_that_the_products_outbox_takes_up(tmp_path: Path) -> None:
    fill(tmp_path / "lo.sqlite", "sim-1", 40, 1)
    outbox = Outbox(tmp_path, 64 << 20, site="sim-1")
    rows = outbox.envelopes("lo", 0, 100, "sim-1")
    outbox.close()
    assert read_numbers(tmp_path)["lo"]["queued"] == 40
    assert {len(unpack_envelope(payload).records) for _, payload in rows} == {3}
    assert [faults(r) for r in unpack_envelope(rows[0][1]).records] == [[]] * 3


def test_many_poles_are_light_unless_told() -> None:
    assert not Plan(MOST_REAL, 1.0).is_light
    assert Plan(MOST_REAL + 1, 1.0).is_light
    assert Plan(2, 1.0, light=True).is_light


@pytest.mark.anyio
async def test_a_line_that_is_down_takes_nobody() -> None:
    line = Line()
    line.up = False
    with pytest.raises(DeviceLost):
        async with line.open(Broker("127.0.0.1", 1, "x")):
            pass
    assert line.opened == 0


def test_bounds_of_the_fleet_are_judged_and_what_was_not_measured_is_missed() -> None:
    group = judged(RUNS)
    assert (group["lag_p99_s"], group["cores_at_2000"], group["cost_ratio_10000_100"]) == (0.3, 0.4, 1.111)
    assert over("ingest", {"postgres_per_s": 6000, "fleet": group}) == []
    late = judged(
        {**RUNS, "back": {**BACK, "return_s": 601.0}, "live": {**LIVE, "sealed_p99_s": {"lo": 2.5}}}
    )
    assert over("ingest", {"postgres_per_s": 6000, "fleet": late}) == [
        "fleet.lag_p99_s 2.5 > 2",
        "fleet.return_s 601.0 > 600",
    ]
    unknown = judged(
        {**RUNS, "many": {**MANY, "cpu_us_per_envelope": None}, "back": {**BACK, "missed": ["lost 1 > 0"]}}
    )
    assert unknown["missed"] == ["fleet back: lost 1 > 0"]
    assert len(over("ingest", {"postgres_per_s": 6000, "fleet": unknown})) == 2


def test_the_bench_makes_a_thousand_live_ten_thousand_and_a_hundred_send_as_much_and_143_return(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plans: list[Plan] = []

    def simulated(plan: Plan) -> dict[str, Any]:
        plans.append(plan)
        return {**list(RUNS.values())[len(plans) - 1], "missed": ["not drained"] * (plan.sites == 143)}

    monkeypatch.setattr("hil.bench.fleet.simulate", simulated)
    monkeypatch.setattr("hil.bench.fleet.ingest", lambda seed: {"postgres_per_s": 6000, "of": seed})
    figures = ingest_and_fleet(5)
    assert [plan.sites for plan in plans] == [1000, 10_000, 100, 143]
    assert plans[1].sites * plans[1].pace == plans[2].sites * plans[2].pace
    assert (plans[3].backlog, plans[3].is_light, {plan.seed for plan in plans}) == (1900, False, {5})
    assert figures["missed"] == ["fleet back: not drained"]
    assert (figures["of"], figures["fleet"]["sites"]) == (5, 1000)


def test_without_a_broker_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hil.fleet.run.MOSQUITTO", None)
    with pytest.raises(RigFailure, match="make tools"):
        simulate(Plan(1, 0.1))


@pytest.mark.real
@needs_mosquitto
def test_ten_poles_live_lose_the_line_and_come_back_with_all_they_had() -> None:
    figures = simulate(Plan(10, 8.0, outage_s=3.0, versions=True, backlog=60, storm=True))
    assert figures["poles"] == "real"
    assert (figures["lost"], figures["duplicates"], figures["drained"], figures["missed"]) == (0, 0, True, [])
    assert figures["envelopes"] > 600
    assert figures["cuts"] >= 10
    assert figures["connections"] >= 20
    assert 0 < figures["return_s"] < 60
    assert figures["lag_p99_s"]["lo"] > figures["sealed_p99_s"]["lo"] > 0


@pytest.mark.real
@needs_mosquitto
@pytest.mark.skipif(INITDB is None, reason=MISSING)
def test_so_do_light_ones_into_postgresql() -> None:
    figures = simulate(
        Plan(300, 6.0, outage_s=2.0, versions=True, backlog=20, light=True, postgres=True, pace=3)
    )
    assert (figures["poles"], figures["receiver"]) == ("light", "postgres")
    assert (figures["lost"], figures["duplicates"], figures["drained"]) == (0, 0, True)
    assert figures["envelopes"] > 6000
    assert figures["connections"] == 4
    assert figures["cpu_us_per_envelope"] > 0
    assert figures["sealed_p99_s"]["hi"] < 5


@pytest.mark.real
@needs_mosquitto
def test_the_verb_prints_one_line() -> None:
    done = rsu("--sites", "10", "--for", "7", "--json")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    figures = json.loads(line)
    assert (figures["sites"], figures["lost"], figures["missed"]) == (10, 0, [])
    assert {
        "lag_p99_s",
        "receiver_cpu_s",
        "cores",
        "envelopes_per_s",
        "return_s",
        "commit",
        "cpu",
    } <= figures.keys()
    assert figures["return_s"] is None


def test_a_wrong_choice_is_told() -> None:
    done = rsu("--database", "oracle", "--json")
    assert done.returncode == 2
    assert "one of sqlite, postgres" in json.loads(done.stdout)["error"]
