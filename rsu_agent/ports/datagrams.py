"""Sending UDP datagrams to one address: what radios that are reached by UDP share."""

from __future__ import annotations

import ipaddress
import socket
from collections import Counter

from rsu_agent.ports.trouble import DeviceLost


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
