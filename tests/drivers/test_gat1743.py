"""GA/T 1743-2020: frames by the published vectors, a session against scripted frames, hostile bytes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.gat1743.codes import colour
from drivers.gat1743.deframer import LARGEST_BYTES, Deframer
from drivers.gat1743.session import MODE_WAIT_S, Session
from drivers.gat1743.settings import Settings
from drivers.gat1743.wire import (
    CHECKSUM,
    CONTROLLER_TYPE,
    EVERYONE,
    HEAD,
    Address,
    Frame,
    Garbled,
    Head,
    Item,
    Operation,
    query,
)
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.world.signal import Colour, Control, GroupTimes, Lamp, LampKind, Programme, SignalReport, Step

# facts/controllers 3.1: verified, another roadside device 1 asks all controllers of region 110115
COLOURS_ASKED = bytes.fromhex("c0040023ae010020010023ae010010ffffb969f36700003c1080030100000000719bc0")
PLAN_ASKED = bytes.fromhex("c0040023ae010020010023ae010010ffffba69f36700003c10800103000000008b68c0")
UTC_S = 1_744_000_000
CONTROLLER = Address(110115, CONTROLLER_TYPE, 7)


def told(item: int, body: bytes, operation: int = Operation.BROADCAST, sender: Address = CONTROLLER) -> bytes:
    """A controller's frame, made here from the facts' table."""
    place = bytes(12)
    content = (len(body) + 10).to_bytes(2, "little") + place[2:] + body
    head = Head(8, bytes(sender), bytes(sender), UTC_S, 250, 60, 0x10, operation, item, 0, bytes(3))
    raw = HEAD.write(head) + content
    raw += CHECKSUM.of(raw).to_bytes(2, "little")
    return b"\xc0" + raw.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"


def lamps_body(entries: dict[int, list[tuple[int, int, int, int]]]) -> bytes:
    body = bytes([len(entries)])
    for direction, lamps in entries.items():
        body += direction.to_bytes(2, "little") + bytes([len(lamps)])
        body += b"".join(bytes(lamp) for lamp in lamps)
    return body


def steps_body(entries: dict[int, list[tuple[int, int, list[tuple[int, int]]]]]) -> bytes:
    body = bytes([sum(map(len, entries.values())), len(entries)])
    for direction, lamps in entries.items():
        body += direction.to_bytes(2, "little") + bytes([len(lamps)])
        for lamp, kind, steps in lamps:
            body += bytes([lamp, kind, len(steps)])
            body += b"".join(bytes([code]) + seconds.to_bytes(2, "little") for code, seconds in steps)
    return body


NORTH_SOUTH = {0: [(1, 4, 0x25, 12), (2, 2, 0x16, 30)], 180: [(3, 4, 0x35, 2), (4, 8, 0x16, 0)]}


def session(**more: object) -> Session:
    return Session(Settings(port="x", region=110115, listen_first_s=0.0, **more), 0.0, float(UTC_S))  # type: ignore[arg-type]


def got(own: Session, frames: Iterable[bytes], now_s: float = 0.0) -> list[SignalReport | Programme]:
    return [item for frame in frames for item in own.receive(frame, now_s)]


# Frames


def test_our_queries_are_the_published_ones_byte_for_byte() -> None:
    sender, receiver = Address(110115, 0x2000, 1), Address(110115, CONTROLLER_TYPE, EVERYONE)
    assert query(sender, receiver, Item.COLOURS, 0x67F369B9) == COLOURS_ASKED
    assert query(sender, receiver, Item.THIS_CYCLE, 0x67F369BA) == PLAN_ASKED


def test_the_checksum_has_its_published_check_value() -> None:
    assert CHECKSUM.of(b"123456789") == 0xAEE7


def test_a_published_query_reads_back() -> None:
    (frame,) = Deframer().receive(COLOURS_ASKED, 0.0)
    assert isinstance(frame, Frame)
    assert (frame.operation, frame.item, frame.utc_s) == (0x80, 0x0103, 0x67F369B9)
    assert frame.sender == Address(110115, 0x2000, 1)
    assert frame.body == b""


@given(st.lists(st.integers(0, 400), max_size=8), st.binary(max_size=20))
def test_frames_survive_any_split_and_what_stands_before_them(cuts: list[int], noise: bytes) -> None:
    frames = told(0x0103, lamps_body(NORTH_SOUTH)) + told(0x0102, b"\xc0\xdb\x02")
    stream = noise.replace(b"\xc0", b"") + frames
    places = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    deframer, events = Deframer(), []
    for n, (a, b) in enumerate(itertools.pairwise(places)):
        events += deframer.receive(stream[a:b], n * 0.01)
    items = [event.item for event in events if isinstance(event, Frame)]
    assert items == [0x0103, 0x0102]


def test_one_c0_may_end_a_frame_and_begin_the_next() -> None:
    frames = told(0x0103, b"\0")[:-1] + told(0x0102, b"\x02")
    assert [type(event) for event in Deframer().receive(frames, 0.0)] == [Frame, Frame]


@pytest.mark.parametrize(
    ("bytes_", "why"),
    [
        (b"\xc0abc\xc0", "short"),
        (b"\xc0ab\xdbc\xc0", "escape"),
        (b"noise", "noise"),
        (b"\xc0" + b"a" * (LARGEST_BYTES + 1), "long"),
        (COLOURS_ASKED[:20] + b"\x00" + COLOURS_ASKED[21:], "checksum"),
    ],
)
def test_what_is_wrong_is_named(bytes_: bytes, why: str) -> None:
    assert next(event.why for event in Deframer().receive(bytes_, 0.0) if isinstance(event, Garbled)) == why


def test_a_pause_ends_a_frame() -> None:
    deframer = Deframer()
    assert not list(deframer.receive(COLOURS_ASKED[:12], 0.0))
    events = list(deframer.receive(COLOURS_ASKED, 1.0))
    assert [type(event) for event in events] == [Garbled, Frame]


def test_a_frame_is_stamped_when_its_first_byte_left() -> None:
    byte_s = 10 / 9600
    (frame,) = Deframer(byte_s).receive(COLOURS_ASKED, 5.0)
    assert isinstance(frame, Frame)
    assert frame.first_byte_s == pytest.approx(5.0 - len(COLOURS_ASKED) * byte_s)


@given(st.lists(st.binary(max_size=300), max_size=8))
@settings(max_examples=200)
def test_no_bytes_can_break_a_session(chunks: list[bytes]) -> None:
    own = session(role="listener")
    for n, chunk in enumerate(chunks):
        list(own.receive(chunk, n * 0.05))
        list(own.receive(b"\xc0" + chunk + b"\xc0", n * 0.05))


@given(st.sampled_from(list(Item)), st.binary(max_size=80))
def test_no_body_can_break_a_session(item: Item, body: bytes) -> None:
    list(session().receive(told(item, body), 0.0))


# Meaning


@pytest.mark.parametrize(
    ("code", "shows"),
    [
        (0x16, Colour.RED),
        (0x25, Colour.GREEN),
        (0x19, Colour.YELLOW),
        (0x1A, Colour.RED_YELLOW),
        (0x35, Colour.GREEN_FLASH),
        (0x1D, Colour.YELLOW_FLASH),
        (0x17, Colour.RED_FLASH),
        (0x15, Colour.DARK),
        (0x00, Colour.UNKNOWN),
        (0x26, Colour.UNKNOWN),  # red and green
    ],
)
def test_colour_bytes_mean_what_the_table_says_and_red_with_yellow_is_not_red(
    code: int, shows: Colour
) -> None:
    assert colour(code) is shows


def test_colours_come_with_their_countdown_and_zero_is_no_time() -> None:
    programme, report = got(session(), [told(0x0103, lamps_body(NORTH_SOUTH))])
    assert isinstance(programme, Programme)
    assert isinstance(report, SignalReport)
    assert programme.groups == (1, 2, 3, 4)
    assert [lamp.kind for lamp in programme.lamps][-1] is LampKind.PEDESTRIAN
    assert programme.lamps[1].name == "0/2 left"
    assert report.complete
    assert report.lamps == (
        Lamp(1, Colour.GREEN),
        Lamp(2, Colour.RED),
        Lamp(3, Colour.GREEN_FLASH),
        Lamp(4, Colour.RED),
    )
    assert GroupTimes(1, likely_s=12.0, display=True) in report.times
    assert 4 not in {times.group for times in report.times}
    assert report.controller_utc_ms == UTC_S * 1000 + 250


def test_lamps_numbered_anew_in_each_direction_are_told_apart_by_order_or_as_the_site_says() -> None:
    twice = {0: [(1, 4, 0x25, 0), (2, 2, 0x16, 0)], 90: [(1, 4, 0x16, 0), (2, 4, 0x16, 0)]}
    programme = got(session(), [told(0x0103, lamps_body(twice))])[0]
    assert isinstance(programme, Programme)
    assert programme.groups == (1, 2, 3, 4)
    named = session(groups={11: "0/1", 12: "90/2"})
    _, report = got(named, [told(0x0103, lamps_body(twice))])
    assert isinstance(report, SignalReport)
    assert report.lamps == (Lamp(11, Colour.GREEN), Lamp(12, Colour.RED))
    assert report.complete


def test_step_plans_come_as_steps_of_each_group() -> None:
    own = session()
    got(own, [told(0x0103, lamps_body(NORTH_SOUTH))])
    plan = {0: [(1, 4, [(0x25, 20), (0x35, 3), (0x19, 3), (0x16, 34)])], 180: [(9, 4, [(0x16, 60)])]}
    (this,) = got(own, [told(0x0301, steps_body(plan))])
    (following,) = got(own, [told(0x0302, steps_body(plan))])
    assert isinstance(this, SignalReport)
    assert isinstance(following, SignalReport)
    assert [steps.group for steps in this.this_cycle] == [1]
    assert this.this_cycle[0].steps[:2] == (Step(Colour.GREEN, 20.0), Step(Colour.GREEN_FLASH, 3.0))
    assert following.next_cycle == this.this_cycle


@pytest.mark.parametrize(
    ("code", "control", "preempt", "priority"),
    [
        (1, Control.FLASH, False, False),
        (2, Control.FIXED_TIME, False, False),
        (3, Control.MANUAL, False, False),
        (4, Control.ACTUATED, False, False),
        (5, Control.COORDINATED, False, False),
        (6, Control.ADAPTIVE, False, False),
        (7, Control.UNKNOWN, False, True),
        (8, Control.UNKNOWN, True, False),
        (9, Control.UNKNOWN, False, False),
        (77, Control.UNKNOWN, False, False),
    ],
)
def test_modes_and_an_unknown_one_is_never_fixed_time(
    code: int, control: Control, preempt: bool, priority: bool
) -> None:
    (report,) = got(session(), [told(0x0102, bytes([code]) + b"a tail that nobody knows")])
    assert isinstance(report, SignalReport)
    assert (report.control, report.preempt, report.priority) == (control, preempt, priority)


def test_a_controller_that_never_tells_its_mode_is_of_unknown_control() -> None:
    own = session()
    first = got(own, [told(0x0103, lamps_body(NORTH_SOUTH))], 0.0)[-1]
    later = got(own, [told(0x0103, lamps_body(NORTH_SOUTH))], MODE_WAIT_S + 0.1)[-1]
    assert isinstance(first, SignalReport)
    assert isinstance(later, SignalReport)
    assert (first.control, later.control) == (None, Control.UNKNOWN)


@pytest.mark.parametrize(("code", "faults"), [(1, ()), (2, ("controller",)), (0, None)])
def test_the_run_state_tells_a_fault(code: int, faults: tuple[str, ...] | None) -> None:
    reports = got(session(), [told(0x0101, bytes([code]))])
    assert [report.faults for report in reports if isinstance(report, SignalReport)] == (
        [] if faults is None else [faults]
    )


# Dialogue


def test_a_master_asks_for_colours_most_of_the_time_and_for_each_object_at_its_pace() -> None:
    own, asked, now_s = session(), [], 0.0
    while now_s < 10.0:
        if sent := own.next_bytes(now_s):
            (frame,) = Deframer().receive(sent, now_s)
            assert isinstance(frame, Frame)
            assert frame.operation == Operation.QUERY
            asked.append(frame.item)
            got(own, [told(frame.item, b"\0\0\0", Operation.REPLY)], now_s)
        now_s = max(now_s + 0.001, own.wake_s(now_s))
    assert 75 <= asked.count(Item.COLOURS) <= 82
    assert 9 <= asked.count(Item.THIS_CYCLE) <= 11
    assert 18 <= asked.count(Item.CONTROL_MODE) <= 22


def test_a_question_without_an_answer_is_given_up_and_the_next_one_asked() -> None:
    own = session(reply_timeout_s=0.5)
    assert own.next_bytes(0.0)
    assert own.next_bytes(0.4) is None
    assert own.next_bytes(0.51)
    assert own.counters["timeouts"] == 1


def test_an_object_that_is_refused_is_not_asked_for_again_soon() -> None:
    own = session()
    got(own, [told(Item.NEXT_CYCLE, b"", Operation.ERROR)], 0.0)
    asked = []
    for tick in range(2000):
        if sent := own.next_bytes(tick * 0.01):
            asked.append(next(iter(Deframer().receive(sent, 0.0))).item)  # type: ignore[union-attr]
            got(own, [told(asked[-1], b"\0\0\0", Operation.REPLY)], tick * 0.01)
    assert Item.NEXT_CYCLE not in asked


def test_a_listener_sends_nothing_and_hears_others_ask() -> None:
    own = session(role="listener")
    assert own.next_bytes(100.0) is None
    assert not got(own, [COLOURS_ASKED])
    assert own.counters["others_ask"] == 1


def test_another_master_stops_a_master_but_its_own_echo_does_not() -> None:
    own = session()
    echo = own.next_bytes(0.0)
    assert echo
    assert not got(own, [echo])
    with pytest.raises(DeviceLost, match="SER07"):
        got(own, [COLOURS_ASKED])


def test_a_second_controller_is_refused_and_a_named_one_is_picked_out() -> None:
    frame = told(0x0103, lamps_body(NORTH_SOUTH))
    other = told(0x0103, lamps_body(NORTH_SOUTH), sender=Address(110115, CONTROLLER_TYPE, 8))
    with pytest.raises(DeviceLost, match="controller 8 speaks beside 7"):
        got(session(), [frame, other])
    own = session(controller_number=7)
    assert len(got(own, [other, frame, other])) == 2
    assert own.counters["of_others"] == 2


def test_silence_and_rubbish_are_told_apart() -> None:
    own = session()
    with pytest.raises(DeviceLost, match="silent"):
        own.check(10.0)
    own = session()
    got(own, [b"\xc0" + b"rubbish" * 8 + b"\xc0"])
    with pytest.raises(DeviceLost, match="garbled"):
        own.check(10.0)
