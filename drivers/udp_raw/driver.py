"""A radio reached by UDP: the frame as it is, one a datagram; the RSU adds its own headers and security."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.udp_raw.settings import Settings
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.devices import Datagram
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.ports.trouble import DeviceLost


class UdpRadio:
    """ports.devices.Radio over one connected socket."""

    def __init__(self, settings: Settings) -> None:
        self.counters: dict[str, int] = Counter()
        self._settings = settings
        try:
            family, kind, _, _, address = socket.getaddrinfo(
                settings.host, settings.port, type=socket.SOCK_DGRAM
            )[0]
            self._socket = socket.socket(family, kind)
            self._socket.setblocking(False)
            self._socket.connect(address)
        except OSError as error:
            raise DeviceLost("refused", f"{settings.host}: {error}", "check the RSU's address") from None

    async def send(self, kind: str, payload: bytes) -> None:
        """One datagram. An RSU that is off refuses by ICMP: the next frame is tried all the same."""
        try:
            try:
                self._socket.send(payload)
            except ConnectionRefusedError:  # tells of an earlier datagram and has sent nothing: send this one
                self.counters["refused"] += 1
                self._socket.send(payload)
            self.counters[f"sent_{kind}"] += 1
        except ConnectionRefusedError:
            self.counters["refused"] += 1
        except BlockingIOError:
            self.counters["overrun"] += 1
        except OSError as error:
            raise DeviceLost("closed", str(error)) from None

    def last_word(self, _kind: str, payload: bytes) -> Datagram:
        """The message as it is."""
        return Datagram(payload, self._settings.host, self._settings.port)

    async def drop_repeats(self) -> None:
        """This radio repeats nothing."""

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


@asynccontextmanager
async def open_radio(settings: Settings, _clock: Clock) -> AsyncIterator[UdpRadio]:
    """The radio. Raises DeviceLost."""
    radio = UdpRadio(settings)
    try:
        yield radio
    finally:
        radio.close()


PLUGIN = Plugin("udp_raw", Kind.RADIO, Settings, open_radio)
