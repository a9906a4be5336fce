"""`rsu map import`: which reader, what is written, what is told when it cannot be."""

from __future__ import annotations

import json
from pathlib import Path

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import stop
from rsu_agent.settings.crossing import CrossingInvalid, read_crossing
from rsu_agent.settings.drafting.draft import CannotDraft, Draft, document
from rsu_agent.settings.drafting.osm import draft_osm
from rsu_agent.settings.drafting.sumo import draft_sumo
from rsu_agent.settings.language import because, say
from rsu_agent.world.place import GeoPoint

OSM, SUMO = (".osm", ".osm.pbf", ".osm.bz2", ".osm.gz", ".pbf"), (".net.xml", ".net.xml.gz")


def drafted(source: Path, out: Path, at: GeoPoint | None, junction: str, *, as_json: bool) -> list[str]:
    """Draft, write, read it back; what the person must look at. Anything wrong ends the command."""
    try:
        draft = _draft(source, at, junction, as_json=as_json)
        out.write_text(json.dumps(document(draft), indent=1, ensure_ascii=False) + "\n")
        read_crossing(out)
    except ImportError:
        stop(
            Exit.FAILED,
            say("rsu map import needs more packages: pip install 'rsu-agent[maps]'"),
            as_json=as_json,
        )
    except CannotDraft as error:
        stop(Exit.FAILED, f"{source}: {error}", as_json=as_json, reason="draft")
    except CrossingInvalid as invalid:
        stop(Exit.INVALID, "\n".join(invalid.reasons), as_json=as_json, reason="invalid")
    except OSError as error:
        stop(Exit.FAILED, f"{error.filename or source}: {because(error)}", as_json=as_json)
    return draft.notes


def _draft(source: Path, at: GeoPoint | None, junction: str, *, as_json: bool) -> Draft:
    if source.name.endswith(SUMO):
        if not junction:
            stop(Exit.USAGE, say("which junction? --junction ID"), as_json=as_json)
        return draft_sumo(source, junction, at)
    if not source.name.endswith(OSM):
        known = ", ".join((*OSM, *SUMO))
        stop(
            Exit.USAGE,
            say("{source}: what is it? Names end in {known}", source=source, known=known),
            as_json=as_json,
        )
    if at is None:
        stop(Exit.USAGE, say("where is the crossing? --at LAT,LON"), as_json=as_json)
    return draft_osm(source, at)
