"""A radio reached by UDP: the frame as it is, one a datagram; the RSU adds its own headers and security."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.udp_raw.settings import Settings
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.datagrams import DatagramSender
from rsu_agent.ports.devices import Datagram
from rsu_agent.ports.plugins import Kind, Plugin


class UdpRadio:
    """ports.devices.Radio."""

    def __init__(self, settings: Settings) -> None:
        self._sender = DatagramSender(settings.host, settings.port)
        self.counters = self._sender.counters

    async def send(self, kind: str, payload: bytes) -> None:
        """One datagram. Raises DeviceLost."""
        self._sender.send(kind, payload)

    def last_word(self, _kind: str, payload: bytes) -> Datagram:
        """The message as it is."""
        return Datagram(payload, *self._sender.address)

    async def drop_repeats(self) -> None:
        """This radio repeats nothing."""

    def close(self) -> None:
        """Close the socket."""
        self._sender.close()


@asynccontextmanager
async def open_radio(settings: Settings, _clock: Clock) -> AsyncIterator[UdpRadio]:
    """The radio. Raises DeviceLost."""
    radio = UdpRadio(settings)
    try:
        yield radio
    finally:
        radio.close()


PLUGIN = Plugin("udp_raw", Kind.RADIO, Settings, open_radio)
