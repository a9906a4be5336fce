"""Recognising GB/T 20999 on a line: checksums, escapes, length conventions, numbers, other masters."""

from __future__ import annotations

from collections.abc import Sequence

from drivers.gbt20999 import ids
from drivers.gbt20999.link import deframer
from drivers.gbt20999.wire import FOREIGN_KINDS, Checksum, Dialect, Frame, Identity, Kind, query
from rsu_agent.ports.recognising import Recogniser, Sign

AROUND_BYTES = 17


class Gbt20999Sign:
    """One dialect; its question asks for the run mode and the number of lamp groups."""

    def __init__(self, dialect: Dialect, byte_s: float) -> None:
        self._dialect = dialect
        self._deframer = deframer(dialect, byte_s, datagrams=False)
        self.sign = Sign()
        if dialect.checksum is not Checksum.X1005:
            self.sign.settings["checksum"] = dialect.checksum.value
        if not dialect.escaped:
            self.sign.settings["escape"] = "off"
        if not dialect.length_counts_checksum:
            self.sign.settings["length"] = "without_checksum"

    def receive(self, data: bytes, now_s: float) -> None:
        """Whole frames count; whoever asks or sets is another master."""
        for found in self._deframer.receive(data, now_s):
            if not isinstance(found, Frame):
                continue
            sign = self.sign
            sign.frames += 1
            sign.frame_bytes += AROUND_BYTES + sum(6 + len(value.data) for value in found.values)
            sign.notes.add(f"version {found.version:04x}")
            if found.kind in FOREIGN_KINDS or found.kind == Kind.HEARTBEAT_REPLY:
                sign.foreign += 1
                sign.notes.add(f"host {found.host} asks")
            elif found.kind in (Kind.REPLY, Kind.ERROR_REPLY, Kind.TRAP, Kind.HEARTBEAT_QUERY):
                sign.settings["controller_id"] = found.controller
                lamps = [value for value in found.values if value.address[:3] == ids.LAMP(1)[:3]]
                if lamps:
                    sign.notes.add("lamp states are told")

    def question(self) -> bytes:
        """A query (type 0x10)."""
        return query(Identity(), 1, [ids.RUN_MODE(1), ids.GROUP_COUNT], self._dialect)


def recognisers(byte_s: float) -> Sequence[Recogniser]:
    """Both checksums; asked in both length conventions; without escapes too."""
    dialects = [Dialect(checksum) for checksum in Checksum]
    dialects += [Dialect(length_counts_checksum=False), Dialect(escaped=False)]
    return [Gbt20999Sign(dialect, byte_s) for dialect in dialects]
