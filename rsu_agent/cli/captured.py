"""Messages out of a capture file (pcap, pcapng): datagrams of UDP, frames of GeoNetworking, bare messages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dpkt

from rsu_agent.settings.language import say
from rsu_agent.wire.geonet import ETHERTYPE

MAGICS = tuple(map(bytes.fromhex, ("a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1", "0a0d0d0a")))
USER_0, USER_15 = 147, 162  # link types without a meaning of their own: the packet is the message
FRAMES = {
    dpkt.pcap.DLT_EN10MB: dpkt.ethernet.Ethernet,
    dpkt.pcap.DLT_LINUX_SLL: dpkt.sll.SLL,
    dpkt.pcap.DLT_LINUX_SLL2: dpkt.sll2.SLL2,
}
BARE_IP = (101, 228, 229, dpkt.pcap.DLT_RAW)


class NoCapture(ValueError):
    """A file that begins as a capture and is none, or is cut; says where."""


def is_capture(head: bytes) -> bool:
    """Whether a file's first bytes are those of a capture."""
    return head.startswith(MAGICS)


def messages(path: Path) -> Iterator[bytes]:
    """Everything in the file that may be a message. Raises OSError, NoCapture."""
    seen = 0
    with path.open("rb") as file:
        try:
            reader = dpkt.pcap.UniversalReader(file)
            link = reader.datalink()
            for _, packet in reader:
                seen += 1
                message = _message(link, packet)
                if message:
                    yield message
        except (ValueError, dpkt.dpkt.Error) as error:
            raise NoCapture(
                say(
                    "{path}: after {seen} packets: {why}",
                    path=path,
                    seen=seen,
                    why=error or say("it is cut"),
                )
            ) from None


def _message(link: int, packet: bytes) -> bytes | None:
    """What a packet carries: a UDP payload, a GeoNetworking frame, a bare message; None: something else."""
    if USER_0 <= link <= USER_15:
        return packet
    try:
        if link in BARE_IP:
            inner = dpkt.ip6.IP6(packet) if packet[:1] >= b"\x60" else dpkt.ip.IP(packet)
        else:
            frame = FRAMES[link](packet) if link in FRAMES else None
            if frame is None or getattr(frame, "type", 0) == ETHERTYPE:
                return packet
            inner = frame.data
    except (dpkt.dpkt.Error, IndexError):
        return None
    carried = getattr(inner, "data", None)
    return bytes(carried.data) if isinstance(carried, dpkt.udp.UDP) else None
