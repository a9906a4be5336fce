"""NTCIP 1202: SNMPv1 and PMPP by published vectors and pysnmp as referee; a session with a scripted unit."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto.api import PROTOCOL_MODULES, SNMP_VERSION_1

from drivers.ntcip1202 import ber, oids, pmpp, snmp
from drivers.ntcip1202.oids import ASC, BANKS, CONCURRENCY, phase_item
from drivers.ntcip1202.session import LEARN_S, Session
from drivers.ntcip1202.settings import Settings
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.world.signal import Colour, Control, Lamp, LampKind, Programme, SignalReport, Step

V1: Any = PROTOCOL_MODULES[SNMP_VERSION_1]
# facts/controllers 4.2: built with pysnmp and an independent FCS
GET_GREENS = bytes.fromhex(
    "7e0513c1302d02010004067075626c6963a02002010102010002010030153013060f2b060104018936040201"
    "0104010401050067b37e"
)
REPLY = bytes.fromhex(
    "7e0513c1305b02010004067075626c6963a24e02010102010002010030433015060f2b06010401893604020101"
    "04010201020200dd3014060f2b06010401893604020101040103010201003014060f2b0601040189360402010104"
    "01040102012291327e"
)
REDS, YELLOWS, GREENS = ((*ASC, 1, 4, 1, column, 1) for column in (2, 3, 4))

# A quad of two rings: phases 1 to 8, pedestrians 2, 4, 6, 8; 2 and 6 are green, 2's pedestrians clear
UNIT: dict[ber.Oid, ber.Value] = {
    **{(*ASC, 1, 4, 1, column, 1): bits for column, bits in
       {2: 0b11011101, 3: 0, 4: 0b00100010, 5: 0b10001000, 6: 0b00000010, 7: 0b00100000}.items()},
    **{(*ASC, 1, 4, 1, column, 2): 0 for column in range(2, 8)},
    **{(*ASC, 9, 4, 1, column, 1): 0 for column in range(2, 5)},
    oids.FLASH_STATUS: 2, oids.PATTERN: 7, oids.UPTIME: 1000,
    **dict.fromkeys(oids.PREEMPTS, 2),
}  # fmt: skip
for _phase in range(1, 9):
    _ring = range(1, 5) if _phase > 4 else range(5, 9)
    _side = {1, 2, 5, 6} if _phase in (1, 2, 5, 6) else {3, 4, 7, 8}
    for _column, _value in {2: 7, 3: 12, 4: 5, 6: 45, 8: 35, 9: 10}.items():
        UNIT[phase_item(_column, _phase)] = _value
    UNIT[phase_item(CONCURRENCY, _phase)] = bytes(sorted(set(_ring) & _side))


def response(request: int, values: Mapping[ber.Oid, ber.Value], error: int = 0, index: int = 0) -> bytes:
    """A GetResponse, encoded by pysnmp."""
    pdu = V1.GetResponsePDU()
    V1.apiPDU.set_defaults(pdu)
    V1.apiPDU.set_request_id(pdu, request)
    kinds = {int: V1.Integer, bytes: V1.OctetString, type(None): V1.Null}
    V1.apiPDU.set_varbinds(
        pdu, [(oid, kinds[type(value)](value if value is not None else "")) for oid, value in values.items()]
    )
    V1.apiPDU.set_error_status(pdu, error)
    V1.apiPDU.set_error_index(pdu, index)
    message = V1.Message()
    V1.apiMessage.set_defaults(message)
    V1.apiMessage.set_community(message, "public")
    V1.apiMessage.set_pdu(message, pdu)
    return bytes(encoder.encode(message))


def asked(data: bytes) -> tuple[int, list[ber.Oid]]:
    """(request, objects) of a GetRequest, decoded by pysnmp."""
    message, rest = decoder.decode(data, asn1Spec=V1.Message())
    assert not rest
    assert int(message["version"]) == 0
    pdu = V1.apiMessage.get_pdu(message)
    assert pdu.tagSet == V1.GetRequestPDU.tagSet, "anything but a get must never leave"
    return int(V1.apiPDU.get_request_id(pdu)), [tuple(oid) for oid, _ in V1.apiPDU.get_varbinds(pdu)]


class Unit:
    """A scripted controller on UDP."""

    def __init__(self, values: Mapping[ber.Oid, ber.Value] = UNIT, most: int = 99) -> None:
        self.values, self.most = dict(values), most
        self.asked: list[list[ber.Oid]] = []

    def answer(self, data: bytes) -> bytes:
        request, wanted = asked(data)
        self.asked.append(wanted)
        if len(wanted) > self.most:
            return response(request, dict.fromkeys(wanted), snmp.TOO_BIG)
        for index, oid in enumerate(wanted, 1):
            if oid not in self.values:
                return response(request, dict.fromkeys(wanted), snmp.NO_SUCH_NAME, index)
        return response(request, {oid: self.values[oid] for oid in wanted})


def talk(
    own: Session, unit: Unit, seconds: float, act: Callable[[float], None] = lambda _: None
) -> list[SignalReport | Programme]:
    got: list[SignalReport | Programme] = []
    now_s = 0.0
    while now_s < seconds:
        act(now_s)
        own.check(now_s)
        if data := own.next_bytes(now_s):
            got += own.receive(unit.answer(data), now_s + 0.02)
            now_s += 0.02
        now_s = max(now_s + 0.001, min(own.wake_s(now_s), now_s + 0.1))
    return got


def session(**more: object) -> Session:
    return Session(Settings(port="udp://192.0.2.1:161", listen_first_s=0.0, **more), 0.0)  # type: ignore[arg-type]


def reports(got: list[SignalReport | Programme]) -> list[SignalReport]:
    return [item for item in got if isinstance(item, SignalReport)]


def programmes(got: list[SignalReport | Programme]) -> list[Programme]:
    return [item for item in got if isinstance(item, Programme)]


# Bytes


def test_our_get_in_its_frame_is_the_published_one_byte_for_byte() -> None:
    assert pmpp.framed(1, snmp.get("public", 1, [GREENS])) == GET_GREENS


def test_the_published_reply_reads_with_a_sign_byte_before_dd() -> None:
    (frame,) = pmpp.Deframer().receive(REPLY, 0.0)
    assert isinstance(frame, pmpp.Frame)
    assert dict(snmp.parse(frame.payload).values) == {REDS: 0xDD, YELLOWS: 0, GREENS: 0x22}


def test_the_frame_check_has_its_published_check_value() -> None:
    assert pmpp.fcs(b"123456789") ^ 0xFFFF == 0x906E


@given(
    st.text("abcXYZ09", max_size=20),
    st.integers(0, 2**31 - 1),
    st.lists(st.tuples(st.just(1), st.just(3), st.integers(0, 2**32 - 1), st.integers(0, 300)), min_size=1),
)
@settings(max_examples=60)
def test_pysnmp_reads_what_we_ask_for(community: str, request: int, wanted: list[ber.Oid]) -> None:
    assert asked(snmp.get(community, request, wanted)) == (request, wanted)


@given(st.integers(-(2**31), 2**31 - 1), st.binary(max_size=200), st.integers(0, 5))
@settings(max_examples=60)
def test_we_read_what_pysnmp_answers(number: int, octets: bytes, error: int) -> None:
    values: dict[ber.Oid, ber.Value] = {(1, 3, 6, 1): number, (1, 3, 6, 2**31): octets, (1, 3, 7): None}
    message = snmp.parse(response(77, values, error, 1))
    assert (message.request, message.error, dict(message.values)) == (77, error, values)


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_no_bytes_are_more_than_malformed(data: bytes) -> None:
    for candidate in (data, b"\x30\x82\x00\x10" + data, snmp.get("public", 1, [GREENS])[:-9] + data):
        try:
            snmp.parse(candidate)
        except ber.Malformed:
            continue


@given(st.lists(st.integers(0, 300), max_size=6), st.integers(1, 63), st.binary(max_size=60))
def test_frames_survive_any_split_at_any_address(cuts: list[int], address: int, content: bytes) -> None:
    stream = b"".join(pmpp.framed(address, b"\x30" + content + bytes([n])) for n in range(3))
    places = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    deframer = pmpp.Deframer()
    got = [e for a, b in itertools.pairwise(places) for e in deframer.receive(stream[a:b], 0.0)]
    assert [e.payload[-1] for e in got if isinstance(e, pmpp.Frame)] == [0, 1, 2]
    assert {e.address for e in got if isinstance(e, pmpp.Frame)} == {address}


def test_a_two_byte_address_and_a_frame_without_the_poll_bit_are_read() -> None:
    body = bytes([5 << 2, 2 << 1 | 1, pmpp.UNPOLLED, 0xC0]) + b"\x30\x00"
    body += (pmpp.fcs(body) ^ 0xFFFF).to_bytes(2, "little")
    (frame,) = pmpp.Deframer().receive(b"\x7e" + body + b"\x7e", 0.0)
    assert isinstance(frame, pmpp.Frame)
    assert frame.address == 5 | 2 << 6


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_no_bytes_can_break_a_session_on_a_line(chunks: list[bytes]) -> None:
    own = Session(Settings(port="x", role="listener"), 0.0)
    for n, chunk in enumerate([*chunks, b"\x7e" + b"a" * 9000]):
        list(own.receive(chunk, n * 0.01))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"noise", "noise"),
        (b"\x7eab\x7e", "short"),
        (b"\x7e" + b"\x05\x13\xc1\x30\x00\x00\x00" + b"\x7e", "checksum"),
        (pmpp.framed(1, b"\x31not snmp"), "payload"),
        (b"\x7e" + b"a" * 5000, "long"),
    ],
)
def test_what_is_wrong_with_a_frame_is_named(data: bytes, why: str) -> None:
    assert next(e.why for e in pmpp.Deframer().receive(data, 0.0) if isinstance(e, pmpp.Garbled)) == why


# Meaning


def test_colours_of_phases_and_pedestrians_come_ten_times_a_second() -> None:
    got = talk(session(), Unit(), 5.0)
    last = reports(got)[-2]
    shows = {lamp.group: lamp.colour for report in reports(got)[-4:] for lamp in report.lamps}
    assert shows == {
        1: Colour.RED, 2: Colour.GREEN, 3: Colour.RED, 4: Colour.RED, 5: Colour.RED, 6: Colour.GREEN,
        7: Colour.RED, 8: Colour.RED, 102: Colour.GREEN_FLASH, 104: Colour.RED, 106: Colour.GREEN,
        108: Colour.RED,
    }  # fmt: skip
    assert last.control in (None, Control.ACTUATED)
    assert sum(report.complete for report in reports(got)) >= (5 - LEARN_S) * 9


def test_the_programme_tells_greens_clearances_and_which_phases_never_run_together() -> None:
    programme = programmes(talk(session(), Unit(), 5.0))[-1]
    phases = {phase.phase: phase for phase in programme.phases}
    assert (phases[2].min_green_s, phases[2].max_green_s) == (5.0, 45.0)
    assert phases[2].losing == (Step(Colour.YELLOW, 3.5),)
    assert phases[102].losing == (Step(Colour.GREEN_FLASH, 12.0),)
    assert phases[102].min_green_s == 7.0
    assert (2, 4) in programme.conflicts
    assert (1, 2) in programme.conflicts
    assert (2, 6) not in programme.conflicts
    assert (1, 6) not in programme.conflicts
    assert {lamp.group: lamp.kind for lamp in programme.lamps}[102] is LampKind.PEDESTRIAN


def test_a_unit_without_overlaps_and_patterns_is_read_all_the_same() -> None:
    lacking = {oid: v for oid, v in UNIT.items() if oid[: len(ASC) + 1] not in ((*ASC, 9), (*ASC, 4))}
    unit = Unit(lacking)
    got = talk(session(), unit, 6.0)
    assert reports(got)[-1].complete or reports(got)[-2].complete
    late = [oid for batch in unit.asked[-20:] for oid in batch]
    assert not [oid for oid in late if oid[: len(ASC) + 1] == (*ASC, 9)], (
        "a refused object is not asked again"
    )


def test_a_unit_that_takes_few_objects_at_once_is_read_in_more_queries() -> None:
    unit = Unit(most=6)
    got = talk(session(), unit, 8.0)
    assert any(report.complete for report in reports(got))
    assert max(len(batch) for batch in unit.asked[-30:]) <= 6
    assert programmes(got)[-1].phases[0].min_green_s == 5.0


def test_banks_in_which_nothing_shines_are_asked_for_slowly() -> None:
    unit = Unit()
    talk(session(), unit, 10.0)
    second = sum((*ASC, 1, 4, 1, 4, 2) in batch for batch in unit.asked)
    assert 10 <= second <= 30
    assert sum(GREENS in batch for batch in unit.asked) >= 85


def test_an_output_that_lights_up_late_becomes_a_group() -> None:
    unit = Unit()

    def act(now_s: float) -> None:
        if now_s > 4.0:
            unit.values[*ASC, 9, 4, 1, 2, 1] = 0b1

    got = talk(session(), unit, 7.0, act)
    assert 201 in programmes(got)[-1].groups
    assert Lamp(201, Colour.RED) in reports(got)[-1].lamps + reports(got)[-2].lamps


@pytest.mark.parametrize(
    ("status", "control", "fault"),
    [(2, Control.ACTUATED, False), (3, Control.FLASH, False), (5, Control.FLASH, True),
     (6, Control.FLASH, True), (7, Control.FLASH, False)],
)  # fmt: skip
def test_while_the_unit_flashes_its_phase_bits_are_no_colours(
    status: int, control: Control, fault: bool
) -> None:
    got = talk(session(), Unit(UNIT | {oids.FLASH_STATUS: status}), 5.0)
    told = [report for report in reports(got) if report.control is not None][-1]
    assert (told.control, told.fault_flash) == (control, fault)
    shown = {lamp.colour for lamp in [r for r in reports(got) if r.lamps][-1].lamps}
    assert (shown == {Colour.UNKNOWN}) is (control is Control.FLASH)


def test_pattern_and_pre_emption_are_told() -> None:
    got = talk(session(), Unit(UNIT | {oids.PREEMPTS[1]: 6}), 2.0)
    assert {report.plan for report in reports(got)} == {None, 7}
    assert any(report.preempt for report in reports(got))
    assert 0 in {r.plan for r in reports(talk(session(), Unit(UNIT | {oids.PATTERN: 254}), 2.0))}


def test_an_uptime_that_falls_is_a_reboot_and_the_phase_table_is_read_again() -> None:
    unit, own = Unit(), session()

    def act(now_s: float) -> None:
        unit.values[oids.UPTIME] = 1000 + int(now_s * 100) if now_s < 5 else int(now_s)

    talk(own, unit, 8.0, act)
    assert own.counters["reboots"] == 1
    assert sum(phase_item(4, 2) in batch for batch in unit.asked) >= 2


# Dialogue


def test_a_reply_to_an_older_question_is_not_taken_for_the_answer() -> None:
    own = session()
    assert own.next_bytes(0.0)
    assert not list(own.receive(response(999, {GREENS: 1}), 0.1))
    assert own.counters["unasked"] == 1


def test_a_listener_reads_what_another_host_asks_for() -> None:
    own = Session(Settings(port="x", role="listener"), 0.0)
    got: list[SignalReport | Programme] = []
    banks = {oid: UNIT[oid] for bank in BANKS[:3] for oid in bank.oids}
    for tick in range(40):
        got += own.receive(pmpp.framed(1, snmp.get("public", tick, list(banks))), tick * 0.1)
        got += own.receive(pmpp.framed(1, response(tick, banks)), tick * 0.1 + 0.02)
    assert own.next_bytes(5.0) is None
    assert programmes(got)[0].groups[:3] == (1, 2, 3)
    assert reports(got)[-1].complete
    assert own.counters["others_ask"] == 40


def test_another_master_stops_a_master_but_its_own_echo_does_not() -> None:
    own = Session(Settings(port="x", listen_first_s=0.0), 0.0)
    echo = own.next_bytes(0.0)
    assert echo
    assert not list(own.receive(echo, 0.01))
    with pytest.raises(DeviceLost, match="SER07"):
        list(own.receive(pmpp.framed(1, snmp.get("public", 4242, [GREENS])), 0.02))


def test_frames_of_another_station_are_not_ours() -> None:
    own = Session(Settings(port="x", role="listener", address=2), 0.0)
    assert not list(own.receive(REPLY, 0.0))
    assert own.counters["frames"] == 0


def test_silence_and_rubbish_are_told_apart() -> None:
    own = session()
    with pytest.raises(DeviceLost, match="silent"):
        own.check(9.0)
    list(own.receive(b"\x30\x40rubbish that is not snmp at all, again and again", 9.0))
    with pytest.raises(DeviceLost, match="garbled"):
        own.check(19.0)
