"""UDP datagrams to and from one address: what radios that are reached by UDP share."""

from __future__ import annotations

import ipaddress
import socket
from collections import Counter
from collections.abc import AsyncIterator

import anyio

from rsu_agent.ports.trouble import DeviceLost

LONGEST = 2048  # bytes; a message from the air has fewer


class DatagramSender:
    """One connected socket. interface: the address that multicast leaves by; None: as the system chooses.

    Raises DeviceLost.
    """

    def __init__(self, host: str, port: int, interface: str | None = None) -> None:
        self.counters: dict[str, int] = Counter()
        self.address = (host, port)
        try:
            family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, kind)
            self._socket.setblocking(False)
            if interface is not None and ipaddress.ip_address(address[0]).is_multicast:
                way_out = socket.inet_aton(interface)
                self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, way_out)
            self._socket.connect(address)
        except OSError as error:
            raise DeviceLost("refused", f"{host}: {error}", "check the RSU's address") from None

    @property
    def peer(self) -> str:
        """The address that datagrams go to."""
        return str(self._socket.getpeername()[0])

    def send(self, kind: str, data: bytes) -> None:
        """One datagram. An RSU that is off refuses by ICMP: the next one is tried all the same.

        Raises DeviceLost.
        """
        try:
            try:
                self._socket.send(data)
            except ConnectionRefusedError:  # tells of an earlier datagram and has sent nothing: send this one
                self.counters["refused"] += 1
                self._socket.send(data)
            self.counters[f"sent_{kind}"] += 1
        except ConnectionRefusedError:
            self.counters["refused"] += 1
        except BlockingIOError:
            self.counters["overrun"] += 1
        except OSError as error:
            raise DeviceLost("closed", str(error)) from None

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class DatagramReceiver:
    """One bound socket; what any other address sends is counted and dropped. Raises DeviceLost."""

    def __init__(self, host: str, port: int, only_from: str, counters: dict[str, int]) -> None:
        self._only_from, self._counters = only_from, counters
        try:
            family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, kind)
            self._socket.setblocking(False)
            self._socket.bind(address)
        except OSError as error:
            hint = "another program has this port: give radio.receive_port one that is free"
            raise DeviceLost("refused", f"{host}:{port}: {error}", hint) from None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await anyio.wait_readable(self._socket)
            try:
                data, address = self._socket.recvfrom(LONGEST + 1)
            except BlockingIOError:
                continue
            except OSError as error:
                raise DeviceLost("closed", str(error)) from None
            fault = "stranger" if address[0] != self._only_from else "too_long" if len(data) > LONGEST else ""
            self._counters[f"received_{fault}" if fault else "received"] += 1
            if not fault:
                yield data

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
