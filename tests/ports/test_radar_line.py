"""What line radars share: the loop, stamps of a foreign clock, and who bears a number."""

from __future__ import annotations

from collections.abc import Iterator

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.ports.devices import RadarFrame
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.line import LineSettings, open_line
from rsu_agent.ports.memory_line import plug, unplug
from rsu_agent.ports.radar_line import LineRadar, ListeningLink
from rsu_agent.ports.stamp_fit import LONGEST_DELAY_S, WINDOW_S, StampFit
from rsu_agent.ports.target_epochs import AWAY_S, GATE_M, MOST_TARGETS, TargetEpochs
from rsu_agent.ports.trouble import DeviceLost


class Counting(ListeningLink):
    """Every byte is a frame of its number; it asks once a second."""

    def __init__(self, now_s: float) -> None:
        super().__init__(3.0, now_s, "check the cable", "check the baud rate")
        self._ask_s = now_s

    def next_bytes(self, now_s: float) -> bytes | None:
        if now_s < self._ask_s:
            return None
        self._ask_s = now_s + 1.0
        return b"?"

    def wake_s(self, now_s: float) -> float:
        return min(self._ask_s, super().wake_s(now_s))

    def receive(self, data: bytes, now_s: float) -> Iterator[RadarFrame]:
        for byte in data:
            if byte == 0xFF:
                self._garbled("noise", 1)
                continue
            self._verdict.good(now_s)
            yield RadarFrame(byte, now_s, ())


@pytest.mark.anyio
async def test_frames_come_in_order_questions_go_out_and_silence_is_a_loss_with_its_hint() -> None:
    clock = FakeClock()
    far = plug("radar", clock)
    got: list[int] = []
    lost: list[DeviceLost] = []

    async def listen() -> None:
        async with open_line(LineSettings("memory:radar", 9600), clock) as line:
            try:
                async for frame in LineRadar(line, Counting(clock.now_s()), clock):
                    got.append(frame.number)
            except DeviceLost as trouble:
                lost.append(trouble)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        await clock.advance(0.1)
        await far.write(b"\x01\x02\xff\x03")
        await clock.advance(0.1)
        assert got == [1, 2, 3]
        await clock.advance(4.0)
    assert (await far.read()).data == b"????"
    assert (lost[0].reason, lost[0].hint) == ("silent", "check the cable")
    unplug("radar")


def test_a_radar_that_speaks_of_vehicles_only_is_never_silent_but_its_noise_is_still_a_loss() -> None:
    link = ListeningLink(None, 0.0, "", "baud")
    link.check(1e6)
    for _ in range(24):
        link._garbled("sum", 9)
    with pytest.raises(DeviceLost, match="garbled"):
        link.check(1e6)


def test_a_stamp_is_laid_on_the_least_delay_and_a_late_arrival_moves_nothing() -> None:
    fit = StampFit()
    # the device's clock is 1000 s behind ours; the line takes 0.02 s, then 0.5 s
    assert fit.at_s(0.0, 1000.02) == pytest.approx(1000.02)
    assert fit.at_s(1.0, 1001.5) == pytest.approx(1001.02)
    assert fit.at_s(2.0, 1002.0) == pytest.approx(1002.0), "a quicker one is the new least"
    assert fit.at_s(3.0, 1003.3) == pytest.approx(1003.0)
    assert fit.jumps == 0


@pytest.mark.parametrize("jump_s", [-3600.0, 3600.0, 2 * LONGEST_DELAY_S, -2 * LONGEST_DELAY_S])
def test_a_clock_that_is_set_is_a_jump_and_not_a_delay(jump_s: float) -> None:
    fit = StampFit()
    for n in range(5):
        fit.at_s(float(n), 50.0 + n)
    assert fit.at_s(5.0 + jump_s, 55.3) == pytest.approx(55.3)
    assert fit.at_s(6.0 + jump_s, 56.5) == pytest.approx(56.3)
    assert fit.jumps == 1


def test_a_clock_that_runs_slow_is_followed_within_the_window() -> None:
    fit = StampFit()
    for n in range(4000):
        at_s = fit.at_s(n * 0.1 * (1 - 50e-6), n * 0.1)
        assert -WINDOW_S * 60e-6 <= at_s - n * 0.1 <= 0.0
    assert len(fit._least) <= WINDOW_S + 2


@given(st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats(0.0, 5.0)), max_size=60))
def test_a_stamp_is_never_after_its_arrival_nor_long_before(told: list[tuple[float, float]]) -> None:
    fit, now_s = StampFit(), 100.0
    for stamp_s, later_s in told:
        now_s += later_s
        at_s = fit.at_s(stamp_s, now_s)
        assert now_s - LONGEST_DELAY_S - 1e-3 <= at_s <= now_s + 1e-3


def test_a_target_that_drives_on_keeps_its_epoch_and_one_that_jumps_or_was_away_gets_a_new_one() -> None:
    epochs = TargetEpochs()
    drive = [epochs.epoch(7, (50.0 - 2.0 * n, 0.0), (-20.0, 0.0), n * 0.1) for n in range(10)]
    assert drive == [0] * 10
    assert epochs.epoch(7, (32.0 + GATE_M + 4.0, 0.0), (0.0, 0.0), 0.9) == 1
    assert epochs.epoch(7, (32.0 + GATE_M + 4.0, 0.0), (0.0, 0.0), 0.9 + AWAY_S + 0.1) == 2
    assert epochs.epoch(8, (0.0, 0.0), (0.0, 0.0), 2.0) == 0


def test_numbers_without_end_take_bounded_memory_and_never_an_epoch_again() -> None:
    epochs = TargetEpochs()
    epochs.epoch(1, (0.0, 0.0), (0.0, 0.0), 0.0)
    assert epochs.epoch(1, (90.0, 0.0), (0.0, 0.0), 0.1) == 1
    for number in range(2, MOST_TARGETS + 10):
        epochs.epoch(number, (0.0, 0.0), (0.0, 0.0), 0.2)
    assert len(epochs._seen) == MOST_TARGETS
    assert epochs.epoch(1, (90.0, 0.0), (0.0, 0.0), 0.3) > 1
