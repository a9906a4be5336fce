"""What the core tells the district of itself: versions, configuration, what it says, clock, load."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rsu_agent.outlets.message_sets import Speech
from rsu_agent.outlets.summary_air import AirQuality, ClockWord
from rsu_agent.ports.clock import Clock
from rsu_agent.runtime.air import Watch
from rsu_agent.runtime.box_load import box_load
from rsu_agent.runtime.map_memory import MapMemory
from rsu_agent.runtime.post import Post
from rsu_agent.settings.read import SiteRead, find
from rsu_agent.version import __version__

SECOND_S = 1.0
MINUTE_S = 60.0
Record = dict[str, Any]
Measures = Callable[[], tuple[float | None, float | None]]


class Told(Watch):
    """One of the ears of the air. clock_word: what is known of the clocks now.

    tell_uplink: told every second whether our clock is trusted, for the commands that it judges.
    measures: the error of foretold ends (95th percentile, s) and the period of the controller's reports (s).
    """

    def __init__(
        self,
        site: SiteRead,
        state: Path,
        said: Speech,
        memory: MapMemory,
        kinds: tuple[str, str],
        clock: Clock,
        post: Post,
        clock_word: Callable[[], ClockWord],
        measures: Measures,
        tell_uplink: Callable[[bool], object] = lambda _trusted: None,
    ) -> None:
        self._tell_uplink = tell_uplink
        self._site, self._state, self._clock, self._post = site, state, clock, post
        self._clock_word, self._measures = clock_word, measures
        self._on_air = {"r": memory.revision, "sha": memory.content}
        self.quality = AirQuality(*kinds, clock.now_s())
        self._base, self._cfg = _base(site, said), _cfg(site, memory)

    def sent(self, kind: str, frame: bytes, _now_s: float) -> None:
        """A frame went on air."""
        self.quality.sent(kind, len(frame))

    def held(self, kind: str, reason: str) -> None:
        """A frame was held back."""
        self.quality.held(kind, reason)

    def report(self) -> None:
        """Versions, configuration and clock, now: at the start and when the district asks."""
        stamp = {"t": round(self._clock.utc_s() * 1e6)}
        self._post.put([{"k": "base", **stamp, **self._base}, {"k": "cfg", **stamp, **self._cfg}])
        self._post.put(self.quality.clock(self._clock_word(), self._clock.utc_s(), due=True))

    async def run(self) -> None:
        """For ever."""
        self.report()
        minute_s = self._clock.now_s()
        while True:
            await self._clock.sleep(SECOND_S)
            now_s, utc_s = self._clock.now_s(), self._clock.utc_s()
            due, word = now_s - minute_s >= MINUTE_S, self._clock_word()
            self._tell_uplink(word.trusted)
            self._post.put(self.quality.clock(word, utc_s, due=due))
            self._post.put(self.quality.minute(now_s, utc_s, *self._measures(), self._on_air))
            if due:
                minute_s = now_s
                self._post.put([{"k": "run", "t": round(utc_s * 1e6), **box_load(self._state)}])


def _base(site: SiteRead, said: Speech) -> Record:
    settings, (node, region) = site.settings, said.identity
    drivers = {settings.controller.driver, settings.radio.driver, settings.time.driver}
    drivers |= {camera.driver for camera in settings.cameras} | {radar.driver for radar in settings.radars}
    origin = site.crossing.origin
    return {
        "ver": __version__,
        "py": platform.python_version(),
        "os": f"{sys.platform} {platform.release()} {platform.machine()}",
        "std": said.standard,
        "node": node,
        "rg": region,
        "lat": origin.lat_deg,
        "lon": origin.lon_deg,
        "dr": sorted(drivers),
    }


def _cfg(site: SiteRead, memory: MapMemory) -> Record:
    """Read once, at the start: what is changed on disk afterwards is not in force."""
    settings = site.settings
    detector = settings.perception.detector
    return {
        "conf": _sha256(*site.files),
        "map": _sha256(find(site.folder, settings.crossing.file)),
        "air": memory.content,
        "rev": memory.revision,
        "model": None if detector is None else _sha256(find(site.folder, detector.model)),
    }


def _sha256(*paths: Path) -> str:
    """Of files one after the other; `unreadable` where one has gone since it was read."""
    digest = hashlib.sha256()
    try:
        for path in paths:
            with path.open("rb") as file:
                hashlib.file_digest(file, lambda: digest)
    except OSError:
        return "unreadable"
    return digest.hexdigest()
