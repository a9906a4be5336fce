"""The virtual controller's own reading of NTCIP 2101 PMPP: SNMP messages in frames for a serial line."""

from __future__ import annotations

from dataclasses import dataclass

FLAG, ESCAPE, TURN = 0x7E, 0x7D, 0x20
UI_POLL, UI = 0x13, 0x03
STMF, T2 = 0xC1, 0xC0
CONTROLS = frozenset({UI_POLL, UI})
IPIS = frozenset({STMF, T2})
LONGEST = 4096  # octets between two flags
MOST_SHORT_ADDRESS, MOST_ADDRESS = 63, 8191
GOOD_FCS = 0xF0B8


@dataclass(frozen=True, slots=True)
class PmppFrame:
    """A frame's content. A group address is for several stations; wide: the address takes two octets."""

    address: int
    payload: bytes
    control: int = UI_POLL
    ipi: int = STMF
    group: bool = False
    wide: bool = False


def fcs_register(data: bytes) -> int:
    """FCS-16 before its last inversion: 0x8408 reflected, from FFFF; GOOD_FCS over a frame with its FCS."""
    register = 0xFFFF
    for octet in data:
        register ^= octet
        for _ in range(8):
            register = register >> 1 ^ (0x8408 if register & 1 else 0)
    return register


def build_frame(frame: PmppFrame) -> bytes:
    """The bytes between and with the flags. Raises ValueError for an address that its form cannot hold."""
    body = _address(frame) + bytes((frame.control, frame.ipi)) + frame.payload
    body += (fcs_register(body) ^ 0xFFFF).to_bytes(2, "little")
    escaped = b"".join(
        bytes((ESCAPE, octet ^ TURN)) if octet in (FLAG, ESCAPE) else bytes((octet,)) for octet in body
    )
    return bytes((FLAG,)) + escaped + bytes((FLAG,))


def _address(frame: PmppFrame) -> bytes:
    if not 0 <= frame.address <= (MOST_ADDRESS if frame.wide else MOST_SHORT_ADDRESS):
        raise ValueError(f"address {frame.address} does not fit")
    group = 2 * frame.group
    if frame.wide:
        return bytes((frame.address >> 7 << 2 | group, (frame.address & 0x7F) << 1 | 1))
    return bytes((frame.address << 2 | group | 1,))


class PmppReader:
    """Takes bytes as they come, gives whole frames; counts what it cannot read."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._open = self._turned = False
        self.bad = 0

    def feed(self, data: bytes) -> list[PmppFrame]:
        """Frames that these bytes complete."""
        frames = []
        for octet in data:
            if octet == FLAG:
                frame = self._close()
                if frame is not None:
                    frames.append(frame)
            elif self._open:
                self._keep(octet)
        return frames

    def _keep(self, octet: int) -> None:
        if octet == ESCAPE and not self._turned:
            self._turned = True
            return
        if len(self._held) <= LONGEST:  # one more than allowed tells that it was too long
            self._held.append(octet ^ TURN if self._turned else octet)
        self._turned = False

    def _close(self) -> PmppFrame | None:
        """A flag ends one frame and begins the next."""
        content, aborted, was_open = bytes(self._held), self._turned, self._open
        self._held.clear()
        self._turned, self._open = False, True
        if not was_open or not (content or aborted):
            return None
        frame = None if aborted or len(content) > LONGEST else read_content(content)
        if frame is None:
            self.bad += 1
        return frame


def read_content(content: bytes) -> PmppFrame | None:
    """What stands between two flags, escapes undone; None: not a frame of a kind that is known here."""
    if fcs_register(content) != GOOD_FCS:
        return None
    head = content[:-2]
    wide = len(head) > 1 and not head[0] & 1
    size = 2 if wide else 1
    if len(head) < size + 2 or not head[size - 1] & 1:
        return None
    address = head[0] >> 2 if not wide else head[0] >> 2 << 7 | head[1] >> 1
    control, ipi = head[size : size + 2]
    if control not in CONTROLS or ipi not in IPIS:
        return None
    return PmppFrame(address, head[size + 2 :], control, ipi, bool(head[0] & 2), wide)
