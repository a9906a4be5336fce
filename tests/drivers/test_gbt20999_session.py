"""Reading a GB/T 20999 controller in time that the test moves: programme, polls, a peer's bad manners."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from gbt20999_peer import Peer, sent
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.gbt20999.batches import Questions
from drivers.gbt20999.deframer import Deframer
from drivers.gbt20999.link import Answer
from drivers.gbt20999.memory import Memory, Shelf
from drivers.gbt20999.session import Session
from drivers.gbt20999.settings import Settings
from drivers.gbt20999.wire import Address, Checksum, Dialect, Frame, Identity, Kind, Value, query
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.world.signal import (
    Colour,
    Control,
    Phase,
    Plan,
    Programme,
    SignalReport,
    Stage,
    StageSlot,
    StageState,
    Step,
)

SETTINGS = Settings(port="x", listen_first_s=0.0)
REPLY_S = 0.01


class Bench:
    """A session and a peer joined by a perfect line; `run` moves time."""

    def __init__(self, peer: Peer, chosen: Settings = SETTINGS, shelf: Shelf | None = None) -> None:
        self.peer, self.now_s = peer, 100.0
        self.session = Session(chosen, self.now_s, Memory(shelf or Shelf()))
        self.got: list[tuple[float, SignalReport | Programme]] = []
        self._coming: list[tuple[float, bytes]] = []
        self.byte_s = chosen.line("master").byte_s

    def run(self, seconds: float, damage: Callable[[bytes], bytes] = bytes) -> Bench:
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.session.check(self.now_s)
            if data := self.session.next_bytes(self.now_s):
                answer = damage(self.peer.hears(data, self.now_s))
                arrival_s = self.now_s + REPLY_S + (len(data) + len(answer)) * self.byte_s
                self._coming += [(arrival_s, answer)] if answer else []
            if self._coming and self._coming[0][0] <= self.now_s + 0.001:
                self.now_s, arrived = self._coming.pop(0)
                self.says(arrived)
            else:
                next_s = min(self._coming[0][0] if self._coming else end_s, self.session.wake_s(self.now_s))
                self.now_s = min(end_s, max(self.now_s + 0.001, next_s))
        return self

    def says(self, data: bytes) -> None:
        self.got += [(self.now_s, item) for item in self.session.receive(data, self.now_s)]

    @property
    def programmes(self) -> list[Programme]:
        return [item for _, item in self.got if isinstance(item, Programme)]

    @property
    def reports(self) -> list[SignalReport]:
        return [item for _, item in self.got if isinstance(item, SignalReport)]

    @property
    def complete_s(self) -> list[float]:
        return [at_s for at_s, item in self.got if isinstance(item, SignalReport) and item.complete]


def test_the_programme_is_read_with_its_right_aligned_chains() -> None:
    (programme,) = Bench(Peer()).run(3.0).programmes
    losing = (Step(Colour.GREEN_FLASH, 3.0), Step(Colour.YELLOW, 3.0))
    gaining = (Step(Colour.RED_FLASH, 5.0),)
    assert programme.groups == (1, 2, 3, 4)
    assert programme.phases == (
        Phase(1, (1, 2), losing, gaining, 10.0, 40.0),
        Phase(2, (3, 4), losing, gaining, 10.0, 40.0),
    )
    assert programme.stages == (Stage(1, (1,)), Stage(2, (2,)))
    assert programme.plans == (Plan(1, 60.0, (StageSlot(1, 35.0), StageSlot(2, 25.0, on_demand=True)), 0.0),)
    assert programme.conflicts == ((1, 2),)


def test_lamps_come_at_once_and_stay_on_their_grid_while_the_programme_is_read() -> None:
    bench = Bench(Peer()).run(5.0)
    assert bench.complete_s[0] - 100.0 < 0.2
    gaps = [later - earlier for earlier, later in pairwise(bench.complete_s)]
    assert max(gaps) < 0.2
    assert len(bench.complete_s) >= 47


def test_a_report_says_what_the_controller_said() -> None:
    report = next(each for each in Bench(Peer()).run(1.0).reports if each.complete and each.stage)
    assert [lamp.colour for lamp in report.lamps] == [Colour.GREEN, Colour.GREEN, Colour.RED, Colour.RED]
    assert (report.control, report.plan) == (Control.FIXED_TIME, 1)
    assert report.stage is not None
    assert (report.stage.stage, report.stage.state) == (1, StageState.RUNNING)
    assert (report.stage.elapsed_s, report.stage.remaining_s) == (5.0, 30.0)
    assert not report.unsolicited
    assert report.first_byte_s < report.last_byte_s


def test_clock_faults_and_priority_are_read_more_slowly() -> None:
    peer = Peer()
    peer.values |= {
        Address(16, 1): (2).to_bytes(4, "big"),
        Address(16, 2, 2, 1): b"\x10",
        Address(16, 2, 2, 2): b"\x99",
        Address(8, 6, 3, 1): b"\x01",
        Address(8, 3, 3, 1): b"\x00",
    }
    reports = Bench(peer).run(4.0).reports
    assert ("fault_0x99", "green_conflict") in [each.faults for each in reports]
    assert {each.preempt for each in reports} == {None, True}
    assert {each.priority for each in reports} == {None, False}
    assert 1_795_523_415_000 in [each.controller_utc_ms for each in reports]  # 2026-11-24 12:30:15


def test_a_trap_is_a_report_at_once_even_between_question_and_answer() -> None:
    bench = Bench(Peer()).run(2.0)
    while bench.session.next_bytes(bench.now_s) is None:
        bench.now_s += 0.005
    before = len(bench.reports)
    bench.says(sent(Kind.TRAP, [(Address(3, 3, 1, 1), b"\x30"), (Address(6, 3, 2, 1), b"\x30")]))
    (report,) = bench.reports[before:]
    assert report.unsolicited
    assert [(lamp.group, lamp.colour) for lamp in report.lamps] == [(1, Colour.YELLOW)]
    assert report.stage is not None
    assert report.stage.state == StageState.TRANSITION
    assert not report.complete


@pytest.mark.parametrize("code", [0, 67, 0x10, 0x20, 0xFF])
def test_an_unknown_mode_is_unknown_control_and_never_fixed_time(code: int) -> None:
    peer = Peer()
    peer.values[Address(13, 2, 2, 1)] = bytes([code])
    controls = {each.control for each in Bench(peer).run(1.0).reports} - {None}
    assert controls == {Control.UNKNOWN}


@pytest.mark.parametrize("most", [1, 3, 8])
@pytest.mark.parametrize("drops_long", [False, True])
def test_a_controller_that_takes_few_values_at_once_is_read_whole(most: int, drops_long: bool) -> None:
    chosen = Settings(port="x", listen_first_s=0.0, silent_after_s=10.0)
    bench = Bench(Peer(most=most, drops_long=drops_long), chosen).run(40.0)
    assert bench.programmes[-1].groups == (1, 2, 3, 4)
    assert len(bench.programmes[-1].plans) == 1
    assert {lamp.group for each in bench.reports[-30:] for lamp in each.lamps} == {1, 2, 3, 4}


@pytest.mark.parametrize("leaves_out_missing", [False, True])
def test_rows_that_do_not_exist_are_passed_over(leaves_out_missing: bool) -> None:
    peer = Peer(leaves_out_missing=leaves_out_missing)
    peer.values[Address(4, 1)] = b"\x05"  # five phases told, two there
    del peer.values[Address(1, 3)]
    bench = Bench(peer).run(10.0)
    assert [phase.phase for phase in bench.programmes[-1].phases] == [1, 2]
    assert bench.complete_s[-1] > 109.0


def test_a_controller_that_tells_no_groups_is_tried_row_by_row() -> None:
    peer = Peer()
    peer.values[Address(3, 1)] = b"\x00"
    assert Bench(peer).run(15.0).programmes[-1].groups == (1, 2, 3, 4)


def test_another_plan_has_the_programme_read_again_and_told_only_if_it_changed() -> None:
    bench = Bench(Peer()).run(4.0)
    bench.peer.values[Address(13, 2, 3, 1)] = b"\x02"
    asked = len(bench.peer.queries)
    bench.run(4.0)
    assert any(Address(4, 2, 2, 1) in query for query in bench.peer.queries[asked:])
    bench.peer.values[Address(9, 2, 3, 1)] = (70).to_bytes(4, "big")
    bench.peer.values[Address(13, 2, 3, 1)] = b"\x01"
    bench.run(4.0)
    assert [programme.plans[0].cycle_s for programme in bench.programmes][-1] == 70.0
    assert len({programme.fingerprint for programme in bench.programmes}) == len(bench.programmes)


def test_a_changed_chain_is_noticed_without_a_change_of_plan() -> None:
    bench = Bench(Peer()).run(4.0)
    bench.peer.values[Address(9, 2, 7, 1)] = bytes(28) + (20).to_bytes(2, "big") + (40).to_bytes(2, "big")
    bench.run(25.0)
    assert [slot.seconds for slot in bench.programmes[-1].plans[0].slots] == [40.0, 20.0]


def test_a_controller_seen_before_is_known_at_its_first_answer() -> None:
    shelf = Shelf()
    (first,) = Bench(Peer(), shelf=shelf).run(4.0).programmes
    again = Bench(Peer(), shelf=shelf).run(0.2)
    assert again.programmes == [first]


def test_another_unit_in_the_cabinet_is_refused_after_reopening_too() -> None:
    shelf = Shelf()
    Bench(Peer(), shelf=shelf).run(4.0)
    with pytest.raises(DeviceLost, match="controller 7 answers instead of 0"):
        Bench(Peer(controller=7), shelf=shelf).run(0.5)


def test_a_bad_minute_does_not_make_questions_small_for_ever() -> None:
    questions, long = proven_together()
    for _ in range(4):
        questions.unanswered(long, others_answer=True, garbled=False)
    assert [len(batch) for batch in questions.batches(long, 10_000)] == [12, 12]
    for _ in range(101):
        questions.answered(answer(long[:12]))
    assert [len(batch) for batch in questions.batches(long, 10_000)] == [24]
    questions.unanswered(long, others_answer=True, garbled=False)  # it is the controller after all
    assert [len(batch) for batch in questions.batches(long, 10_000)] == [12, 12]
    for _ in range(150):
        questions.answered(answer(long[:12]))
    assert [len(batch) for batch in questions.batches(long, 10_000)] == [12, 12]


def test_answers_that_came_garbled_say_little_of_their_length() -> None:
    questions, long = proven_together()
    for _ in range(11):
        questions.unanswered(long, others_answer=True, garbled=True)
    assert len(questions.batches(long, 10_000)) == 1


def proven_together() -> tuple[Questions, tuple[Address, ...]]:
    """Questions of which 24 lamps in one have been answered, and those lamps."""
    questions, long = Questions(64), tuple(Address(3, 3, 1, group) for group in range(1, 25))
    questions.answered(answer(long))
    return questions, long


def answer(asked: tuple[Address, ...]) -> Answer:
    """A reply with all that was asked."""
    values = tuple(Value(address, b"\x30") for address in asked)
    return Answer(asked, Frame(Kind.REPLY, 0x0100, 1, 0, 0, 1, values), 0.005)


def test_a_new_stage_is_asked_for_at_once() -> None:
    bench = Bench(Peer()).run(3.0)
    bench.peer.values[Address(13, 2, 4, 1)] = b"\x02"
    bench.peer.values[Address(6, 3, 2, 2)] = b"\x20"
    start_s = bench.now_s
    bench.run(1.0)
    seen_s = next(
        at
        for at, each in bench.got
        if isinstance(each, SignalReport) and each.stage and each.stage.stage == 2
    )
    assert seen_s - start_s < 0.25


def test_one_lost_reply_costs_a_fraction_of_a_second() -> None:
    bench = Bench(Peer()).run(3.0)
    losses = iter([True])
    bench.run(2.0, damage=lambda data: b"" if next(losses, False) else data)
    times = [at for at in bench.complete_s if at > 103.0]
    assert max(later - earlier for earlier, later in pairwise(times)) < 0.3
    assert bench.session.counters["timeouts"] == 1


def test_one_damaged_reply_costs_a_counter_and_the_next_poll_is_whole() -> None:
    bench = Bench(Peer()).run(3.0)
    hits = iter([True])
    bench.run(2.0, damage=lambda data: data[:9] + b"\x55" + data[10:] if next(hits, False) else data)
    assert bench.session.counters["garbled_checksum"] == 1
    assert bench.complete_s[-1] > 104.8


def test_silence_is_silent_and_rubbish_is_garbled_with_a_hint() -> None:
    with pytest.raises(DeviceLost) as silent:
        Bench(Peer(silent=True)).run(5.0)
    assert silent.value.reason == "silent"
    with pytest.raises(DeviceLost) as garbled:
        Bench(Peer()).run(10.0, damage=lambda data: bytes(byte ^ 0x15 for byte in data))
    assert garbled.value.reason == "garbled"
    assert "baud" in garbled.value.hint


def test_mostly_damaged_frames_are_garbled_though_some_get_through() -> None:
    bench, count = Bench(Peer()).run(3.0), iter(range(10_000))
    with pytest.raises(DeviceLost) as lost:
        bench.run(
            60.0, damage=lambda data: data if next(count) % 12 == 0 else data[:-2] + b"\x00" + data[-1:]
        )
    assert lost.value.reason == "garbled"


def test_another_master_on_the_line_stops_us_but_our_own_echo_does_not() -> None:
    bench = Bench(Peer()).run(1.0)
    while not (echo := bench.session.next_bytes(bench.now_s)):
        bench.now_s += 0.01
    bench.says(echo)
    for kind in (Kind.QUERY, 0x30):
        with pytest.raises(DeviceLost, match="SER07") as lost:
            bench.says(sent(kind, [(Address(3, 3, 1, 1), b"")], sequence=99))
        assert lost.value.reason == "busy"


def test_another_controller_is_refused() -> None:
    with pytest.raises(DeviceLost) as lost:
        Bench(Peer(controller=7), Settings(port="x", listen_first_s=0, controller_id=5)).run(2.0)
    assert lost.value.reason == "refused"
    bench = Bench(Peer()).run(2.0)
    bench.peer.controller = 9
    with pytest.raises(DeviceLost, match="9 answers instead of 0"):
        bench.run(2.0)


@pytest.mark.parametrize(("choice", "answers"), [("ignore", 0), ("answer", 1)])
def test_a_heartbeat_query_is_answered_only_when_the_site_says_so(choice: str, answers: int) -> None:
    bench = Bench(Peer(), Settings(port="x", listen_first_s=0.0, heartbeat=choice)).run(1.0)
    bench.says(sent(Kind.HEARTBEAT_QUERY, []))
    bench.run(1.0)
    assert bench.peer.kinds.count(Kind.HEARTBEAT_REPLY) == answers
    assert set(bench.peer.kinds) <= {Kind.QUERY, Kind.HEARTBEAT_REPLY}


def test_nothing_is_sent_while_listening_first() -> None:
    bench = Bench(Peer(), Settings(port="x", listen_first_s=1.0)).run(0.9)
    assert bench.peer.queries == []
    assert bench.run(0.5).peer.queries


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=20), st.integers(0, 2**32 - 1))
def test_no_bytes_between_the_answers_can_break_the_session(noise: list[bytes], seed: int) -> None:
    bench = Bench(Peer()).run(0.5)
    for rubbish in noise:
        bench.says(rubbish)
        if seed & 1:
            bench.run(0.05)
    bench.run(1.0)
    assert bench.complete_s[-1] > bench.now_s - 0.3


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([Kind.REPLY, Kind.TRAP, Kind.ERROR_REPLY]),
    st.lists(
        st.tuples(
            st.builds(
                Address, st.sampled_from([1, 3, 4, 6, 7, 8, 9, 13, 16, 137]), *[st.integers(0, 12)] * 3
            ),
            st.binary(max_size=70),
        ),
        max_size=12,
    ),
)
def test_no_values_of_any_length_can_break_the_session(
    kind: Kind, values: list[tuple[Address, bytes]]
) -> None:
    bench = Bench(Peer()).run(0.5)
    bench.says(sent(kind, values))
    bench.run(0.5)
    assert bench.complete_s


def test_the_rest_of_a_frame_under_way_is_known_from_its_length() -> None:
    frame = query(Identity(), 1, tuple(Address(3, 3, 1, group) for group in range(1, 20)), Dialect())
    deframer = Deframer(Checksum.X1005, 10 / 115_200)
    assert deframer.rest_bytes is None
    list(deframer.receive(frame[:2], 1.0))
    assert deframer.rest_bytes is None  # its length has not come yet
    for size in (3, 10, len(frame) - 1):
        deframer = Deframer(Checksum.X1005, 10 / 115_200)
        list(deframer.receive(frame[:size], 1.0))
        escapes = frame[1:].count(b"\x5c")
        assert deframer.rest_bytes is not None
        assert 0 <= len(frame) - size - deframer.rest_bytes <= escapes
    list(deframer.receive(frame[len(frame) - 1 :], 1.0))
    assert deframer.rest_bytes is None
    list(deframer.receive(b"\x7e\xff\xff", 2.0))
    assert deframer.rest_bytes is None  # no frame is so long
