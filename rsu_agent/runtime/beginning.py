"""How an agent begins to speak: one plain value makes the SPAT speaker, in the core and again in replay."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rsu_agent.messages.csae53.units import Counts
from rsu_agent.outlets.message_sets import MESSAGE_SETS, RoadSpeech, Speech, guard_of, plain, speech_of
from rsu_agent.outlets.road_speaker import RoadSpeaker
from rsu_agent.outlets.spat_speaker import SpatSpeaker
from rsu_agent.ports import nouns
from rsu_agent.ports.recording import START
from rsu_agent.runtime.map_memory import MapMemory, remember
from rsu_agent.settings.read import SiteRead
from rsu_agent.version import __version__
from rsu_agent.world.crossing import Crossing

__all__ = ["START"]
MAP_FILE = "map.json"


def with_revision(
    bare: Speech, crossing: Crossing, state: Path | None, utc_s: float
) -> tuple[Speech, MapMemory]:
    """The speech with the revision of its MAP. state None: nothing is kept, it is the first MAP."""
    content = MESSAGE_SETS[bare.standard].map(bare, crossing, Counts()).content()
    lanes = json.dumps(sorted(lane.lane for lane in crossing.lanes)).encode()
    memory = remember(state and state / MAP_FILE, content, lanes, utc_s)
    return replace(bare, revision=memory.revision), memory


def beginning(site: str, said: Speech) -> dict[str, Any]:
    """All that the bytes of SPAT depend on and that no report tells; recorded as START."""
    return {"version": __version__, "nouns": nouns.version(), "site": site, **plain(said)}


def speaker_of(start: Mapping[str, Any], counts: Counts) -> SpatSpeaker:
    """The speaker as it was when the agent began. Raises KeyError, TypeError, ValueError."""
    said = speech_of(start)
    frames = MESSAGE_SETS[said.standard].spat(said, counts)
    return SpatSpeaker(frames, guard_of(said), said.standing_doubt)


def road_speaker_of(site: SiteRead, said: Speech, counts: Counts) -> RoadSpeaker:
    """The speaker of road users and hazards."""
    settings = site.settings
    kinds = {camera.name: "camera" for camera in settings.cameras}
    kinds |= {radar.name: "radar" for radar in settings.radars}
    road = RoadSpeech(settings.site.id.encode()[:8].ljust(8, b"0"), kinds, settings.hazards.event_codes)
    frames = MESSAGE_SETS[said.standard].road(said, site.crossing, road, counts)
    return RoadSpeaker(frames, settings.perception.must_cover, settings.radio.budget_kBps * 1000)
