"""What the verbs of `rsu map` are given: a site file, or the crossing file alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import stop
from rsu_agent.messages.dsrc.map import rights_of
from rsu_agent.outlets.message_sets import Speech
from rsu_agent.settings.crossing import CrossingInvalid, read_crossing
from rsu_agent.settings.explain import SiteInvalid
from rsu_agent.settings.language import because, say
from rsu_agent.settings.read import read_site
from rsu_agent.settings.speech import speech
from rsu_agent.world.crossing import Crossing
from rsu_agent.world.place import GeoPoint

SITE_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Given:
    """A crossing and how it speaks. speech.phases are empty when only a crossing file was given."""

    crossing: Crossing
    speech: Speech

    @property
    def sets(self) -> tuple[str, ...]:
        """Message sets that its MAP can be built in: China's needs the phases of the site file."""
        return ("csae53-2020", "etsi", "j2735") if self.speech.phases else ("etsi", "j2735")


def given(path: Path, *, as_json: bool) -> Given:
    """Read it; a file that cannot be read ends the command with every fault."""
    try:
        if path.suffix in SITE_SUFFIXES:
            site = read_site(path)
            return Given(site.crossing, speech(site.settings, site.crossing))
        crossing = read_crossing(path)
    except SiteInvalid as invalid:
        _refused([str(fault) for fault in invalid.faults], as_json=as_json)
    except CrossingInvalid as invalid:
        _refused(invalid.reasons, as_json=as_json)
    except OSError as error:
        stop(Exit.FAILED, f"{path}: {because(error)}", as_json=as_json)
    arrows = frozenset(head.group for head in crossing.heads if head.shape.startswith("arrow"))
    test_ids = crossing.region == 0 or crossing.node <= 255
    identity = (crossing.node, crossing.region)
    rights = rights_of(crossing, arrows)
    return Given(crossing, Speech("etsi", identity, test_ids, {}, arrows, rights))


def point(text: str, option: str, *, as_json: bool) -> GeoPoint | None:
    """LAT,LON in degrees; nothing for an empty text."""
    if not text:
        return None
    try:
        lat, lon = (float(part) for part in text.split(","))
    except ValueError:
        lat, lon = 999.0, 999.0
    if not (abs(lat) <= 90 and abs(lon) <= 180):
        stop(
            Exit.USAGE,
            say("{option} {words}: must be LAT,LON in degrees, as 22.69,114.34", option=option, words=text),
            as_json=as_json,
        )
    return GeoPoint(lat, lon)


def _refused(reasons: list[str], *, as_json: bool) -> NoReturn:
    stop(Exit.INVALID, "\n".join(reasons), as_json=as_json, reason="invalid")
