"""The counted line faults: what they find, a lying product that is found out, and a short run of ours."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest

from hil.line_faults import many
from hil.line_faults.__main__ import figures, main, passed
from hil.line_faults.draw import FAULTS, LINES, draws, shares
from hil.line_faults.judge import Episodes, Sent
from hil.line_faults.known import Carried, Good, doubts
from hil.line_faults.run import never_together, run_line
from hil.score.timeline import LampTruth
from rsu_agent.runtime.air import Air

RED, GREEN = 3, 5
CALM = [Good(t / 10, t / 10 + 0.01, 0.3) for t in range(1, 100)]


def judged(sent: list[Sent], goods: list[Good] = CALM, *, lamp: LampTruth | None = None) -> Counter[str]:
    episodes = Episodes({1: lamp or LampTruth([0.0], ["red"]), 2: LampTruth([0.0], ["red"])}, [(1, 2)], 3.0)
    episodes.judge("test", (1.0, 9.0), sent, goods, [], (0.0, 0.0))
    return episodes.figures


def said(*lights: int, until_s: float = 9.0, from_s: float = 0.8) -> list[Sent]:
    return [Sent(t / 10, dict(enumerate(lights, 1))) for t in range(round(from_s * 10), round(until_s * 10))]


def test_a_product_that_says_what_shines_has_no_fault() -> None:
    found = judged(said(RED, RED))
    assert not any(value for name, value in found.items() if name not in ("knowable_ms", "valid_ms"))
    assert found["valid_ms"] == found["knowable_ms"] == 8000


def test_green_that_was_never_there_is_wrong_and_dangerous_for_as_long_as_it_is_said() -> None:
    found = judged(
        [
            *said(RED, RED, until_s=5.0),
            *said(GREEN, RED, from_s=5.0, until_s=6.0),
            *said(RED, RED, from_s=6.0),
        ]
    )
    assert found["wrong_colour_ms"] == found["dangerous_ms"] == 1000


def test_a_colour_that_ended_within_the_time_that_a_report_may_take_is_right_still() -> None:
    lamp = LampTruth([0.0, 5.0], ["green", "red"])
    assert (
        judged([*said(GREEN, RED, until_s=5.4), *said(RED, RED, from_s=5.4)], lamp=lamp)["wrong_colour_ms"]
        == 0
    )
    assert (
        judged([*said(GREEN, RED, until_s=5.9), *said(RED, RED, from_s=5.9)], lamp=lamp)["dangerous_ms"] > 0
    )


def test_two_greens_that_may_not_be_together_are_counted() -> None:
    assert judged(said(GREEN, GREEN))["conflicting"] == len(said(GREEN, GREEN))


def test_speaking_on_after_the_line_fell_silent_is_late() -> None:
    lost = [good for good in CALM if good.first_s < 5.0]
    assert judged([*said(RED, RED, until_s=5.2), *said(0, 0, from_s=5.2)], lost)["late_degrade"] == 0
    assert judged([*said(RED, RED, until_s=5.6), *said(0, 0, from_s=5.6)], lost)["late_degrade"] == 1


def test_silence_without_a_cause_is_a_false_degradation() -> None:
    found = judged([*said(RED, RED, until_s=5.0), *said(0, 0, from_s=5.0)])
    assert found["false_degrade"] == 1
    assert found["valid_ms"] < 0.6 * found["knowable_ms"]
    assert judged(said(0, 0))["false_degrade"] == 1


@pytest.mark.parametrize(("back_s", "late"), [(5.2, 0), (7.2, 1)])
def test_coming_back_has_its_time(back_s: float, late: int) -> None:
    goods = [good for good in CALM if not 2.0 < good.first_s < 3.0]
    sent = [
        *said(RED, RED, until_s=2.3),
        *said(0, 0, from_s=2.3, until_s=back_s),
        *said(RED, RED, from_s=back_s),
    ]
    found = judged(sent, goods)
    assert found["late_recover"] == late
    assert found["false_degrade"] == 0 or late


def test_never_back_is_late() -> None:
    goods = [good for good in CALM if not 2.0 < good.first_s < 3.0]
    assert judged([*said(RED, RED, until_s=2.3), *said(0, 0, from_s=2.3)], goods)["late_recover"] == 1


def test_doubts_begin_when_what_is_known_is_too_old_and_end_with_the_next_good_report() -> None:
    goods = [Good(1.0, 1.01, 0.3), Good(2.0, 2.01, 0.3), Good(2.1, 2.11, 0.3)]
    assert list(doubts(goods, [])) == [(1.3, 2.01), (2.4, float("inf"))]
    (first, last) = doubts(goods, [(1.1, 1.2)])
    assert first == (pytest.approx(1.2), 2.01)
    assert last[0] == 2.4


def test_what_a_fault_puts_around_a_whole_frame_hides_it_from_nobody() -> None:
    from hil.devices.gbt20999_codec import Message, Profile, build

    message = Message(0x20, 1, 0, 0, 1, ((1, (3, 3, 1, 1), b"\x10"), (2, (3, 3, 1, 2), b"\x40")))
    carried = Carried((1, 2), Profile(), 115200)
    frame = build(message, Profile())
    for noise in (b"", b"\x5c", b"\x00" * 50 + b"\x7e", frame[:20] + b"\x5c"):
        carried.put(noise + frame, 10.0)
    carried.put(frame[:-1], 11.0)
    carried.put(build(replace(message, controller=99), Profile()), 12.0)
    assert len(carried.goods) == 4


def test_every_fault_has_its_turn_and_the_same_seed_draws_the_same() -> None:
    drawn = list(draws(60, "1"))
    assert {episode.fault for episode in drawn} >= set(FAULTS) - {"long_silence"}
    assert drawn == list(draws(60, "1")) != list(draws(60, "2"))
    assert sum(shares(10_003)) == 10_003
    assert len(never_together()) > 50


def test_a_short_run_on_every_line_finds_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["line_faults", "--n", "52", "--seed", "26"])
    status = main()
    told = json.loads(capsys.readouterr().out)
    assert status == 0, told
    assert told["injected"] == 52
    assert told["valid_share"] >= 0.99


def test_a_product_that_repeats_its_last_frame_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a radio does that repeats: the doubt never gets on air."""
    last: list[bytes] = []
    send = Air.send

    async def repeat(self: Air, kind: str, frame: bytes) -> None:
        if kind == "SPAT":
            from rsu_agent.outlets.spat_reader import read_spat

            if any(phase.light for phase in read_spat(frame).phases):
                last[:] = [frame]
            frame = last[0] if last else frame
        await send(self, kind, frame)

    monkeypatch.setattr(Air, "send", repeat)
    found, stories = run_line(LINES[0], 13, "1")
    assert found["late_degrade"] > 0
    assert stories
    assert not passed(figures([found]))


def test_the_parts_are_the_whole() -> None:
    assert sum(part[2] for part in many._parts(10_000)) == 10_000
