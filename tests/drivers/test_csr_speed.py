"""Simple speed radars: three formats, replies that are no speeds, the trap of a mode without framing."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.csr_speed.configuring import PATIENCE_S, TRIES
from drivers.csr_speed.driver import PLUGIN
from drivers.csr_speed.link import Link
from drivers.csr_speed.reader import Reader
from drivers.csr_speed.settings import Settings
from drivers.csr_speed.wire import Garbled, Kmh, PowerOn, Reply
from rsu_agent.ports.devices import RadarFrame, SpeedReading
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.memory_line import plug, unplug
from rsu_agent.ports.plugins import plugins
from rsu_agent.ports.trouble import DeviceLost

CAPTURES = Path(__file__).parents[2] / "drivers/csr_speed/captures/bytes.txt"
WORKED = {
    row.split()[0]: (row.split()[2], bytes.fromhex(row.split()[3]))
    for row in CAPTURES.read_text().splitlines()
    if not row.startswith("#")
}
STEP_S = 0.026  # continuous mode
FORMATS = ("byte", "two_bytes", "ascii")
HELD = {"byte": 16, "two_bytes": 16, "ascii": 16}


def chosen(form: str = "two_bytes", **more: object) -> Settings:
    return Settings.model_validate({"port": "memory:csr", "format": form, "latency_ms": 0, **more})


def run(form: str, *chunks: bytes, step_s: float = STEP_S, **more: object) -> tuple[list[RadarFrame], Link]:
    link = Link(chosen(form, **more), 0.0)
    return [f for n, chunk in enumerate(chunks) for f in link.receive(chunk, 1.0 + n * step_s)], link


def each(data: bytes) -> list[bytes]:
    """Byte by byte, as a radar in continuous mode sends."""
    return [bytes([byte]) for byte in data]


def kmh(frames: list[RadarFrame]) -> list[float]:
    return [round(reading.speed_mps * 3.6, 6) for frame in frames for reading in frame.speeds]


@pytest.mark.parametrize(
    ("name", "speed_kmh", "away"),
    [
        ("sixty-towards", -60, False),
        ("forty-away", 40, True),
        ("no-direction", 40, None),
        ("plus-125", -125, False),
        ("minus-040", 40, True),
    ],
)
def test_worked_words_are_read_with_their_direction(name: str, speed_kmh: float, away: bool | None) -> None:
    form, data = WORKED[name]
    (frame,), _ = run(form, data)
    assert frame.speeds == (SpeedReading(pytest.approx(speed_kmh / 3.6), away),)


def test_a_byte_is_a_speed_of_no_direction() -> None:
    form, data = WORKED["sixty-twice"]
    frames, _ = run(form, *each(data))
    assert frames[0].speeds == (SpeedReading(pytest.approx(60 / 3.6), None),)


@pytest.mark.parametrize(
    ("form", "idle"), [("byte", b"\x00"), ("two_bytes", b"\xf7\x00"), ("ascii", b"*000")]
)
def test_while_nothing_moves_an_empty_frame_comes_now_and_then(form: str, idle: bytes) -> None:
    frames, link = run(form, *[idle] * 40)
    assert 4 <= len(frames) <= 6, "of 40 in about a second"
    assert all(frame.speeds == () for frame in frames)
    link.check(1.0 + 40 * STEP_S + 1.9)


@pytest.mark.parametrize("lone", [b"\x3c", b"\x3c\x00\x3c", b"\x3c\xf1\x78", b"\x1e\x3c\x5a"])
def test_without_framing_a_lone_byte_is_no_speed(lone: bytes) -> None:
    frames, link = run("byte", *each(lone))
    assert kmh(frames) == []
    assert link.counters["unconfirmed"] >= 1


def test_in_trigger_mode_the_only_byte_of_a_vehicle_counts() -> None:
    frames, link = run("byte", b"\x3c", mode="trigger")
    assert kmh(frames) == [60]
    link.check(1e6)


REPLIES = [
    "fa313030fb", "fa323031fb", "fa323131fb", "fa391e30fb", "fa3d3430fb", "fa3f3130323334353637fb", "fa30fb"
]  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("reply", REPLIES)
def test_no_byte_of_a_configuration_reply_is_a_speed(form: str, reply: str) -> None:
    data = bytes.fromhex(reply)
    frames, link = run(form, data)
    assert frames == []
    assert (link.counters["replies"], link.counters["garbled"]) == (1, 0)
    frames, link = run(form, *each(data), step_s=0.001)
    assert (frames, link.counters["replies"]) == ([], 1)


def test_speeds_on_both_sides_of_a_reply_are_kept() -> None:
    frames, _ = run("byte", b"\x3c\x3c", bytes.fromhex("fa313030fb"), b"\x3d\x3d", step_s=0.03)
    assert kmh(frames) == [60, 61, 61]


def test_a_stray_fa_is_noise_and_the_speed_after_it_stands() -> None:
    frames, link = run("byte", *each(b"\x3c\xfa\x3c\x3c"))
    assert kmh(frames) == [60, 60]
    assert link.counters["garbled_reply"] == 1


def test_a_stray_fa_among_speeds_read_late_in_one_chunk_costs_itself_only() -> None:
    reader = Reader("byte")
    found = list(reader.receive(b"\xfa\x3c\x3c\xfa\x00", 1.0))
    assert [f.speed for f in found if isinstance(f, Kmh)] == [60, 60, 0]


@pytest.mark.parametrize("byte", [0x01, 0x04, 0xF1, 0xF7, 0xFB, 0xFF])
def test_what_is_no_speed_by_its_value_is_dropped(byte: int) -> None:
    frames, link = run("byte", *each(bytes([byte]) * 3))
    assert frames == []
    assert link.counters["garbled_range"] == 3


@pytest.mark.parametrize(
    ("form", "data", "why"),
    [
        ("two_bytes", b"\xf9\x03", "range"),
        ("two_bytes", b"\x3c", "noise"),
        ("ascii", b"+12x", "digits"),
        ("ascii", b"+999", "digits"),
        ("ascii", b"125+", "noise"),
    ],
)
def test_a_broken_word_is_counted_by_its_fault(form: str, data: bytes, why: str) -> None:
    _, link = run(form, data)
    assert link.counters[f"garbled_{why}"] >= 1


@pytest.mark.parametrize("form", FORMATS)
def test_power_on_is_recognised_and_is_no_speed(form: str) -> None:
    frames, link = run(form, WORKED["power-on"][1])
    assert (frames, link.counters["power_on"], link.counters["garbled"]) == ([], 1, 0)


WORD = {"byte": 1, "two_bytes": 2, "ascii": 4}
SENT = {
    "byte": b"\x3c" * 400,
    "two_bytes": b"\xf9\x3c" * 200,
    "ascii": b"+060" * 100,
}


@pytest.mark.parametrize("sent", FORMATS)
@pytest.mark.parametrize("thought", FORMATS)
def test_another_format_than_the_site_file_says_is_found_and_named(sent: str, thought: str) -> None:
    size = WORD[sent]
    chunks = [SENT[sent][n : n + size] for n in range(0, 400, size)]
    _, link = run(thought, *chunks)
    if sent == thought:
        link.check(1.0 + len(chunks) * STEP_S)
        return
    with pytest.raises(DeviceLost) as lost:
        link.check(1.0 + len(chunks) * STEP_S + 2.0)
    assert lost.value.reason == "garbled"
    if link._wrong.get(sent, 0) >= 8:
        assert sent in lost.value.hint


def test_ascii_read_as_bytes_is_believable_and_is_refused_by_its_pattern() -> None:
    frames, link = run("byte", *each(b"+125" * 40))
    assert set(kmh(frames)) <= {43, 49, 50, 53}, "this is the trap"
    assert frames
    with pytest.raises(DeviceLost) as lost:
        link.check(6.0)
    assert "format: ascii" in lost.value.hint


@given(st.lists(st.integers(5, 0xF0), min_size=1, max_size=60))
def test_speeds_of_real_traffic_never_look_like_another_format_for_long(speeds: list[int]) -> None:
    drive = [min(0xF0, max(5, speeds[0] + n % 3)) for n in range(200)]
    _, link = run("byte", *each(bytes(drive)))
    link.check(1.0 + 200 * STEP_S)


WORDS = {
    "byte": [bytes([n]) for n in (0, 60, 61, 62)],
    "two_bytes": [b"\xf9\x3c", b"\xf8\x28", b"\xf7\x14", b"\xf9\x00"],
    "ascii": [b"+125", b"-040", b"*033", b"+000"],
}


@given(st.sampled_from(FORMATS), st.data())
def test_any_words_and_replies_survive_any_split(form: str, draw: st.DataObject) -> None:
    reply = bytes.fromhex("fa391e30fb")
    words = draw.draw(st.lists(st.sampled_from([*WORDS[form], reply]), min_size=2, max_size=20))
    stream = b"".join(words)
    cuts = draw.draw(st.sets(st.integers(1, len(stream) - 1), max_size=20))
    reader, places = Reader(form), [0, *sorted(cuts), len(stream)]  # type: ignore[arg-type]
    found = [f for a, b in pairwise(places) for f in reader.receive(stream[a:b], 1.0)]
    assert not [f for f in found if isinstance(f, Garbled)]
    assert [isinstance(f, Reply) for f in found] == [word == reply for word in words]


@given(st.sampled_from(FORMATS), st.binary(max_size=60))
def test_noise_never_costs_the_words_after_a_pause(form: str, noise: bytes) -> None:
    reader = Reader(form)  # type: ignore[arg-type]
    list(reader.receive(noise, 1.0))
    found = [f for n in range(2) for f in reader.receive(WORDS[form][1], 2.0 + n)]
    assert [isinstance(f, Kmh) for f in found][-2:] == [True, True]


@given(st.sampled_from(FORMATS), st.lists(st.binary(max_size=60), max_size=20))
def test_no_bytes_can_raise_or_grow_the_memory(form: str, chunks: list[bytes]) -> None:
    _, link = run(form, *chunks)
    assert link.kept_bytes <= HELD[form]


def dialogue(link: Link, answers: dict[bytes, bytes], until_s: float) -> list[bytes]:
    """What goes out while the radar answers so."""
    out, now_s = [], 0.0
    while now_s < until_s:
        if data := link.next_bytes(now_s):
            out.append(data)
            if answer := answers.get(data):
                list(link.receive(answer, now_s + 0.01))
        now_s += 0.05
    return out


ENTER, LIMIT, EXIT = (bytes.fromhex(h) for h in ("fa313030fb", "fa391e30fb", "fa323030fb"))
GOOD = {command: bytes((0xFA, 0x32, 0x30, command[1], 0xFB)) for command in (ENTER, LIMIT, EXIT)}


def test_nothing_is_sent_unless_the_site_asks() -> None:
    assert dialogue(Link(chosen(), 0.0), {}, 3.0) == []
    assert not chosen().writes


def test_the_low_limit_is_set_step_by_step_and_never_stored() -> None:
    link = Link(chosen(low_limit_kmh=30), 0.0)
    assert dialogue(link, GOOD, 5.0) == [ENTER, LIMIT, EXIT]
    assert (link.counters["configured"], link.counters["configuration_refused"]) == (1, 0)


def test_after_power_on_the_limit_is_set_again() -> None:
    link = Link(chosen(low_limit_kmh=30), 0.0)
    dialogue(link, GOOD, 5.0)
    list(link.receive(WORKED["power-on"][1], 6.0))
    assert dialogue(link, GOOD, 5.0) == [ENTER, LIMIT, EXIT]


def test_a_refused_limit_is_given_up_but_configuration_is_left() -> None:
    link = Link(chosen(low_limit_kmh=30), 0.0)
    refusing = GOOD | {LIMIT: bytes.fromhex("fa323139fb")}
    assert dialogue(link, refusing, 5.0) == [ENTER, LIMIT, EXIT]
    assert link.counters["configuration_refused"] == 1


def test_a_deaf_radar_is_asked_three_times_and_still_told_to_leave_configuration() -> None:
    link = Link(chosen(low_limit_kmh=30), 0.0)
    out = dialogue(link, {}, 2 * TRIES * PATIENCE_S + 2.0)
    assert out == [ENTER] * TRIES + [EXIT] * TRIES
    assert link.counters["configuration_refused"] == 1


@pytest.mark.parametrize("form", FORMATS)
def test_in_answer_mode_it_is_asked_and_its_echo_is_no_word(form: str) -> None:
    link = Link(chosen(form, mode="answer", ask_hz=5.0), 0.0)
    out = dialogue(link, {b"\xf7": b"\xf7" + WORDS[form][1]}, 1.0)
    assert 5 <= len(out) <= 6
    assert set(out) == {b"\xf7"}
    assert link.counters["echoes"] == len(out)
    assert link.counters["words"] == len(out)
    assert link.counters["garbled"] == 0


def test_power_on_is_told_apart_from_what_only_begins_like_it() -> None:
    reader = Reader("byte")
    assert list(reader.receive(b"\xfe\xfd", 1.0)) == []
    assert list(reader.receive(b"\xfd\xfe", 1.001)) == [PowerOn()]
    assert [type(f) for f in reader.receive(b"\xfe\x3c", 1.002)] == [Garbled, Kmh]


def test_silence_is_a_loss_with_a_hint_about_the_mode() -> None:
    with pytest.raises(DeviceLost) as lost:
        Link(chosen(), 0.0).check(3.0)
    assert lost.value.reason == "silent"
    assert "mode" in lost.value.hint


def test_the_site_file_finds_this_driver() -> None:
    assert plugins()["csr_speed"] is PLUGIN


@pytest.mark.anyio
async def test_over_a_line_speeds_come_until_it_is_silent() -> None:
    clock = FakeClock()
    far = plug("csr", clock, baud=9600)
    got: list[RadarFrame] = []
    lost: list[str] = []

    async def listen() -> None:
        async with PLUGIN.open(chosen(), clock) as radar:
            try:
                async for frame in radar:
                    got.append(frame)
            except DeviceLost as trouble:
                lost.append(trouble.reason)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        await clock.advance(0.1)
        await far.write(b"\xf9\x3c\xf8\x28")
        await clock.advance(5.0)
    unplug("csr")
    assert kmh(got) == [-60, 40]
    assert lost == ["silent"]
