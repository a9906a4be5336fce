"""The virtual controller's GA/T 1743 face: worked frames of the facts, bodies byte by byte, hostile lines."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.devices.controller_view import MODES
from hil.devices.gat1743_codec import LONGEST, Reader, Told, build, check
from hil.devices.gat1743_front import Gat1743Front, Gat1743Manners
from hil.devices.heads import DIRECTION, LAMP_TYPE
from hil.devices.signal_model import SignalModel
from tests.hil.small_view import SmallView, ends_in

# Recorded queries (facts 3.1, CRC-checked): other roadside device 1 asks all controllers of region 110115
ASK_LAMPS = bytes.fromhex("c0040023ae010020010023ae010010ffffb969f36700003c1080030100000000719bc0")
ASK_PLAN = bytes.fromhex("c0040023ae010020010023ae010010ffffba69f36700003c10800103000000008b68c0")
RUN_STATE, CONTROL_MODE, LAMPS, PLAN, NEXT_PLAN = OBJECTS = (0x0101, 0x0102, 0x0103, 0x0301, 0x0302)
QUERY, SET, ANSWER, ERROR, BROADCAST = 0x80, 0x81, 0x83, 0x86, 0x87
ROADSIDE, CONTROLLER, ALL = 0x2000, 0x1000, 0xFFFF
QUIET = Gat1743Manners(publishes=False, reply_delay_s=(0.0, 0.0))
THREE_STEPS = (("green", 20), ("green_flash", 3), ("red", 37))

told_frames = st.builds(
    Told,
    from_type=st.integers(0, 0xFFFF),
    from_number=st.integers(0, 0xFFFF),
    to_type=st.integers(0, 0xFFFF),
    to_number=st.integers(0, 0xFFFF),
    operation=st.integers(0, 0xFF),
    item=st.integers(0, 0xFFFF),
    utc_s=st.integers(0, 2**32 - 1),
    rest=st.integers(0, 0xFFFF),
    region=st.integers(0, 2**24 - 1),
    body=st.none() | st.binary(min_size=1, max_size=40) | st.just(b"\xc0\xdb\xdc\xdd\xc0"),
)


def question(item: int, operation: int = QUERY, kind: int = CONTROLLER, number: int = ALL) -> bytes:
    return build(Told(ROADSIDE, 1, kind, number, operation, item), link=4)


def read(frames: list[bytes]) -> list[Told]:
    return [told for frame in frames for told in Reader().feed(frame)]


def hears(front: Gat1743Front, data: bytes, now_s: float = 0.0) -> list[Told]:
    front.hear(data, now_s)
    return read(front.due(now_s))


def asks(
    view: SmallView | SignalModel, item: int, manners: Gat1743Manners = QUIET, now_s: float = 0.0
) -> bytes:
    front = Gat1743Front(view, manners)
    front.opened(now_s)
    (answer,) = hears(front, question(item), now_s)
    assert (answer.operation, answer.item) == (ANSWER, item)
    assert answer.body is not None
    return answer.body


def lamps_of(body: bytes) -> list[tuple[int, int, int, int, int]]:
    """(direction, id, type, colour, countdown) of every lamp, read by hand from facts 3.2."""
    found, at = [], 1
    for _ in range(body[0]):
        direction, count = struct.unpack_from("<HB", body, at)
        at += 3
        for _ in range(count):
            found.append((direction, *body[at : at + 4]))
            at += 4
    assert at == len(body)
    return found


def plans_of(body: bytes) -> list[tuple[int, int, int, list[tuple[int, int]]]]:
    """(direction, id, type, (colour, seconds) of the steps) of every lamp, read by hand from facts 3.2."""
    found, at = [], 2
    for _ in range(body[1]):
        direction, count = struct.unpack_from("<HB", body, at)
        at += 3
        for _ in range(count):
            number, kind, steps = body[at : at + 3]
            at += 3
            found.append(
                (direction, number, kind, [struct.unpack_from("<BH", body, at + 3 * n) for n in range(steps)])
            )
            at += 3 * steps
    assert at == len(body)
    assert len(found) == body[0]
    return found


def countdown(view: SmallView) -> int:
    ((*_, seconds),) = lamps_of(asks(view, LAMPS))
    return seconds


def test_the_check_of_the_digits_is_that_of_the_facts() -> None:
    assert check(b"123456789") == 0xAEE7


@pytest.mark.parametrize(
    ("frame", "item", "utc_s"), [(ASK_LAMPS, LAMPS, 0x67F369B9), (ASK_PLAN, PLAN, 0x67F369BA)]
)
def test_the_worked_questions_are_read_and_written_byte_for_byte(frame: bytes, item: int, utc_s: int) -> None:
    told = Told(ROADSIDE, 1, CONTROLLER, ALL, QUERY, item, utc_s, region=110115)
    assert read([frame]) == [told]
    assert build(told, link=4) == frame


def test_the_worked_questions_are_answered_to_who_asked() -> None:
    view = SmallView(cycle=dict.fromkeys(range(1, 25), THREE_STEPS))
    front = Gat1743Front(view, QUIET)
    for frame, item in ((ASK_LAMPS, LAMPS), (ASK_PLAN, PLAN)):
        (answer,) = hears(front, frame)
        assert (answer.operation, answer.item) == (ANSWER, item)
        assert (answer.from_type, answer.from_number) == (CONTROLLER, 1)
        assert (answer.to_type, answer.to_number) == (ROADSIDE, 1)
    assert front.writes == 0


def test_a_frame_stands_at_the_places_that_the_facts_name() -> None:
    view = SmallView(known={1: "green"}, utc_less_now_s=1_000_000.25)
    front = Gat1743Front(view, QUIET)
    front.hear(question(CONTROL_MODE), 0.0)
    (frame,) = front.due(0.0)
    assert (frame[0], frame[-1]) == (0xC0, 0xC0)
    assert frame[6:8] == b"\x00\x10"  # sent by a controller
    assert int.from_bytes(frame[17:21], "little") == 1_000_000
    assert int.from_bytes(frame[21:23], "little") == 250
    assert frame[23:26] == bytes((0x3C, 0x10, ANSWER))
    assert int.from_bytes(frame[26:28], "little") == CONTROL_MODE
    assert (
        int.from_bytes(frame[32:34], "little") == len(frame) - 34 - 3
    )  # what follows, without check and end
    assert frame[44] == 2
    without = Gat1743Front(view, Gat1743Manners(publishes=False, reply_delay_s=(0, 0), milliseconds=False))
    assert hears(without, question(CONTROL_MODE))[0].rest == 0


def test_lamps_are_told_by_direction_byte_for_byte() -> None:
    # By hand from facts 3.2: groups 1 and 5 hang in the north, 3 in the south; 1D is yellow flash
    view = SmallView(known={3: "yellow_flash", 5: "green", 1: "red"}, spans={1: ends_in(7.2)})
    assert asks(view, LAMPS).hex() == "02" + "000002" + "01041608" + "05022500" + "b40001" + "03041d00"


def test_a_plan_is_told_byte_for_byte() -> None:
    view = SmallView(known={1: "green", 3: "red"}, cycle={1: THREE_STEPS, 3: (("red", 60),)})
    lamp_1, lamp_3 = "010403" + "251400" + "350300" + "162500", "030401" + "163c00"
    assert asks(view, PLAN).hex() == "0202" + "000001" + lamp_1 + "b40001" + lamp_3


def test_the_next_plan_is_the_next_cycles() -> None:
    view = SmallView(known={1: "green"}, cycle={1: THREE_STEPS}, coming={1: (("red", 300),)})
    assert plans_of(asks(view, NEXT_PLAN)) == [(0, 1, 4, [(0x16, 300)])]


@pytest.mark.parametrize(
    ("colour", "byte"),
    [("dark", 0x15), ("red", 0x16), ("red_flash", 0x17), ("red_yellow", 0x1A), ("yellow", 0x19),
     ("yellow_flash", 0x1D), ("green", 0x25), ("green_flash", 0x35)],
)  # fmt: skip
def test_every_colour_has_the_byte_of_the_facts(colour: str, byte: int) -> None:
    assert lamps_of(asks(SmallView(known={1: colour}), LAMPS)) == [(0, 1, 4, byte, 0)]


def test_every_group_is_told_where_it_hangs_in_the_order_of_directions() -> None:
    told = lamps_of(asks(SmallView(), LAMPS))
    assert {number: (degrees, kind) for degrees, number, kind, *_ in told} == {
        group: (DIRECTION[group], LAMP_TYPE[group]) for group in range(1, 25)
    }
    assert [lamp[0] for lamp in told] == sorted(lamp[0] for lamp in told)


def test_numbers_may_begin_anew_in_each_direction() -> None:
    manners = Gat1743Manners(publishes=False, reply_delay_s=(0, 0), ids="per_direction")
    numbers: dict[int, list[int]] = {}
    for direction, number, *_ in lamps_of(asks(SmallView(), LAMPS, manners)):
        numbers.setdefault(direction, []).append(number)
    assert all(own == list(range(1, len(own) + 1)) for own in numbers.values())


@pytest.mark.parametrize(
    ("mode", "code"), [("flash", 1), ("fixed", 2), ("manual", 3), ("actuated", 4), ("coordinated", 5),
                       ("adaptive", 6), ("all_red", 9), ("off", 9)],
)  # fmt: skip
def test_modes_have_the_codes_of_the_facts(mode: str, code: int) -> None:
    assert asks(SmallView(mode=mode), CONTROL_MODE)[0] == code


@pytest.mark.parametrize("mode", MODES)
def test_an_emergency_goes_before_a_bus_and_a_bus_before_the_mode(mode: str) -> None:
    assert asks(SmallView(mode=mode, priority=1), CONTROL_MODE)[0] == 7
    assert asks(SmallView(mode=mode, priority=1, preempt=2), CONTROL_MODE)[0] == 8


def test_a_fault_shows_in_the_run_state_and_a_tail_may_follow_it() -> None:
    assert asks(SmallView(), RUN_STATE) == b"\x01"
    tailed = Gat1743Manners(publishes=False, reply_delay_s=(0, 0), tail=bytes(7))
    assert asks(SmallView(faults=(0x20,)), RUN_STATE, tailed) == b"\x02" + bytes(7)
    assert asks(SmallView(), CONTROL_MODE, tailed) == b"\x02" + bytes(7)


@pytest.mark.parametrize(
    ("ends_s", "shown"), [(0.1, 1), (1.0, 1), (1.1, 2), (254.5, 255), (255.0, 255), (255.1, 0), (9000.0, 0)]
)
def test_a_countdown_is_whole_seconds_down_to_one_and_never_above_a_byte(ends_s: float, shown: int) -> None:
    assert countdown(SmallView(known={1: "red"}, spans={1: ends_in(ends_s)})) == shown


def test_the_flash_is_counted_with_the_green_that_it_ends() -> None:
    assert countdown(SmallView({1: "green"}, spans={1: ends_in(12.0)}, cycle={1: THREE_STEPS})) == 15
    assert countdown(SmallView({1: "green_flash"}, spans={1: ends_in(2.5)}, cycle={1: THREE_STEPS})) == 3


def test_the_flash_is_counted_across_the_end_of_the_cycle() -> None:
    steps = (("green_flash", 3), ("red", 20), ("green", 37))
    assert countdown(SmallView({1: "green"}, spans={1: ends_in(3.0)}, cycle={1: steps})) == 6


def test_an_end_that_nobody_knows_and_any_under_manual_control_is_no_countdown() -> None:
    assert countdown(SmallView({1: "green"}, cycle={1: THREE_STEPS})) == 0
    assert (
        countdown(SmallView({1: "green"}, mode="manual", spans={1: ends_in(5)}, cycle={1: THREE_STEPS})) == 0
    )


def test_countdowns_of_a_running_plan_fall_by_one_until_the_light_is_another() -> None:
    model = SignalModel(0.0)
    shown: list[dict[int, tuple[int, int]]] = []
    for second in range(8, 128):
        model.advance(second + 0.5)
        told = lamps_of(asks(model, LAMPS, now_s=second + 0.5))
        shown.append(
            {
                number: (colour & ~0x10 if colour == 0x35 else colour, left)
                for _, number, _, colour, left in told
            }
        )
    for before, after in pairwise(shown):
        for number, (colour, left) in before.items():
            if number != 21:  # it never leaves its red
                assert left == after[number][1] + 1 if colour == after[number][0] else left == 1


def test_all_steps_of_the_running_plan_fill_the_same_cycle() -> None:
    plans = plans_of(asks(SignalModel(0.0), PLAN))
    assert len(plans) == 24
    assert {sum(seconds for _, seconds in steps) for *_, steps in plans} == {60}


def test_lamps_are_published_every_period_and_no_sooner() -> None:
    front = Gat1743Front(SmallView(), Gat1743Manners(period_s=0.5))
    assert front.next_s() is None
    front.opened(10.0)
    at = []
    while (next_s := front.next_s()) is not None and next_s < 12.0:
        assert front.due(next_s - 0.001) == []
        at += [
            next_s for told in read(front.due(next_s)) if (told.operation, told.item) == (BROADCAST, LAMPS)
        ]
    assert at == [10.0, 10.5, 11.0, 11.5]


def test_the_plan_is_published_once_in_each_cycle() -> None:
    model, told_s = SignalModel(0.0), []
    front = Gat1743Front(model, Gat1743Manners())
    front.opened(0.0)
    for tick in range(1, 2000):
        model.advance(tick / 10)
        told_s += [tick / 10 for told in read(front.due(tick / 10)) if told.item == PLAN and tick / 10 > 30]
    assert len(told_s) == 3
    assert all(0.0 <= at_s % 60 <= 1.0 for at_s in told_s)


def test_changes_are_told_at_once_only_where_the_unit_does_so() -> None:
    view = SmallView()
    assert Gat1743Front(view, Gat1743Manners()).changed([1], 3.0) == []
    (told,) = read(Gat1743Front(view, Gat1743Manners(publishes_changes=True)).changed([1], 3.0))
    assert (told.operation, told.item) == (BROADCAST, LAMPS)


def test_a_unit_that_does_not_publish_only_answers() -> None:
    front = Gat1743Front(SmallView(), QUIET)
    front.opened(0.0)
    assert front.due(100.0) == []
    assert front.next_s() is None


def test_answers_wait_as_long_as_the_unit_takes_and_tell_the_instant_they_are_given() -> None:
    view = SmallView(known={1: "red"})
    front = Gat1743Front(view, Gat1743Manners(publishes=False, reply_delay_s=(0.2, 0.3)))
    front.hear(question(LAMPS), 5.0)
    answered_s = front.next_s()
    assert answered_s is not None
    assert 5.2 <= answered_s <= 5.3
    assert front.due(5.19) == []
    view.known[1] = "green"
    (answer,) = read(front.due(answered_s))
    assert answer.body is not None
    assert lamps_of(answer.body)[0][3] == 0x25


def test_questions_to_others_are_not_answered() -> None:
    front = Gat1743Front(SmallView(), Gat1743Manners(number=7, publishes=False, reply_delay_s=(0, 0)))
    assert hears(front, question(LAMPS, number=8)) == []
    assert hears(front, question(LAMPS, kind=ROADSIDE)) == []
    assert len(hears(front, question(LAMPS, number=7))) == 1
    assert len(hears(front, question(LAMPS, number=ALL))) == 1


@given(st.integers(0, 0xFFFF).filter(lambda item: item not in OBJECTS))
def test_an_object_that_the_unit_lacks_is_answered_with_an_error(item: int) -> None:
    (answer,) = hears(Gat1743Front(SmallView(), QUIET), question(item))
    assert (answer.operation, answer.item) == (ERROR, item)


@pytest.mark.parametrize("item", OBJECTS)
def test_a_set_is_counted_and_changes_nothing(item: int) -> None:
    view = SmallView()
    front = Gat1743Front(view, QUIET)
    hears(front, question(item, SET))
    assert front.writes == 1
    assert view == SmallView()


def test_a_line_that_closes_takes_questions_and_publications_with_it() -> None:
    front = Gat1743Front(SmallView(), Gat1743Manners())
    front.opened(0.0)
    front.hear(ASK_LAMPS + ASK_PLAN[:9], 0.0)
    front.closed()
    assert front.next_s() is None
    assert front.due(9.0) == []
    front.hear(ASK_PLAN[9:], 9.0)
    assert front.next_s() is None


def test_more_questions_than_a_unit_keeps_are_lost() -> None:
    front = Gat1743Front(SmallView(), QUIET)
    front.hear(ASK_LAMPS * 1000, 0.0)
    assert len(front.due(0.0)) == 16


@given(told_frames)
def test_a_frame_survives_its_escapes_and_ends_nowhere_inside(told: Told) -> None:
    frame = build(told)
    assert 0xC0 not in frame[1:-1]
    assert read([frame]) == [told]


@given(st.lists(told_frames, max_size=4), st.data())
def test_frames_survive_any_split(frames: list[Told], data: st.DataObject) -> None:
    line, reader, got = b"".join(map(build, frames)), Reader(), []
    while line:
        size = data.draw(st.integers(1, len(line)))
        got += list(reader.feed(line[:size]))
        line = line[size:]
    assert got == frames
    assert reader.bad == 0


@given(st.integers(1, len(ASK_LAMPS) - 2), st.integers(1, 255))
def test_one_damaged_byte_never_passes_and_the_next_frame_does(place: int, change: int) -> None:
    damaged = bytearray(ASK_LAMPS)
    damaged[place] ^= change
    assert [told.item for told in Reader().feed(bytes(damaged) + ASK_PLAN)] == [PLAN]


@pytest.mark.parametrize(
    "noise", [b"\xdb", b"\xc0\xdb\xc0", b"\xc0\xdb\x00\xc0", b"\xc0" * 50, bytes(9 * LONGEST)]
)
def test_after_noise_the_next_frame_is_read(noise: bytes) -> None:
    assert [told.item for told in Reader().feed(noise + ASK_PLAN)] == [PLAN]


@given(
    st.lists(
        st.binary(max_size=300) | st.sampled_from([ASK_LAMPS, b"\xc0", b"\xdb", ASK_PLAN[:20]]), max_size=12
    )
)
def test_no_bytes_raise(chunks: list[bytes]) -> None:
    front = Gat1743Front(SmallView(), Gat1743Manners())
    front.opened(0.0)
    for index, chunk in enumerate(chunks):
        front.hear(chunk, index / 10)
        front.due(index / 10)
    assert front.writes == 0


@given(told_frames)
def test_no_frame_that_is_whole_raises(told: Told) -> None:
    front = Gat1743Front(SmallView(), QUIET)
    front.hear(build(told), 0.0)
    front.due(0.0)
    assert front.writes <= (told.operation == SET)
