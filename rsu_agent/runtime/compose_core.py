"""The core: controller, signal logic, guard, radio; the road's messages in a branch of their own."""

from __future__ import annotations

import logging
import sys
from collections import defaultdict
from typing import Any

import anyio

from rsu_agent.messages.csae53.units import Counts
from rsu_agent.outlets.air_record import AirRecord
from rsu_agent.outlets.live_rates import Rates
from rsu_agent.outlets.message_sets import MESSAGE_SETS, Speech
from rsu_agent.outlets.spat_speaker import LINE_LOST
from rsu_agent.outlets.summary_air import ClockWord
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.devices import Radio, SignalSource, TimeSource
from rsu_agent.ports.recording import Recorder
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime import measure
from rsu_agent.runtime.air import Air
from rsu_agent.runtime.air_witness import AirWitness, record_of
from rsu_agent.runtime.beginning import (
    START,
    beginning,
    road_speaker_of,
    speaker_of,
    with_revision,
)
from rsu_agent.runtime.config_desk import ConfigDesk, config_routes
from rsu_agent.runtime.control import control_app, metrics_app
from rsu_agent.runtime.hearing import HEARD_TOPIC, Hearing
from rsu_agent.runtime.hub import Hub
from rsu_agent.runtime.live import LiveTap
from rsu_agent.runtime.log_tail import LogTail
from rsu_agent.runtime.looks import LOOKS
from rsu_agent.runtime.map_memory import MapMemory
from rsu_agent.runtime.own_voice import OwnVoice
from rsu_agent.runtime.post import Post
from rsu_agent.runtime.process import Place, run_process
from rsu_agent.runtime.roads import Roads
from rsu_agent.runtime.serve_http import listen_tcp, listen_unix, serve_http
from rsu_agent.runtime.speaking import Speaking
from rsu_agent.runtime.still_desk import StillDesk
from rsu_agent.runtime.supervise import DeviceKeeper
from rsu_agent.runtime.time_trust import TimeTrust
from rsu_agent.runtime.told import Told
from rsu_agent.runtime.topics import PROGRAMME, SCENE, SIGNAL, TIME, Board
from rsu_agent.runtime.watched import Watched
from rsu_agent.runtime.window import Window
from rsu_agent.settings.model import open_section
from rsu_agent.settings.speech import speech
from rsu_agent.world.health import DeviceHealth, DeviceState
from rsu_agent.world.heard import HeardVehicle
from rsu_agent.world.road_user import V2X, Scene
from rsu_agent.world.signal import Programme, SignalReport
from rsu_agent.world.spot import SpotReading
from rsu_agent.world.witness import HeadsSeen

log = logging.getLogger(__name__)


class Core:
    """Everything of the core, wired."""

    def __init__(self, place: Place) -> None:
        site, crossing = place.site.settings, place.site.crossing
        self.place, self.site, self.crossing = place, site, crossing
        self.clock = SystemClock()
        self.board = Board()
        ring = site.recorder
        self.recorder = Recorder(place.state / "recordings", ring.size_mb, site.site.id, ring.hours)
        self.trust = TimeTrust(site.time.drift_ppm)
        self.keepers = {
            kind: DeviceKeeper(kind, self.clock, self._device_told)
            for kind in ("controller", "radio", "time")
        }
        utc_s = self.clock.utc_s()
        said, memory = with_revision(speech(site, crossing), crossing, place.state, utc_s)
        start = beginning(site.site.id, said)
        self.recorder.record(START, self.clock.now_s(), **start, utc_s=utc_s)
        counts = Counts()
        speaker = speaker_of(start, counts)
        self.maps = MESSAGE_SETS[said.standard].map(said, crossing, counts)
        watch = Watched(said, (speaker.frames.kind, self.maps.kind), self.clock, self.trust)
        self.air = Air(self.clock, self.recorder, self.keepers["radio"], watch, site.radio.mtu_bytes)
        self.speaking = Speaking(
            speaker, self.air, self.trust, self.clock, self.recorder, place.pulse, memory
        )
        self.window = Window(
            site.site.id, said.standard, crossing, self.clock, self.speaking, self.air, self.trust
        )
        self.hub = Hub(place.run, self._from_process)
        self.post = Post(self.hub)
        self.hub.connected = self._joined
        roads = road_speaker_of(place.site, said, counts)
        self.roads = Roads(
            place.site, self.clock, self.air, self.trust, self.post, self.window, roads, self.recorder
        )
        self.hearing = self._ears(said)
        self.others = measure.OtherProcesses()
        self.hub.gone = self._left
        self._served: defaultdict[str, set[str]] = defaultdict(set)  # devices of each process
        self.stills = StillDesk(self.hub, place.state, self.roads.still)
        self.config, self.log = ConfigDesk(place.site.path, place.state), LogTail(place.site.files)
        logging.getLogger().addHandler(self.log)
        self.told = self._telling(said, memory)
        self.live = self._tap(said)
        self.air_record = self._kept(said, memory)
        self._contradicted: frozenset[int] = frozenset()
        place.from_parent.append(self._from_parent)

    def _ears(self, said: Speech) -> Hearing:
        """What comes in by radio: of vehicles, and of our own name."""
        rules, kind = MESSAGE_SETS[said.standard].rules(said), self.speaking.speaker.frames.kind
        own = OwnVoice(lambda frame: rules.read(frame, None), kind, said.identity, self._device_told)
        self.air.ears.append(own)
        return Hearing(said.standard, self.clock, self.trust, self._device_told, self._forward, own.overheard)

    def _telling(self, said: Speech, memory: MapMemory) -> Told:
        """What the district is told of the agent itself."""
        signals = self.speaking.speaker.signals
        told = Told(
            self.place.site,
            self.place.state,
            said,
            memory,
            (self.speaking.speaker.frames.kind, self.maps.kind),
            self.clock,
            self.post,
            self._clock_word,
            lambda: (signals.end_error_p95_s, signals.history.report_period_s),
            self._vouch,
        )
        self.air.ears.append(told)
        self.speaking.ticked = told.quality.tick
        return told

    def _tap(self, said: Speech) -> LiveTap:
        """Live data for the district, of what goes on air."""
        hz = 0.0 if self.site.uplink is None else self.site.uplink.live.objects_hz
        tap = LiveTap(
            said.standard,
            self.speaking.speaker.frames.kind,
            MESSAGE_SETS[said.standard].rules(said),
            Rates(1.0, hz, hz),
            self.clock,
            self.trust,
            lambda topic, body: self.hub.send("uplink", topic, body, newest=True),
        )
        if self.site.uplink is not None:
            self.air.ears.append(tap)
        return tap

    def _kept(self, said: Speech, memory: MapMemory) -> AirRecord:
        """The air record, told of every tick and hazard."""
        record = record_of(self.site, said, memory, self.place.state, self.clock)
        witness = AirWitness(record, self.speaking.speaker, self.clock, self.trust)
        self.air.ears.append(witness)
        self.speaking.spoke, self.roads.hazard_news = witness.spoke, witness.hazard
        return record

    def _vouch(self, trusted: bool) -> None:
        """Tell the uplink process whether our clock may be believed: commands and age are judged by it."""
        bound_s = self.trust.bound_s(self.clock.now_s()) if trusted else None
        self.hub.send("uplink", "clock", {"trusted": trusted, "bound_s": bound_s}, newest=True)

    def _clock_word(self) -> ClockWord:
        now_s = self.clock.now_s()
        controller_s = self.window.controller_clock.offset_s
        bound_s = self.trust.bound_s(now_s)
        return ClockWord(self.trust.trusted(now_s), bound_s, self.trust.source, controller_s)

    async def run(self) -> None:
        """Until cancelled."""
        site = self.site
        metrics = listen_tcp(site.metrics.host, site.metrics.port)
        control = listen_unix(self.place.run / "ctl.sock")
        log.info("metrics at http://%s:%d/metrics", *metrics.getsockname()[:2])
        (self.place.run / "metrics.port").write_text(str(metrics.getsockname()[1]))
        try:
            async with anyio.create_task_group() as tasks:
                start = tasks.start_soon
                start(
                    self.keepers["controller"].keep,
                    lambda: open_section(site.controller, self.clock),
                    self._controller,
                )
                start(self.keepers["radio"].keep, lambda: open_section(site.radio, self.clock), self._radio)
                start(self.keepers["time"].keep, lambda: open_section(site.time, self.clock), self._time)
                start(self.speaking.run)
                start(self.speaking.run_map, self.maps)
                start(self.hub.run)
                start(self.roads.run)
                start(self.told.run)
                app = control_app(self.window, self.stills, config_routes(self.config), self.log)
                start(serve_http, app, control, app.state.streams)
                start(serve_http, metrics_app(self._metrics, self.window.healthy), metrics)
        finally:
            self.air_record.close()
            self.recorder.close()

    async def _controller(self, reports: SignalSource) -> None:
        """Every report goes to the guard and the predictor at once; changes go into the phase log."""
        if hasattr(reports, "tap"):
            reports.tap = self._line
        try:
            async for item in reports:
                self.keepers["controller"].serving()
                self._record(item)
                edges = self.speaking.saw(item)
                if edges:
                    await self.speaking.speak_due()
                now_s = self.clock.now_s()
                if isinstance(item, Programme):
                    self.board.post(PROGRAMME, item, now_s)
                else:
                    self.board.post(SIGNAL, item, now_s)
                    self.window.lamp_changes.report(item)
                    self._compare_clock(item)
                    self.roads.saw_lamps(item)
                self.roads.saw_edges(edges, now_s)
        except DeviceLost:
            self.speaking.doubt(LINE_LOST)
            raise

    def _line(self, direction: str, data: bytes, at_s: float) -> None:
        """Bytes of the controller's line, for whoever looks and for the black box."""
        self.window.tap(direction, data, at_s)
        self.recorder.record("/line", at_s, dir=direction, data=data)

    async def _radio(self, radio: Radio) -> None:
        """What we say and what we hear; the line in may be lost without the one out. Raises DeviceLost."""
        lost = DeviceLost("closed")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.hearing.listen, radio)
            try:
                await self.air.use(radio)
            except DeviceLost as trouble:
                lost = trouble
            tasks.cancel_scope.cancel()
        raise lost

    def _forward(self, vehicle: HeardVehicle) -> None:
        self.hub.send("senses", f"{HEARD_TOPIC} {vehicle.id}", vehicle, newest=True)

    def _metrics(self) -> str:
        self.speaking.measure_witness()
        measure.recorder(self.recorder)
        return measure.page(self.others)

    def _compare_clock(self, report: SignalReport) -> None:
        now_s, utc_s = self.clock.now_s(), self.clock.utc_s()
        self.window.controller_clock.saw(report, utc_s - now_s if self.trust.trusted(now_s) else None)

    async def _time(self, readings: TimeSource) -> None:
        async for quality in readings:
            self.keepers["time"].serving()
            self.trust.read(quality)
            self.board.post(TIME, quality, self.clock.now_s())

    def _record(self, item: Any) -> None:
        topic = "/programme" if isinstance(item, Programme) else "/report"
        self.recorder.record(topic, self.clock.now_s(), noun=item)

    def _device_told(self, health: DeviceHealth) -> None:
        self._device(health.device, health)

    def _device(self, kind: str, health: DeviceHealth) -> None:
        known = self.window.devices.get(health.device)
        if known and (known[1].state, known[1].reason) == (health.state, health.reason):
            return
        self.window.devices[health.device] = kind, health
        self.roads.device(health)

    def _from_process(self, role: str, topic: str, noun: Any) -> None:
        """News from senses and uplink."""
        match topic, noun:
            case "scene", Scene():
                self.board.post(SCENE, noun, self.clock.now_s())
                self.roads.scene(noun)
            case "spot", SpotReading():
                self.roads.spotted(noun)
            case _, HeadsSeen():
                self._heads(noun)
            case "health", DeviceHealth():
                self._served[role].add(noun.device)
                self._device(role if role == "uplink" else _kind_of(self.site, noun.device), noun)
            case "metrics", str():
                self.others.hear(role, noun)
            case "committed", list():
                self.post.committed(noun)
            case "status", dict():
                self.window.uplink = noun
            case topic, dict() if topic == LOOKS:
                self.window.looks = noun
            case "detector", dict():
                self.window.detector = noun
            case "association", dict():
                self.window.association = noun
            case "still", dict():
                self.stills.told(noun)
            case "live_rates", dict():
                self.live.rates_told(noun)
            case "asked", "report":
                self.told.report()

    def _heads(self, seen: HeadsSeen) -> None:
        """Lamps seen: they can take colours away, and whose was taken is an alarm."""
        self.speaking.saw_heads(seen)
        self.window.lamp_changes.heads(seen)
        now_s = self.clock.now_s()
        contradicted = self.speaking.speaker.witness.contradicted(now_s)
        for group in contradicted ^ self._contradicted:
            bad = group in contradicted
            state, reason = (DeviceState.DEGRADED, "contradicted") if bad else (DeviceState.OK, "ok")
            self._device("lamps", DeviceHealth(f"lamps-{group}", state, reason, now_s))
            log.warning(
                "lamp group %d: cameras %s", group, "contradict the controller" if bad else "agree again"
            )
        self._contradicted = contradicted

    def _joined(self, role: str) -> None:
        log.info("%s has joined", role)
        if role == "uplink":
            self.post.connected()
            self._vouch(self._clock_word().trusted)

    def _left(self, role: str) -> None:
        """Its process has ended: what it measured, and how its devices were, is not true any more."""
        self.others.gone(role)
        if role == "uplink":
            self.window.uplink = None
        if role == "senses":
            self.window.looks = {}
        for kind, health in list(self.window.devices.values()):
            if health.device in self._served.get(role, ()):
                lost = DeviceHealth(health.device, DeviceState.LOST, "process_gone", self.clock.now_s())
                self._device(kind, lost)

    def _from_parent(self, message: dict[str, Any]) -> None:
        if message.get("kind") == "last_word_spoken":
            self.speaking.doubt("last_word")


def _kind_of(site: Any, device: str) -> str:
    if device == V2X:
        return V2X
    return "camera" if any(camera.name == device for camera in site.cameras) else "radar"


async def body(place: Place) -> None:
    """The core process."""
    await Core(place).run()


if __name__ == "__main__":
    sys.exit(run_process("core", body))
