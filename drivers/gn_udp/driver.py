"""A radio of Europe: Ethernet, GeoNetworking and BTP-B around each message, one frame a UDP datagram.

Nothing is signed: a radio that wants signed packets signs them itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.gn_udp.settings import Settings
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.datagrams import DatagramSender
from rsu_agent.ports.devices import Datagram
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.wire.geonet import PORTS, SHB_STAMP_AT, Area, Sender, frame

LARGEST = 1500  # bytes behind the Ethernet header that a channel takes (facts/radio.md 2.1)
ETHERNET_BYTES = 14
HAZARD = "DENM"


class GeoRadio:
    """ports.devices.Radio: SHB for what is said to whoever hears it, GBC around us for DENM."""

    open_receiver = None  # what comes over this link is not verified: none of it could be a witness

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        address = bytes.fromhex(settings.address.replace(":", ""))
        self._station = Sender(
            address, settings.lat_deg, settings.lon_deg, accurate=settings.position_accurate
        )
        self._area = Area(settings.lat_deg, settings.lon_deg, settings.hazard_radius_m)
        self._sequence = 0
        self._sender = DatagramSender(settings.host, settings.port, settings.interface)
        self.counters = self._sender.counters

    async def send(self, kind: str, payload: bytes) -> None:
        """One datagram. What has no BTP port, or is too large, is counted and not sent. Raises DeviceLost."""
        if kind not in PORTS:
            self.counters[f"no_port_{kind}"] += 1
            return
        data = self._frame(kind, payload)
        if len(data) - ETHERNET_BYTES > LARGEST:
            self.counters["too_large"] += 1
            return
        self._sender.send(kind, data)

    def last_word(self, kind: str, payload: bytes) -> Datagram | None:
        """The message in its headers, whose time stamp is renewed by whoever sends it."""
        if kind not in PORTS or kind == HAZARD:
            return None
        return Datagram(self._frame(kind, payload), *self._sender.address, stamp_at=SHB_STAMP_AT)

    async def drop_repeats(self) -> None:
        """This radio repeats nothing."""

    def close(self) -> None:
        """Close the socket."""
        self._sender.close()

    def _frame(self, kind: str, payload: bytes) -> bytes:
        settings, utc_s = self._settings, self._clock.utc_s()
        if kind != HAZARD:
            return frame(kind, payload, self._station, utc_s, traffic=settings.traffic_class)
        self._sequence += 1
        return frame(
            kind,
            payload,
            self._station,
            utc_s,
            traffic=settings.traffic_class_hazard,
            area=self._area,
            sequence=self._sequence,
        )


@asynccontextmanager
async def open_radio(settings: Settings, clock: Clock) -> AsyncIterator[GeoRadio]:
    """The radio. Raises DeviceLost."""
    radio = GeoRadio(settings, clock)
    try:
        yield radio
    finally:
        radio.close()


PLUGIN = Plugin("gn_udp", Kind.RADIO, Settings, open_radio, frozenset({"etsi"}))
