"""What the uplink process does beside draining the outbox: commands, live data; its talk with the core."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rsu_agent.outlets.leases import Leases
from rsu_agent.outlets.outbox import Outbox
from rsu_agent.outlets.uplink_beside import Beside
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.link import Link
from rsu_agent.ports.mqtt import Broker
from rsu_agent.ports.tls import TlsFiles, credential
from rsu_agent.runtime.certificates import Certificates
from rsu_agent.runtime.commands import CommandDesk
from rsu_agent.runtime.live_sender import TOPIC, LiveSender
from rsu_agent.runtime.process import Place
from rsu_agent.settings.uplink_section import TlsSection

CLOCK = "clock"  # the core's word: is our UTC trusted, and how wrong it is at most
RATES = "live_rates"  # ours to the core: how often each stream is wanted
ASK = "asked"  # ours to the core: the district asks for a report
MOST_WAITING_BYTES = 8 << 20  # of the district's words: a thousand; the edge takes each at once


class BesideUplink:
    """One site's. `parts` go over the uplink's connection; `hear` and `tell` are its link to the core."""

    def __init__(self, place: Place, prefix: str, outbox: Outbox, clock: Clock) -> None:
        settings = place.site.settings.uplink
        assert settings is not None
        self._outbox = outbox
        self._clock, self._leases = clock, Leases(settings.live.objects_hz)
        self._link: Link | None = None
        self._told = ""  # of the certificate
        self._live = LiveSender(prefix, settings.live.kBps * 1000, clock)
        self._desk = CommandDesk(
            prefix,
            place.site.settings.site.id,
            settings.district_key,
            place.state,
            self._leases,
            clock,
            lambda record: outbox.append(record, "hi"),
            self._ask,
        )
        self.broker = Broker(
            settings.host,
            settings.port,
            identifier=f"rsu-{place.site.settings.site.id}",
            most_waiting_bytes=MOST_WAITING_BYTES,
        )
        self.certificates = Certificates(self.broker, _files(settings.tls, place.site.folder), clock)
        self.parts: list[Beside] = [self._desk, self._live, self.certificates]

    def hear(self, topic: str, noun: Any) -> None:
        """What the core says beside records."""
        if topic == CLOCK:
            told = noun if isinstance(noun, dict) else {}
            self._desk.clock_told(bool(told.get("trusted")))
            bound_s = told.get("bound_s") if told.get("trusted") else None
            self._outbox.clock_told(bound_s if bound_s is None else round(float(bound_s), 6))
        elif topic.startswith(f"{TOPIC} ") and isinstance(noun, dict):
            self._live.take(topic.removeprefix(f"{TOPIC} "), noun)

    def tell(self, link: Link) -> None:
        """Once a second to the core: the rates that hold, and how the certificate is."""
        now_s = self._clock.now_s()
        link.send(RATES, self._leases.rates(now_s).plain(), newest=True)
        health = self.certificates.health(now_s)
        if health is not None and health.reason != self._told:
            self._told = health.reason
            link.send("health", health)

    def linked(self, link: Link | None) -> None:
        """The core has come (its link), or gone."""
        self._link = link
        self._told = ""
        if link is None:
            self._outbox.clock_told(None)

    def _ask(self, what: str) -> bool:
        if self._link is None:
            return False
        self._link.send(ASK, what)
        return True


def _files(tls: TlsSection, folder: Path) -> TlsFiles | None:
    if not tls.on:
        return None
    return TlsFiles(*(credential(name, folder) for name in (tls.ca, tls.cert, tls.key)))
