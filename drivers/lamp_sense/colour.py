"""From lamp circuits switched on and off to colours: steady or flashing, told by how they have switched."""

from __future__ import annotations

from dataclasses import dataclass, field

from rsu_agent.world.signal import Colour

SLOWEST_HALF_S = 1.0  # a lamp that flashes at 0.5 Hz is off so long; longer, it is out
STEADY_S = 1.1  # lit so long without a break: steady
FLASHES = {Colour.RED: Colour.RED_FLASH, Colour.YELLOW: Colour.YELLOW_FLASH, Colour.GREEN: Colour.GREEN_FLASH}
# (red, yellow, green) lit together -> colour
LIT: dict[tuple[bool, bool, bool], Colour] = {
    (True, False, False): Colour.RED,
    (True, True, False): Colour.RED_YELLOW,
    (False, True, False): Colour.YELLOW,
    (False, False, True): Colour.GREEN,
}


@dataclass(slots=True)
class Head:
    """One lamp group. A lamp that goes out may flash: until its next half there is no opinion."""

    _lit: Colour | None = None  # what is lit now, None: nothing
    _since_s: float = 0.0
    _was: Colour | None = None  # what was lit before it went out
    _flashing: Colour | None = field(default=None)

    def see(self, red: bool, yellow: bool, green: bool, now_s: float) -> Colour:
        """The colour after a reading."""
        inputs = red, yellow, green
        lit = LIT.get(inputs)
        if lit is None and any(inputs):
            self._lit, self._flashing, self._was, self._since_s = None, None, None, now_s
            return Colour.UNKNOWN
        if lit is not self._lit:
            self._switched(lit, now_s)
        lasts_s = now_s - self._since_s
        if self._lit is None:
            if self._flashing is not None and lasts_s < SLOWEST_HALF_S:
                return FLASHES[self._flashing]
            self._flashing = None
            return Colour.UNKNOWN if self._was is not None and lasts_s < SLOWEST_HALF_S else Colour.DARK
        if self._flashing is self._lit:
            if lasts_s < STEADY_S:
                return FLASHES[self._lit]
            self._flashing = None
        return self._lit

    def _switched(self, lit: Colour | None, now_s: float) -> None:
        off_s = now_s - self._since_s
        back = self._lit is None and lit is self._was and lit in FLASHES
        if back and off_s < SLOWEST_HALF_S:
            self._flashing = lit
        elif lit is not None:
            self._flashing = None
        if self._lit is not None:
            self._was = self._lit
        self._lit, self._since_s = lit, now_s
