"""The radar's own time: by its cycle counter over its wraps where believable, else by frame number."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.ti_mmwave.clock_fit import ClockFit

WRAP = 1 << 32  # of the u32 cycle counter: every 21.47 s at 200 MHz, every 7.16 s at 600 MHz
KNOWN_HZ = (200e6, 600e6)  # measured on two captures; recalled of demos on the DSP
SLOWEST_HZ, FASTEST_HZ = 100e6, 1000e6
ALIKE = 0.05  # as near as that to a known rate, the difference is the clocks' skew
SURE_S = 3.0  # before the rate is known, a longer pause may hide a wrap of the fastest
APART_S = 0.5  # counter and host may differ by so much over one pause, else the counter began anew


@dataclass(frozen=True, slots=True)
class Timing:
    """How radar and host keep time: jitter and offset of the last frame are arrivals above the fitted line.

    skew_ppm: positive when the radar's clock runs fast; None while its nominal rate is not known.
    period_s: the frame period in our seconds, of headers without a cycle counter too.
    """

    period_s: float | None
    skew_ppm: float | None
    jitter_ms: float | None
    offset_ms: float | None


class RadarTime:
    """Frames in, instants of measurement out. The frame period is found, never assumed."""

    def __init__(self) -> None:
        self._by_number = ClockFit()
        self._by_cycles = ClockFit(1 / FASTEST_HZ, 1 / SLOWEST_HZ)
        self._count = 0  # cycles since the first frame, wraps included
        self._last: tuple[int, float] | None = None  # cycles, arrival

    def measured_s(self, number: int, cycles: int | None, first_byte_s: float) -> float:
        """The instant of this frame on the monotonic clock, a steady delay apart; never after its arrival."""
        by_number_s = self._by_number.measured_s(number, first_byte_s)
        if cycles is None:
            return by_number_s
        self._unwrap(cycles, first_byte_s)
        by_cycles_s = self._by_cycles.measured_s(self._count, first_byte_s)
        return by_number_s if self._by_cycles.period_s is None else by_cycles_s

    def reset(self) -> None:
        """The radar began anew."""
        self._by_number.reset()
        self._by_cycles.reset()
        self._last = None

    @property
    def timing(self) -> Timing:
        """As it stands."""
        a_cycle_s = self._by_cycles.period_s
        fit = self._by_number if a_cycle_s is None else self._by_cycles
        return Timing(
            self._by_number.period_s, _skew_ppm(a_cycle_s), _in_ms(fit.jitter_s), _in_ms(fit.delay_s)
        )

    def _unwrap(self, cycles: int, first_byte_s: float) -> None:
        last, self._last = self._last, (cycles, first_byte_s)
        if last is None:
            return
        step, paused_s = (cycles - last[0]) % WRAP, first_byte_s - last[1]
        a_cycle_s = self._by_cycles.period_s
        if a_cycle_s is None:
            believable = paused_s <= SURE_S
        else:
            step += max(0, round((paused_s / a_cycle_s - step) / WRAP)) * WRAP
            believable = abs(step * a_cycle_s - paused_s) <= APART_S
        self._count += step
        if not believable:
            self._by_cycles.reset()


def _skew_ppm(a_cycle_s: float | None) -> float | None:
    for nominal_hz in KNOWN_HZ:
        if a_cycle_s is not None and abs(1 / a_cycle_s / nominal_hz - 1) < ALIKE:
            return (1 / a_cycle_s / nominal_hz - 1) * 1e6
    return None


def _in_ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000
