"""Recognising NTCIP 1202 in PMPP frames on a line."""

from __future__ import annotations

from collections.abc import Sequence

from drivers.ntcip1202 import oids, pmpp, snmp
from drivers.ntcip1202.ber import Malformed
from rsu_agent.ports.recognising import Recogniser, Sign


class PmppSign:
    """Its question asks station 1 for the flash status."""

    def __init__(self, byte_s: float) -> None:
        self._deframer = pmpp.Deframer(byte_s)
        self.sign = Sign()

    def receive(self, data: bytes, now_s: float) -> None:
        """Whole messages count; whoever asks is another master."""
        for found in self._deframer.receive(data, now_s):
            if not isinstance(found, pmpp.Frame):
                continue
            try:
                message = snmp.parse(found.payload)
            except Malformed:
                self.sign.notes.add("frames without SNMPv1 in them")
                continue
            self.sign.frames += 1
            self.sign.frame_bytes += len(found.payload)
            self.sign.settings["address"] = found.address
            if message.kind in snmp.REQUESTS:
                self.sign.foreign += 1
                self.sign.notes.add(f"another host asks station {found.address}")

    def question(self) -> bytes:
        """A GetRequest."""
        return pmpp.framed(1, snmp.get("public", 1, [oids.FLASH_STATUS]))


def recognisers(byte_s: float) -> Sequence[Recogniser]:
    """There is one variant."""
    return [PmppSign(byte_s)]
