"""The virtual controller's NTCIP 1202 face, with pysnmp as the one who asks and reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto.api import PROTOCOL_MODULES, SNMP_VERSION_1, SNMP_VERSION_2C

from hil.devices.controller_view import COLOURS, MODES, Span
from hil.devices.ntcip_front import LONGEST, MOST_WAITING, NtcipFront, NtcipManners
from hil.devices.ntcip_objects import ASC, MIN_GREEN_S, RINGS, SYS_DESCR, SYS_UP_TIME, WALK_S, concurrent
from hil.devices.pmpp_codec import PmppFrame, PmppReader, build_frame
from hil.devices.signal_plan import PHASES, PLANS, STAGES, cycle_changes

V1, V2C = PROTOCOL_MODULES[SNMP_VERSION_1], PROTOCOL_MODULES[SNMP_VERSION_2C]
Oid = tuple[int, ...]
REDS, YELLOWS, GREENS, DONT_WALKS, PED_CLEARS, WALKS, VEH_CALLS, PED_CALLS, ONS, NEXTS = range(2, 12)
FLASHING, CONTROL, PATTERN = (*ASC, 3, 6, 0), (*ASC, 3, 5, 0), (*ASC, 4, 10, 0)
PMPP = NtcipManners(carriage="pmpp", baud=9600)
# The worked question and answer of the facts 4.2, built with pysnmp and an independent FCS
ASK = bytes.fromhex(
    "7e0513c1302d02010004067075626c6963a02002010102010002010030153013060f2b0601040189360402010104010401050067b37e"
)
ANSWER = bytes.fromhex(
    "7e0513c1305b02010004067075626c6963a24e02010102010002010030433015060f2b0601040189360402010104010201020200dd"
    "3014060f2b06010401893604020101040103010201003014060f2b060104018936040201010401040102012291327e"
)


@dataclass
class Cabinet:
    """A view in which everything is as the test says."""

    known: dict[int, str] = field(default_factory=lambda: dict.fromkeys(range(1, 25), "red"))
    mode: str = "fixed"
    plan: int = 1
    faults: tuple[int, ...] = ()
    preempt: int = 0
    priority: int = 0
    calls: frozenset[int] = frozenset()
    ends: dict[int, float] = field(default_factory=dict)
    cycle: dict[int, tuple[tuple[str, int], ...]] = field(default_factory=dict)

    def stage(self, now_s: float) -> tuple[int, float, float]:
        return 1, 0.0, 0.0

    def span(self, group: int, now_s: float) -> Span:
        end = self.ends.get(group)
        return Span(end, end, end)

    def steps(self, group: int, ahead: int, now_s: float) -> tuple[tuple[str, int], ...]:
        return self.cycle.get(group, ())

    def called(self, group: int) -> bool:
        return group in self.calls

    def utc_s(self, now_s: float) -> float:
        return now_s


@dataclass
class Told:
    """An answer as pysnmp reads it."""

    error: int
    index: int
    request: int
    rows: list[tuple[Oid, Any]]

    @property
    def numbers(self) -> list[int]:
        return [int(value) for _, value in self.rows]


def status(column: int, group: int = 1) -> Oid:
    return (*ASC, 1, 4, 1, column, group)


def question(
    *names: Oid, kind: str = "Get", value: Any = None, community: str = "public", module: Any = V1
) -> bytes:
    pdu, message = getattr(module, f"{kind}RequestPDU")(), module.Message()
    module.apiPDU.set_defaults(pdu)
    module.apiPDU.set_request_id(pdu, 7)
    module.apiPDU.set_varbinds(pdu, [(name, module.Null("") if value is None else value) for name in names])
    module.apiMessage.set_defaults(message)
    module.apiMessage.set_community(message, community)
    module.apiMessage.set_pdu(message, pdu)
    return bytes(encoder.encode(message))


def read(answer: bytes) -> Told:
    message, rest = decoder.decode(answer, asn1Spec=V1.Message())
    assert rest == b""
    assert bytes(V1.apiMessage.get_community(message)) == b"public"
    api, pdu = V1.apiPDU, V1.apiMessage.get_pdu(message)
    assert pdu.isSameTypeWith(V1.GetResponsePDU(), matchConstraints=False)
    rows = [(tuple(name), value) for name, value in api.get_varbinds(pdu)]
    return Told(int(api.get_error_status(pdu)), int(pdu["error-index"]), int(api.get_request_id(pdu)), rows)


def answers(front: NtcipFront, data: bytes, at_s: float = 100.0) -> list[bytes]:
    front.hear(data, at_s)
    return front.due(at_s + 60.0)


def ask(view: Cabinet, *names: Oid, **how: Any) -> Told:
    (answer,) = answers(NtcipFront(view, NtcipManners()), question(*names, **how))
    return read(answer)


def lit(colours: dict[int, str]) -> Cabinet:
    return Cabinet(known=dict.fromkeys(range(1, 25), "red") | colours)


def walk(front: NtcipFront) -> list[Oid]:
    names: list[Oid] = []
    name: Oid = (1, 3)
    while (told := read(answers(front, question(name, kind="GetNext"))[0])).error == 0:
        name = told.rows[0][0]
        names.append(name)
    assert (told.error, told.index) == (2, 1)
    return names


def test_the_worked_question_gets_the_worked_answer_byte_for_byte() -> None:
    view = Cabinet(known={2: "green", 6: "green"} | dict.fromkeys((1, 3, 4, 5, 7, 8), "red"))
    front = NtcipFront(view, PMPP)
    assert read(PmppReader().feed(answers(front, ASK)[0])[0].payload).numbers == [0x22]
    whole = PmppFrame(1, question(status(REDS), status(YELLOWS), status(GREENS)).replace(b"\1\7", b"\1\1"))
    assert answers(front, build_frame(whole)) == [ANSWER]


@pytest.mark.parametrize(
    ("colour", "bits"),
    [
        *(("dark", (0, 0, 0, 0)), ("red", (1, 0, 0, 0)), ("red_flash", (1, 0, 0, 0))),
        *(("red_yellow", (1, 1, 0, 0)), ("green", (0, 0, 1, 1)), ("green_flash", (0, 0, 1, 1))),
        *(("yellow", (0, 1, 0, 1)), ("yellow_flash", (0, 1, 0, 0))),
    ],
)
@pytest.mark.parametrize("phase", [1, 8, 9, 16])
def test_a_vehicle_colour_is_a_bit_of_its_phase(colour: str, bits: tuple[int, ...], phase: int) -> None:
    view = Cabinet(known={phase: colour})
    group, place = divmod(phase - 1, 8)
    told = ask(view, *(status(column, group + 1) for column in (REDS, YELLOWS, GREENS, ONS)))
    assert told.numbers == [bit << place for bit in bits]
    assert sum(ask(view, *(status(column, 2 - group) for column in range(2, 12))).numbers) == 0


@pytest.mark.parametrize(
    ("colour", "bits"),
    [("red", (8, 0, 0)), ("green", (0, 0, 8)), ("green_flash", (0, 8, 0)), ("dark", (0, 0, 0))],
)
def test_pedestrians_stand_clear_or_walk(colour: str, bits: tuple[int, ...]) -> None:
    told = ask(Cabinet(known={20: colour}), *map(status, (DONT_WALKS, PED_CLEARS, WALKS)))
    assert told.numbers == list(bits)
    assert ask(Cabinet(), status(DONT_WALKS, 2)).numbers == [0]


def test_overlaps_and_channels_are_the_lamp_groups() -> None:
    view = lit({1: "green", 17: "green_flash", 21: "yellow", 24: "green"})
    assert ask(view, *((*ASC, 9, 4, 1, c, 1) for c in (2, 3, 4))).numbers == [0b0110, 0b0001, 0b1000]
    channels = ask(view, *((*ASC, 8, 4, 1, c, g) for c in (2, 3, 4) for g in (1, 2, 3))).numbers
    assert channels == [0xFE, 0xFF, 0b01101110, 0, 0, 0b00010000, 1, 0, 0b10000001]


def test_calls_are_told_for_vehicles_and_pedestrians() -> None:
    view = Cabinet(calls=frozenset({1, 10, 18}))
    told = ask(view, status(VEH_CALLS), status(VEH_CALLS, 2), status(PED_CALLS), status(PED_CALLS, 2))
    assert told.numbers == [1, 2, 2, 0]


def test_the_red_phases_that_get_green_first_are_next() -> None:
    plain = (("red", 10), ("green", 8), ("green_flash", 3), ("yellow", 3), ("red", 6))
    arrow = (("red", 2), ("dark", 10), ("yellow", 3), ("red", 5), ("green", 5), ("yellow", 5))
    view = Cabinet(ends={1: 4.0, 2: 9.0, 3: 4.2, 9: 4.0, 10: 3.0}, cycle=dict.fromkeys((1, 2, 3, 4), plain))
    view.cycle |= {9: arrow, 10: (("red", 30),)}  # what follows their red is dark, or nothing
    assert ask(view, status(NEXTS), status(NEXTS, 2)).numbers == [0b0101, 0]
    view.cycle.clear()
    assert ask(view, status(NEXTS), status(NEXTS, 2)).numbers == [0, 0]


@pytest.mark.parametrize(
    ("mode", "faults", "preempt", "value"),
    [
        *(("fixed", (), 0, 2), ("fixed", (0x20,), 1, 2), ("off", (), 0, 2), ("startup", (), 0, 7)),
        *(("flash", (), 0, 3), ("flash", (0x20,), 0, 5), ("flash", (0x20, 0x10), 0, 6), ("flash", (), 1, 8)),
    ],
)
def test_a_flash_tells_its_cause(mode: str, faults: tuple[int, ...], preempt: int, value: int) -> None:
    assert ask(Cabinet(mode=mode, faults=faults, preempt=preempt), FLASHING).numbers == [value]


@pytest.mark.parametrize(
    ("mode", "pattern", "control"),
    [
        *(("fixed", 3, 6), ("coordinated", 3, 2), ("adaptive", 3, 2), ("actuated", 254, 6)),
        *(("manual", 254, 5), ("flash", 255, 1), ("all_red", 0, 1), ("off", 0, 1), ("startup", 0, 1)),
    ],
)
def test_every_mode_has_a_pattern_and_a_control(mode: str, pattern: int, control: int) -> None:
    assert ask(Cabinet(mode=mode, plan=3), PATTERN, CONTROL).numbers == [pattern, control]
    assert mode in MODES


def test_a_plan_that_is_no_pattern_number_is_no_pattern() -> None:
    assert [ask(Cabinet(plan=plan), PATTERN).numbers for plan in (0, 253, 254)] == [[0], [253], [0]]


def test_the_preemption_that_runs_dwells_and_the_others_are_not_active() -> None:
    assert ask(Cabinet(preempt=3), *((*ASC, 6, 2, 1, 16, n) for n in range(1, 5))).numbers == [2, 2, 6, 2]


def test_the_phase_table_gives_the_plans_times_rings_and_company() -> None:
    row = [(*ASC, 1, 2, 1, column, 1) for column in (2, 3, 4, 5, 6, 7, 8, 9, 22)]
    assert ask(Cabinet(), *row).numbers == [3, 5, 4, 0, 40, 40, 30, 20, 1]
    assert ask(Cabinet(), *((*ASC, 1, 2, 1, c, 16) for c in (2, 3, 22))).numbers == [0, 0, RINGS[16]]
    assert bytes(ask(Cabinet(), (*ASC, 1, 2, 1, 23, 1)).rows[0][1]) == bytes([3, 12, 13, 15])
    sizes = ask(Cabinet(), (*ASC, 1, 1, 0), (*ASC, 1, 3, 0), (*ASC, 7, 1, 0)).numbers
    assert sizes == [16, 2, max(RINGS.values())]


def test_the_least_times_hold_in_every_plan() -> None:
    for plan in PLANS.values():
        for group, changes in cycle_changes(plan).items():
            for (since, colour), (until, _) in pairwise(changes):
                if colour == "green" and group <= 20:
                    assert until - since >= (WALK_S if group > 16 else MIN_GREEN_S)


def test_no_two_phases_of_a_ring_share_a_stage() -> None:
    for parts in STAGES.values():
        rings = [RINGS[lamp] for part in parts for lamp in PHASES[part] if lamp in RINGS]
        assert len(rings) == len(set(rings))
    assert all(phase in concurrent(other) for phase in RINGS for other in concurrent(phase))


def test_up_time_counts_from_the_first_opening_in_hundredths() -> None:
    front = NtcipFront(Cabinet(), NtcipManners())
    front.opened(40.0)
    front.closed()
    front.opened(95.0)
    front.hear(question(SYS_UP_TIME, SYS_DESCR), 100.0)
    (up, (_, text)) = read(front.due(101.25)[0]).rows
    assert up[1].isSameTypeWith(V1.TimeTicks(), matchConstraints=False)
    assert (int(up[1]), bytes(text)) == (6125, b"virtual signal controller")


def test_a_walk_meets_every_object_once_in_order() -> None:
    names = walk(NtcipFront(Cabinet(), NtcipManners()))
    assert names == sorted(set(names))
    assert names[:2] == [SYS_DESCR, SYS_UP_TIME]
    assert len(names) == 2 + 3 + 16 * 10 + 3 + 4 + 2 * 10 + 3 * 1 + 3 * 3


def test_an_absent_object_is_no_name_for_get_and_walk() -> None:
    front = NtcipFront(Cabinet(), NtcipManners(absent=((*ASC, 3, 5), (*ASC, 1, 4, 1, NEXTS), (*ASC, 8))))
    told = read(answers(front, question(FLASHING, CONTROL, (*ASC, 8, 4, 1, 2, 1)))[0])
    assert (told.error, told.index, told.request) == (2, 2, 7)
    assert [name for name, _ in told.rows] == [FLASHING, CONTROL, (*ASC, 8, 4, 1, 2, 1)]
    assert all(bytes(value) == b"" for _, value in told.rows)
    names = walk(front)
    assert FLASHING in names
    assert not {CONTROL, status(NEXTS), status(NEXTS, 2)} & set(names)


def test_more_rows_than_the_unit_bears_are_too_big() -> None:
    front = NtcipFront(Cabinet(), NtcipManners(most_varbinds=21))
    assert len(read(answers(front, question(*[FLASHING] * 21))[0]).rows) == 21
    told = read(answers(front, question(*[FLASHING] * 22))[0])
    assert (told.error, told.index, len(told.rows)) == (1, 0, 22)


@pytest.mark.parametrize(("name", "error"), [(PATTERN, 4), ((*ASC, 1, 5, 1, 2, 1), 2)])
def test_a_set_is_counted_refused_and_not_obeyed(name: Oid, error: int) -> None:
    front = NtcipFront(Cabinet(), NtcipManners())
    told = read(answers(front, question(name, kind="Set", value=V1.Integer(9)))[0])
    assert (told.error, told.index, told.numbers, front.writes) == (error, 1, [9], 1)
    assert read(answers(front, question(PATTERN))[0]).numbers == [1]
    assert front.writes == 1


def test_strangers_are_not_answered_yet_their_sets_are_counted() -> None:
    front = NtcipFront(Cabinet(), NtcipManners())
    for how in ({"module": V2C}, {"community": "private"}):
        assert answers(front, question(FLASHING, **how)) == []
        assert answers(front, question(PATTERN, kind="Set", value=V1.Integer(9), **how)) == []
    assert (front.writes, front.next_s()) == (2, None)


def test_an_answer_heard_is_not_answered() -> None:
    front = NtcipFront(Cabinet(), NtcipManners())
    assert answers(front, answers(front, question(FLASHING))[0]) == []


def test_answers_come_after_their_delay_with_the_values_of_that_instant() -> None:
    view = Cabinet()
    front = NtcipFront(view, NtcipManners(), seed=3)
    front.hear(question(status(GREENS)), 10.0)
    at_s = front.next_s()
    assert at_s is not None
    assert 10.015 <= at_s <= 10.045
    assert front.due(at_s - 0.001) == []
    view.known[1] = "green"
    assert read(front.due(at_s)[0]).numbers == [1]
    assert front.next_s() is None


def test_requests_are_worked_off_one_after_another_and_too_many_are_lost() -> None:
    front = NtcipFront(Cabinet(), NtcipManners(reply_delay_s=(0.02, 0.02)))
    for _ in range(MOST_WAITING + 5):
        front.hear(question(FLASHING), 10.0)
    assert len(front.due(10.0601)) == 3
    assert len(front.due(99.0)) == MOST_WAITING - 3


def test_on_the_serial_line_the_question_takes_its_time() -> None:
    front = NtcipFront(Cabinet(), NtcipManners(carriage="pmpp", baud=1200, reply_delay_s=(0.02, 0.02)))
    front.hear(ASK[:30], 10.0)
    front.hear(ASK[30:], 10.1)
    assert front.next_s() == pytest.approx(10.0 + len(ASK) * 10 / 1200 + 0.02)


@pytest.mark.parametrize(
    ("frame", "count"),
    [
        *((PmppFrame(5, b""), 1), (PmppFrame(5, b"", wide=True), 1), (PmppFrame(5, b"", 0x03, 0xC0), 1)),
        *((PmppFrame(4, b""), 0), (PmppFrame(5, b"", group=True), 0)),
    ],
    ids=["plain", "two octets", "no poll, T2", "another station", "a group"],
)
def test_only_frames_for_this_station_are_answered_in_their_form(frame: PmppFrame, count: int) -> None:
    front = NtcipFront(Cabinet(), NtcipManners(carriage="pmpp", address=5))
    asked = PmppFrame(frame.address, question(FLASHING), frame.control, frame.ipi, frame.group, frame.wide)
    told = [PmppReader().feed(line)[0] for line in answers(front, build_frame(asked))]
    assert [(t.address, t.control, t.ipi, t.wide) for t in told] == [(5, 0x13, 0xC1, frame.wide)] * count
    assert all(read(t.payload).numbers == [2] for t in told)


def test_a_frozen_unit_repeats_the_instant_it_froze_at() -> None:
    view = Cabinet()
    front = NtcipFront(view, NtcipManners())
    front.opened(50.0)
    assert front.due(60.0) == []
    front.frozen = True
    view.known[1], view.mode = "green", "flash"
    names = (status(GREENS), FLASHING, SYS_UP_TIME)
    assert read(answers(front, question(*names))[0]).numbers == [0, 2, 1000]
    assert read(answers(front, question(FLASHING, kind="GetNext"))[0]).rows[0][0] == PATTERN
    front.frozen = False
    assert read(answers(front, question(*names), 200.0)[0]).numbers == [1, 3, 21000]


def test_a_closed_line_forgets_halves_and_answers() -> None:
    front = NtcipFront(Cabinet(), PMPP)
    front.hear(ASK + ASK[:20], 10.0)
    front.closed()
    assert front.next_s() is None
    front.opened(11.0)
    assert answers(front, ASK[20:]) == []
    assert len(answers(front, ASK)) == 1


def test_nothing_is_said_unasked() -> None:
    front = NtcipFront(Cabinet(), NtcipManners())
    assert front.changed([1, 2], 10.0) == []
    assert front.due(1e6) == []


def test_a_datagram_longer_than_any_question_is_not_looked_at() -> None:
    front = NtcipFront(Cabinet(), NtcipManners(most_varbinds=10**6))
    assert answers(front, question(*[FLASHING] * (LONGEST // 10))) == []


@given(st.lists(st.binary(max_size=80), max_size=5), st.sampled_from(["udp", "pmpp"]), st.binary(max_size=6))
def test_no_bytes_upset_the_front(noise: list[bytes], carriage: str, patch: bytes) -> None:
    front = NtcipFront(Cabinet(), NtcipManners(carriage=carriage))
    good = ASK if carriage == "pmpp" else question(FLASHING)
    for data in [*noise, good[:9] + patch + good[9 + len(patch) :], *noise, good, good]:
        front.hear(data, 1.0)
    assert front.due(1e3)


@given(st.dictionaries(st.integers(1, 24), st.sampled_from(COLOURS)), st.sampled_from(MODES))
def test_every_value_is_readable_by_the_referee_whatever_shines(known: dict[int, str], mode: str) -> None:
    view = Cabinet(known=known, mode=mode)
    masks = ask(view, *(status(column, group) for column in range(2, 12) for group in (1, 2)))
    assert all(0 <= number <= 255 for number in masks.numbers)
    flags = ask(view, FLASHING, CONTROL, PATTERN).numbers
    assert all(0 <= number <= 255 for number in flags)
