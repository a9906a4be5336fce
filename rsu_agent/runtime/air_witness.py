"""What the core hands to the air record: ticks of SPAT with their witnesses, hazards, its clock."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from rsu_agent.outlets.air_changes import SENT, SILENT, Tick
from rsu_agent.outlets.air_record import AirRecord, Keeping, News
from rsu_agent.outlets.message_sets import MESSAGE_SETS, Speech
from rsu_agent.outlets.spat_speaker import SpatSpeaker, Spoken
from rsu_agent.ports.clock import Clock
from rsu_agent.runtime.air import Watch
from rsu_agent.runtime.map_memory import MapMemory
from rsu_agent.runtime.time_trust import TimeTrust
from rsu_agent.settings.model import Site
from rsu_agent.version import __version__
from rsu_agent.world.hazard import Hazard

RECORD_FOLDER = "air"


def record_of(site: Site, said: Speech, memory: MapMemory, state: Path, clock: Clock) -> AirRecord:
    """The air record of an agent that begins."""
    begin = {
        "site": site.site.id,
        "version": __version__,
        "standard": said.standard,
        "identity": list(said.identity),
        "phases": {str(phase): list(groups) for phase, groups in said.phases.items()},
        "map": {"revision": memory.revision, "content": memory.content},
        "config_sha256": hashlib.sha256(site.model_dump_json().encode()).hexdigest(),
    }
    section = site.recorder
    keeping = Keeping(state / RECORD_FOLDER, section.air_record_mb, section.air_record_days, site.site.id)
    return AirRecord(keeping, MESSAGE_SETS[said.standard].rules(said), begin, clock.utc_s())


class AirWitness(Watch):
    """An ear of the air that knows of each tick what became of it."""

    def __init__(self, record: AirRecord, speaker: SpatSpeaker, clock: Clock, trust: TimeTrust) -> None:
        self._record, self._speaker, self._clock, self._trust = record, speaker, clock, trust
        self._kind = speaker.frames.kind
        self._frame: bytes | None = None
        self._fate = SILENT
        self._clock_told: dict[str, Any] | None = None

    def sent(self, kind: str, frame: bytes, now_s: float) -> None:  # noqa: ARG002 - an ear is told it
        """A message has been handed to the radio."""
        if kind == self._kind:
            self._frame, self._fate = frame, SENT

    def held(self, kind: str, reason: str) -> None:
        """A message was held back: where another one left in its stead, that is what was on air."""
        if kind == self._kind and self._frame is None:
            self._fate = reason

    def spoke(self, spoken: Spoken, now_s: float) -> None:
        """A tick is over."""
        utc_s = self._clock.utc_s()
        self._tell_clock(now_s, utc_s)
        verdict, signals, witness = spoken.verdict, self._speaker.signals, self._speaker.witness
        tick = Tick(
            now_s,
            utc_s,
            self._frame,
            self._fate,
            spoken.reason,
            None if verdict is None else verdict.cause or "pass",
            "" if verdict is None else verdict.detail,
            signals.history.complete_s,
            dict(self._speaker.guard.evidence.colours),
            {group: stands.agrees for group, stands in witness.agreement(now_s).items()},
            witness.contradicted(now_s),
        )
        self._frame, self._fate = None, SILENT
        self._record.put(tick)

    def hazard(self, hazard: Hazard, offset_s: float) -> None:
        """One has begun, or ended. No identity of whoever caused it."""
        ended = hazard.ended_s is not None
        at_s = hazard.ended_s if hazard.ended_s is not None else hazard.onset_s
        value = {
            "hazard": hazard.number,
            "what": str(hazard.kind),
            "ends" if ended else "begins": round(at_s + offset_s, 3),
            "x_east_m": round(hazard.x_east_m, 1),
            "y_north_m": round(hazard.y_north_m, 1),
            "lane": hazard.lane,
            "why": hazard.evidence,
        }
        self._record.put(News("hazard", self._clock.utc_s(), value))

    def _tell_clock(self, now_s: float, utc_s: float) -> None:
        told = {"trusted": self._trust.trusted(now_s), "source": self._trust.source}
        if told == self._clock_told:
            return
        self._clock_told = told
        bound_s = self._trust.bound_s(now_s)
        value = told | {"bound_s": None if bound_s is None else round(bound_s, 4)}
        self._record.put(News("clock", utc_s, value))
