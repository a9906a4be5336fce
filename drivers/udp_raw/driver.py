"""A radio reached by UDP: one message as it is a datagram, both ways; the RSU adds headers and security."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.udp_raw.settings import Settings
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.datagrams import DatagramReceiver, DatagramSender
from rsu_agent.ports.devices import Datagram, Received
from rsu_agent.ports.plugins import Kind, Plugin


class UdpRadio:
    """ports.devices.Radio."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sender = DatagramSender(settings.host, settings.port)
        self.open_receiver = None if settings.receive_port is None else self._receiver
        self.counters = self._sender.counters

    async def send(self, kind: str, payload: bytes) -> None:
        """One datagram. Raises DeviceLost."""
        self._sender.send(kind, payload)

    def last_word(self, _kind: str, payload: bytes) -> Datagram:
        """The message as it is."""
        return Datagram(payload, *self._sender.address)

    async def drop_repeats(self) -> None:
        """This radio repeats nothing."""

    @asynccontextmanager
    async def _receiver(self) -> AsyncIterator[AsyncIterator[Received]]:
        settings, peer = self._settings, self._sender.peer
        verified = settings.forwards == "verified"
        assert settings.receive_port is not None
        receiver = DatagramReceiver(settings.receive_host, settings.receive_port, peer, self.counters)
        try:
            yield (Received(data, verified) async for data in receiver)
        finally:
            receiver.close()

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
