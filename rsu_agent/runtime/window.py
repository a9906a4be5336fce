"""What can be looked at from outside: plain JSON values made from the core's state when asked."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rsu_agent.messages.recognise import recognise
from rsu_agent.messages.standards import set_of
from rsu_agent.outlets.guard_table import TABLE
from rsu_agent.perception.lamp_changes import LampChanges
from rsu_agent.ports.clock import Clock
from rsu_agent.runtime.air import Air
from rsu_agent.runtime.controller_clock import ControllerClock
from rsu_agent.runtime.line_tap import LineTap
from rsu_agent.runtime.looks import aged
from rsu_agent.runtime.speaking import Speaking
from rsu_agent.runtime.time_trust import TimeTrust
from rsu_agent.world.crossing import Crossing
from rsu_agent.world.hazard import Hazard
from rsu_agent.world.health import DeviceHealth
from rsu_agent.world.road_user import Scene

SCENE_SHOWN_S = 1.0  # older scenes are not shown as the present


class Window:
    """A read-only view of the core."""

    def __init__(
        self,
        site: str,
        standard: str,
        crossing: Crossing,
        clock: Clock,
        speaking: Speaking,
        air: Air,
        trust: TimeTrust,
    ) -> None:
        self._site, self._standard, self._crossing, self._clock = site, standard, crossing, clock
        self._speaking, self._air, self._trust = speaking, air, trust
        self.devices: dict[str, tuple[str, DeviceHealth]] = {}
        self.scene: Scene | None = None
        self.hazards: tuple[Hazard, ...] = ()
        self.uplink: dict[str, Any] | None = None
        self.detector: dict[str, Any] | None = None
        self.association: dict[str, Any] | None = None
        self.looks: dict[str, Any] = {}
        self.controller_clock = ControllerClock()
        self.lamp_changes = LampChanges()
        self.tap = LineTap()

    def status(self) -> dict[str, Any]:
        """Everything but the road users themselves."""
        state = self.live()
        state["users"] = len(state["users"])
        state["detector"] = self.detector
        state["association"] = self.association
        signals = self._speaking.speaker.signals
        state["signal"]["end_error_p95_s"] = signals.end_error_p95_s
        state["signal"]["report_period_s"] = round(signals.history.report_period_s, 4)
        return state

    def live(self) -> dict[str, Any]:
        """What changes ten times a second."""
        now_s = self._clock.now_s()
        return {
            "site": self._site,
            "utc_ms": round(self._clock.utc_s() * 1000),
            "spat": self._spat(),
            "signal": self._signal(now_s),
            "witness": self._witness(now_s),
            "users": self._users(now_s),
            "hazards": [self._hazard(hazard, now_s) for hazard in self.hazards],
            "devices": [self._device(kind, health, now_s) for kind, health in self.devices.values()],
            "radio": {
                "sent": self._air.sent.total(),
                "failed": self._air.failed,
                "kinds": dict(self._air.sent),
            },
            "uplink": self.uplink,
            "clock": self._clock_state(now_s),
        }

    def crossing(self) -> dict[str, Any]:
        """The geometry, in metres."""
        return asdict(self._crossing)

    def messages(self) -> dict[str, Any]:
        """The last message of each kind, decoded, with its bytes."""
        now_s = self._clock.now_s()
        return {
            kind: {"age_s": round(now_s - at_s, 2), "hex": frame.hex(), **self._read(frame)}
            for kind, (at_s, frame) in self._air.last.items()
        }

    def _read(self, frame: bytes) -> dict[str, Any]:
        read = recognise(frame, set_of(self._standard))
        return {"message": read.name, "value": _plain(read.value)}

    def guard(self) -> dict[str, Any]:
        """The guard's table and its counts."""
        speaker = self._speaking.speaker
        return {
            "table": [asdict(row) for row in TABLE],
            "voice": speaker.doubts.voice,
            "judged": dict(speaker.guard.counters),
            "evidence": dict(speaker.guard.evidence.counters),
            "speaker": dict(speaker.counters),
        }

    def changes(self) -> dict[str, Any]:
        """The newest changes of lamps, as told and as seen, with their monotonic seconds."""
        return self.lamp_changes.plain()

    def line(self, after: int | None) -> tuple[int, list[dict[str, Any]]]:
        """What passed on the controller's line since somebody asked last."""
        return self.tap.after(after)

    def senses(self) -> dict[str, Any]:
        """What each sensor sees, and how it is."""
        now_s, scene = self._clock.now_s(), self.scene
        return {
            "looks": aged(self.looks, now_s),
            "sensors": [] if scene is None else [asdict(sensor) for sensor in scene.sensors],
            "scene_age_s": None if scene is None else round(now_s - scene.at_s, 2),
        }

    def healthy(self) -> tuple[bool, str]:
        """For /healthz: whether SPAT is said or is rightly not said."""
        newest = self._speaking.newest
        if newest is None:
            return False, "starting"
        return newest.valid, "ok" if newest.valid else f"unavailable: {newest.reason}"

    def _spat(self) -> dict[str, Any]:
        newest = self._speaking.newest
        return {
            "valid": bool(newest and newest.valid),
            "reason": newest.reason if newest else "starting",
            "voice": self._speaking.speaker.doubts.voice,
            "sent": self._air.sent[self._speaking.speaker.frames.kind],
        }

    def _signal(self, now_s: float) -> dict[str, Any]:
        newest = self._speaking.newest  # looking must not move the prediction: its misses count
        outlook = newest.outlook if newest else self._speaking.speaker.signals.outlook(now_s)
        complete_s = self._speaking.speaker.signals.history.complete_s
        return {
            "control": outlook.control,
            "plan": outlook.plan,
            "stage": outlook.stage,
            "age_s": None if complete_s is None else round(now_s - complete_s, 3),
            "groups": [
                {
                    "group": group.group,
                    "colour": group.colour,
                    "end_in_s": None if group.likely_end_s is None else round(group.likely_end_s - now_s, 2),
                    "confidence": group.confidence,
                }
                for group in outlook.groups
            ],
        }

    def _witness(self, now_s: float) -> list[dict[str, Any]]:
        """How cameras and controller agree, for each group that a camera watches."""
        return [
            {
                "group": group,
                "agrees": stands.agrees,
                "age_s": None if stands.seen_s is None else round(now_s - stands.seen_s, 2),
                "contradicted": stands.contradicted,
            }
            for group, stands in self._speaking.speaker.witness.agreement(now_s).items()
        ]

    def _users(self, now_s: float) -> list[dict[str, Any]]:
        scene = self.scene
        if scene is None or now_s - scene.at_s > SCENE_SHOWN_S:
            return []
        return [
            {
                "track": user.track,
                "kind": user.kind,
                "x": round(user.x_east_m, 2),
                "y": round(user.y_north_m, 2),
                "vx": round(user.vx_east_mps, 2),
                "vy": round(user.vy_north_mps, 2),
                "speed": round(user.speed_mps, 2),
                "heading": None if user.heading_deg is None else round(user.heading_deg, 1),
                "length": user.length_m,
                "width": user.width_m,
            }
            for user in scene.users
        ]

    def _hazard(self, hazard: Hazard, now_s: float) -> dict[str, Any]:
        return {
            "number": hazard.number,
            "kind": hazard.kind,
            "x": round(hazard.x_east_m, 2),
            "y": round(hazard.y_north_m, 2),
            "for_s": round(now_s - hazard.onset_s, 1),
            "evidence": hazard.evidence,
        }

    def _device(self, kind: str, health: DeviceHealth, now_s: float) -> dict[str, Any]:
        return {
            "device": health.device,
            "kind": kind,
            "state": health.state,
            "reason": health.reason,
            "for_s": round(now_s - health.since_s, 1),
            "detail": health.detail,
        }

    def _clock_state(self, now_s: float) -> dict[str, Any]:
        bound_s = self._trust.bound_s(now_s)
        return {
            "trusted": self._trust.trusted(now_s),
            "bound_ms": None if bound_s is None else round(bound_s * 1000, 3),
            "source": self._trust.source,
            "controller_offset_s": _rounded(self.controller_clock.offset_s),
            "controller_shows": self.controller_clock.named,
        }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)


def _plain(value: Any) -> Any:
    """A decoded message as JSON: bytes as hex, choices as {name: value}."""
    match value:
        case bytes():
            return value.hex()
        case (str(name), inner):
            return {name: _plain(inner)}
        case (bytes(raw), int(size)):
            return {"bits": f"{int.from_bytes(raw, 'big') >> (-size & 7):0{size}b}"}
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
    return value
