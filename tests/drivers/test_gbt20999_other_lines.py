"""GB/T 20999 where it is no polled serial line: datagrams, frames without escapes, a line we only hear."""

from __future__ import annotations

import pytest
from gbt20999_peer import Peer, small_crossing
from gbt20999_peer import sent as framed
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.gbt20999.deframer import LARGEST_BYTES
from drivers.gbt20999.listener import SETTLED_S, Listener
from drivers.gbt20999.plain import PlainDeframer
from drivers.gbt20999.settings import Settings
from drivers.gbt20999.wire import Address, Checksum, Dialect, Frame, Garbled, Identity, Kind, query
from rsu_agent.ports.sweep import Sweep
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.world.signal import Colour, Lamp, LampKind, Programme, SignalReport

# Recorded on UDP, facts/controllers 1.5; the first and the last carry 7d and 5c unescaped.
RECORDED = {
    "query": bytes.fromhex("7e001301000500000000000110010104030301017dc17d"),
    "off": bytes.fromhex("7e001401000500000000000220010105030301010197047d"),
    "remaining": bytes.fromhex("7e001501000500000000000220010106060304010005acdd7d"),
    "mode": bytes.fromhex("7e0014010005000000000002200101050d0202012394f47d"),
    "refusal": bytes.fromhex("7e0014010005000000000002210101051102010130fa977d"),
}
PLAIN = Dialect(escaped=False)


def frames(deframer: PlainDeframer, *chunks: bytes) -> list[Frame]:
    events = [event for n, chunk in enumerate(chunks) for event in deframer.receive(chunk, n * 0.01)]
    return [event for event in events if isinstance(event, Frame)]


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_datagram_is_one_frame(name: str) -> None:
    (frame,) = frames(PlainDeframer(Checksum.X1005, datagrams=True), RECORDED[name])
    assert len(frame.values) == 1


def test_two_frames_in_one_datagram_are_two_and_rubbish_around_them_is_counted() -> None:
    deframer = PlainDeframer(Checksum.X1005, datagrams=True)
    events = list(deframer.receive(b"xx" + RECORDED["off"] + RECORDED["mode"] + b"yy", 0.0))
    assert [type(event) for event in events] == [Garbled, Frame, Frame, Garbled]
    assert sum(event.size for event in events if isinstance(event, Garbled)) == 4


def test_a_datagram_that_is_escaped_all_the_same_is_read() -> None:
    escaped = query(Identity(host=5), 1, [Address(3, 3, 1, 1)], Dialect(escaped=True))
    assert b"\x5c" in escaped
    (frame,) = frames(PlainDeframer(Checksum.X1005, datagrams=True), escaped)
    assert frame.values[0].address == Address(3, 3, 1, 1)


def test_a_cut_datagram_does_not_reach_into_the_next() -> None:
    deframer = PlainDeframer(Checksum.X1005, datagrams=True)
    assert frames(deframer, RECORDED["off"][:10], RECORDED["mode"], RECORDED["off"][10:]) != []
    assert len(frames(deframer, RECORDED["off"][:10], RECORDED["mode"])) == 1


@pytest.mark.parametrize("counts", [True, False])
@given(st.data())
@settings(max_examples=60)
def test_unescaped_frames_in_a_stream_survive_any_split_and_noise_before_them(
    counts: bool, draw: st.DataObject
) -> None:
    dialect = Dialect(escaped=False, length_counts_checksum=counts)
    sent = [query(Identity(host=h), h, [Address(3, 3, 1, h)], dialect) for h in (5, 0x7D, 0x7E)]
    noise = draw.draw(st.binary(max_size=30).filter(lambda b: 0x7E not in b))
    stream = noise + b"".join(sent)
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    got = frames(PlainDeframer(Checksum.X1005), *chunks)
    assert [frame.host for frame in got] == [5, 0x7D, 0x7E]


@given(st.lists(st.binary(max_size=200), max_size=8), st.booleans())
def test_no_bytes_can_break_the_plain_deframer_or_fill_it(chunks: list[bytes], datagrams: bool) -> None:
    deframer = PlainDeframer(Checksum.X1005, datagrams=datagrams)
    for n, chunk in enumerate([*chunks, b"\x7e\x07\xf0" * 2000]):
        for _ in deframer.receive(chunk, n * 0.001):
            pass
    assert len(deframer._held) <= LARGEST_BYTES


def test_a_pause_in_an_unescaped_frame_ends_it() -> None:
    deframer = PlainDeframer(Checksum.X1005)
    assert not list(deframer.receive(RECORDED["off"][:9], 0.0))
    assert [type(e) for e in deframer.receive(RECORDED["mode"], 1.0)] == [Garbled, Frame]


# Sweep: lamps told a few at a time


def told(at_s: float, *lamps: tuple[int, Colour]) -> SignalReport:
    return SignalReport(at_s, at_s, tuple(Lamp(group, colour) for group, colour in lamps))


def test_when_all_groups_have_been_told_a_complete_report_as_old_as_the_oldest_follows() -> None:
    sweep = Sweep()
    assert len(list(sweep.take(told(1.0, (1, Colour.RED)), (1, 2)))) == 1
    _, whole = sweep.take(told(1.2, (2, Colour.GREEN)), (1, 2))
    assert whole.complete
    assert whole.first_byte_s == 1.0
    assert {lamp.group: lamp.colour for lamp in whole.lamps} == {1: Colour.RED, 2: Colour.GREEN}
    assert len(list(sweep.take(told(1.3, (1, Colour.RED)), (1, 2)))) == 1, "each is told anew for the next"


def test_in_a_sweep_the_newest_colour_of_a_group_counts() -> None:
    sweep = Sweep()
    list(sweep.take(told(1.0, (1, Colour.RED)), (1, 2)))
    list(sweep.take(told(1.1, (1, Colour.GREEN)), (1, 2)))
    *_, whole = sweep.take(told(1.2, (2, Colour.RED)), (1, 2))
    assert whole.first_byte_s == 1.1
    assert whole.lamps[0].colour is Colour.GREEN


# Listening


def listener(**more: object) -> Listener:
    return Listener(Settings(port="/dev/null", role="listener", **more), 0.0)  # type: ignore[arg-type]


def overheard(session: Listener, seconds: float, peer: Peer, *asked: list[Address]) -> list[object]:
    """A centre polls ten times a second; both directions pass by."""
    got: list[object] = []
    for tick in range(int(seconds * 10)):
        now_s = tick * 0.1
        for batch in asked:
            request = framed(Kind.QUERY, [(address, b"") for address in batch])
            reply = framed(Kind.REPLY, [(a, peer.values[a]) for a in batch])
            got += session.receive(request, now_s)
            got += session.receive(reply, now_s + 0.02)
    return got


LAMPS = [Address(3, 3, 1, group) for group in range(1, 5)]
STATE = [Address(13, 2, 2, 1), Address(13, 2, 3, 1), Address(13, 2, 4, 1)]


def test_a_listener_hears_lamps_in_the_dialogue_of_others_and_never_has_anything_to_send() -> None:
    session = listener()
    got = overheard(session, 8.0, Peer(), LAMPS, STATE)
    programme = next(item for item in got if isinstance(item, Programme))
    assert programme.groups == (1, 2, 3, 4)
    whole = [item for item in got if isinstance(item, SignalReport) and item.complete]
    assert len(whole) >= (8.0 - SETTLED_S - 0.2) * 10
    assert whole[-1].lamps[0] == Lamp(1, Colour.GREEN)
    assert session.next_bytes(8.0) is None
    assert session.counters["centre_queries"] == 160


def test_a_centre_that_asks_for_one_lamp_at_a_time_still_gives_complete_reports() -> None:
    got = overheard(listener(), 8.0, Peer(), *[[lamp] for lamp in LAMPS])
    assert sum(isinstance(item, SignalReport) and item.complete for item in got) >= 20


def test_what_the_centre_reads_of_the_configuration_becomes_part_of_the_programme() -> None:
    values = small_crossing()
    configuration = [a for a in values if a.data_class in (2, 4, 6, 7, 9) or a[:2] == (3, 2)]
    got = overheard(listener(), 14.0, Peer(), LAMPS, STATE, configuration)
    programme = [item for item in got if isinstance(item, Programme)][-1]
    assert [phase.groups for phase in programme.phases] == [(1, 2), (3, 4)]
    assert programme.plans[0].cycle_s == 60.0
    assert programme.lamps[0].kind is LampKind.MOTOR


def test_a_set_command_of_the_centre_is_counted_and_changes_nothing() -> None:
    session = listener()
    assert not list(session.receive(framed(0x30, [(Address(13, 2, 3, 1), b"\x02")]), 0.0))
    assert session.counters["centre_sets"] == 1


def test_a_listener_on_a_silent_line_says_so_and_on_another_controllers_line_too() -> None:
    session = listener(controller_id=3)
    with pytest.raises(DeviceLost, match="silent"):
        session.check(60.0)
    with pytest.raises(DeviceLost, match="controller 0 answers instead of 3"):
        list(session.receive(framed(Kind.REPLY, [(LAMPS[0], b"\x10")]), 61.0))


def test_without_a_number_of_groups_told_those_that_are_heard_count() -> None:
    got = overheard(listener(groups=3), 8.0, Peer(), LAMPS)
    assert next(item for item in got if isinstance(item, Programme)).groups == (1, 2, 3)


def test_the_settings_say_how_frames_are_written_on_each_kind_of_line() -> None:
    assert Settings(port="/dev/ttyS0").dialect().escaped
    assert Settings(port="tcp://192.0.2.1:20999").dialect().escaped
    assert not Settings(port="udp://192.0.2.1:20999").dialect().escaped
    assert Settings(port="udp://192.0.2.1:20999", escape="on").dialect().escaped
    assert not Settings(port="x", length="without_checksum").dialect().length_counts_checksum
