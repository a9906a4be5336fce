"""Lines that damage frames, a centre that polls, a stranger, and lamps that shine before they are known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.gbt20999.deframer import Deframer
from drivers.gbt20999.wire import Checksum, Frame
from hil.devices.cabinets import CABINETS, Choices
from hil.devices.centre import CENTRE_HOST, PERIOD_S, PolledLine, configuration
from hil.devices.gbt20999_codec import Message, Profile, Reader, build
from hil.devices.gbt20999_front import Front, Manners
from hil.devices.line_spoiler import FAULTS, FLOOD_BYTES, LineSpoiler
from hil.devices.signal_changes import LAMP_LEAD_S, Changes
from hil.devices.signal_model import SignalModel
from hil.devices.signal_plan import GROUPS
from hil.devices.stranger import Stranger

LAMPS = tuple((n, (3, 3, 1, n), bytes([0x10])) for n in range(1, 25))
FRAME = build(Message(0x20, 1, 0, 0, 2, LAMPS), Profile())


def put(spoiler: LineSpoiler, count: int) -> list[tuple[bytes, bool]]:
    return [spoiler.spoil(FRAME) for _ in range(count)]


def read(stream: bytes) -> int:
    """Whole frames that a driver finds in a stream."""
    found, deframer = 0, Deframer(Checksum.X1005)
    for at in range(0, len(stream), 64):
        found += sum(isinstance(event, Frame) for event in deframer.receive(stream[at : at + 64], at * 1e-4))
    return found


# Faults of the line


@pytest.mark.parametrize("fault", FAULTS)
def test_a_frame_called_whole_can_be_read_and_one_that_is_not_cannot(fault: str) -> None:
    spoiler = LineSpoiler(seed=3)
    assert spoiler.obey(fault, True)
    given_ = put(spoiler, 200)
    stream = b"".join(data for data, _ in given_)
    whole = sum(unbroken for data, unbroken in given_ if data)
    if fault == "silence":
        assert stream == b""
        return
    if fault == "merge":
        assert any(len(data) == 2 * len(FRAME) for data, _ in given_)
        assert read(stream) >= 199
        return
    assert 0 < whole <= 200
    assert read(stream) >= 0.8 * whole, "noise may swallow a neighbour now and then"
    assert read(stream) <= whole


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_is_switched_off_is_over(fault: str) -> None:
    spoiler = LineSpoiler()
    spoiler.obey(fault, True)
    put(spoiler, 20)
    spoiler.obey(fault, False)
    put(spoiler, 1)
    assert put(spoiler, 5) == [(FRAME, True)] * 5


def test_a_flood_is_long_and_holds_no_start() -> None:
    spoiler = LineSpoiler(seed=1)
    spoiler.obey("flood", True)
    longest = max((data for data, _ in put(spoiler, 200)), key=len)
    assert len(longest) > 0.9 * FLOOD_BYTES
    assert longest.count(b"\x7e") == 1


def test_what_is_no_fault_of_a_line_is_not_obeyed_and_the_former_name_is() -> None:
    spoiler = LineSpoiler()
    assert not spoiler.obey("unplug", True)
    assert spoiler.obey("silent", True)
    assert spoiler.spoil(FRAME) == (b"", False)


def test_the_same_seed_spoils_alike() -> None:
    def spoilt(seed: int) -> list[tuple[bytes, bool]]:
        spoiler = LineSpoiler(seed)
        spoiler.obey("garbage", True)
        return put(spoiler, 30)

    assert spoilt(4) == spoilt(4) != spoilt(5)


# A centre and a stranger


def polled() -> PolledLine:
    model = SignalModel(0.0)
    return PolledLine(Front(model, Profile(), Manners()), Profile())


def run(line: PolledLine, until_s: float) -> list[Message]:
    heard, reader, now_s = [], Reader(Profile()), 0.0
    line.opened(0.0)
    while now_s < until_s:
        for frame in line.due(now_s):
            heard += reader.feed(frame)
        now_s += 0.005
    return heard


def test_a_centre_asks_ten_times_a_second_and_the_controller_answers() -> None:
    heard = run(polled(), 4.0)
    questions = [message for message in heard if message.kind == 0x10]
    answers = [message for message in heard if message.kind in (0x20, 0x21)]
    assert len(questions) == pytest.approx(4.0 / PERIOD_S, abs=2)
    assert {message.host for message in questions} == {CENTRE_HOST}
    assert len(answers) >= len(questions) - 1


def test_a_centre_reads_the_whole_configuration_piece_by_piece() -> None:
    asked = {entry[1] for message in run(polled(), 20.0) if message.kind == 0x10 for entry in message.entries}
    assert set(configuration()) <= asked
    assert {(3, 3, 1, group) for group in GROUPS} <= asked


def test_a_quiet_centre_asks_nothing() -> None:
    line = polled()
    line.quiet = True
    assert not run(line, 2.0)
    assert line.next_s() is None


def test_a_polled_line_passes_on_what_happens_to_its_controller() -> None:
    line = polled()
    line.frozen = True
    assert line.frozen
    line.frozen = False
    assert line.changed([1, 2], 0.0)
    line.hear(build(Message(0x30, 7, 0, 0, 1, ()), Profile()), 0.0)
    line.due(1.0)
    assert line.writes == 1
    line.closed()


def test_a_stranger_asks_once_a_second_while_it_is_there() -> None:
    stranger = Stranger()
    assert stranger.next_s() is None
    assert not stranger.due(0.0)
    stranger.on = True
    frames = [frame for tick in range(100) for frame in stranger.due(tick * 0.05)]
    assert len(frames) == 5
    (question,) = Reader(Profile()).feed(frames[0])
    assert question.kind == 0x10


# Changes


def test_what_is_planned_shines_before_it_is_known_and_what_is_decided_now_after() -> None:
    changes = Changes(1)
    changes.put(10.0, {1: "green"})
    changes.put(20.0, {2: "red"}, late=True)
    assert not changes.shining(9.9)
    (first,) = changes.shining(10.0)
    assert 10.0 - LAMP_LEAD_S <= first.true_s <= 10.0
    assert not changes.shining(10.0), "once"
    assert changes.known(10.0) == [first]
    (second,) = changes.shining(20.0)
    assert second.true_s == 20.0
    assert not changes.known(20.0) or second.known_s == 20.0
    assert changes.known(20.0 + LAMP_LEAD_S) == [second]
    assert changes.next_s() is None


def test_the_next_change_of_a_group_is_the_next_other_colour() -> None:
    changes = Changes(1)
    changes.put_all({5.0: {1: "red"}, 7.0: {1: "green", 2: "red"}, 9.0: {1: "yellow"}})
    assert changes.of(1, "red", 0.0) == (7.0, "green")
    assert changes.of(1, "green", 7.5) == (9.0, "yellow")
    assert changes.of(3, "red", 0.0) is None


def test_clearing_keeps_what_shines_already_and_the_groups_named() -> None:
    changes = Changes(1, lead_s=0.05)
    changes.put(5.0, {1: "yellow", 2: "red"})
    changes.put(9.0, {1: "red", 2: "green"})
    changes.shining(5.0)
    changes.clear(but={1})
    assert [change.colours for change in changes.known(6.0)] == [{1: "yellow", 2: "red"}]
    assert [change.colours for change in changes.known(10.0)] == [{1: "red"}]


@given(st.lists(st.floats(0, 100), max_size=20), st.floats(0, 0.2))
def test_no_lamp_shines_after_it_is_known(instants: list[float], lead_s: float) -> None:
    changes = Changes(3, lead_s)
    for at_s in instants:
        changes.put(at_s, {1: "green"})
    for at_s in sorted(instants):
        for change in changes.shining(at_s):
            assert change.true_s <= change.known_s
        assert all(change.shone for change in changes.known(at_s))


# Cabinets


def test_every_cabinet_names_a_driver_and_opens_a_front_that_keeps_quiet_until_its_line_is_up() -> None:
    for name, cabinet in CABINETS.items():
        choices = Choices(cabinet.baud, 1, Profile(), Manners(baud=cabinet.baud))
        front = cabinet.front(SignalModel(0.0), choices)
        assert front.due(5.0) == [], name
        assert front.writes == 0
        assert not front.frozen
        assert name.startswith(cabinet.driver)


def test_another_unit_in_the_cabinet_answers_under_another_number() -> None:
    front = Front(SignalModel(0.0), Profile(), Manners())
    front.replace(True)
    (trap,) = Reader(Profile()).feed(front.trap([1], 0.0))
    assert trap.controller == 99
    front.replace(False)
    (trap,) = Reader(Profile()).feed(front.trap([1], 0.0))
    assert trap.controller == 0
