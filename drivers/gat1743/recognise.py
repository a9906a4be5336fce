"""Recognising GA/T 1743 on a line."""

from __future__ import annotations

from collections.abc import Sequence

from drivers.gat1743.deframer import Deframer
from drivers.gat1743.wire import ASKING, EVERYONE, HEAD, Address, Frame, Item, query
from rsu_agent.ports.recognising import Recogniser, Sign


class Gat1743Sign:
    """Its question asks everybody for the colours."""

    def __init__(self, byte_s: float) -> None:
        self._deframer = Deframer(byte_s)
        self.sign = Sign()

    def receive(self, data: bytes, now_s: float) -> None:
        """Whole frames count; whoever asks is another master."""
        for found in self._deframer.receive(data, now_s):
            if not isinstance(found, Frame):
                continue
            self.sign.frames += 1
            self.sign.frame_bytes += HEAD.size + len(found.body)
            if found.operation in ASKING:
                self.sign.foreign += 1
                self.sign.notes.add(f"number {found.sender.number} asks")
            else:
                self.sign.settings |= {
                    "region": found.sender.region,
                    "controller_number": found.sender.number,
                }

    def question(self) -> bytes:
        """A query (operation 0x80)."""
        return query(Address(0, 0x8000, 1), Address(0, 0x1000, EVERYONE), Item.COLOURS, 0)


def recognisers(byte_s: float) -> Sequence[Recogniser]:
    """There is one variant."""
    return [Gat1743Sign(byte_s)]
