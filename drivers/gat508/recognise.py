"""Recognising countdown displays on a line."""

from __future__ import annotations

from collections.abc import Sequence

from drivers.gat508.wire import Deframer, Frame
from rsu_agent.ports.recognising import Recogniser, Sign


class DisplaySign:
    """Displays are only heard. One old frame has five bytes and a weak check: it counts little."""

    def __init__(self, byte_s: float) -> None:
        self._deframer = Deframer(byte_s)
        self.sign = Sign()

    def receive(self, data: bytes, now_s: float) -> None:
        """Whole frames count."""
        for found in self._deframer.receive(data, now_s):
            if isinstance(found, Frame):
                self.sign.frames += 1
                self.sign.frame_bytes += 1 if len(found.entries) == 1 else 2 * len(found.entries)
                self.sign.notes.add(f"generation {2004 if len(found.entries) == 1 else 2014}")

    def question(self) -> None:
        """There is none."""
        return


def recognisers(byte_s: float) -> Sequence[Recogniser]:
    """Both generations at once."""
    return [DisplaySign(byte_s)]
