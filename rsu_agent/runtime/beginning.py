"""How an agent begins to speak: one plain value makes the SPAT speaker, in the core and again in replay."""

from __future__ import annotations

from typing import Any

from rsu_agent.messages.csae53.units import Counts
from rsu_agent.outlets.spat_speaker import SpatSpeaker
from rsu_agent.ports import nouns
from rsu_agent.settings.read import SiteRead
from rsu_agent.version import __version__

START = "/start"


def beginning(site: SiteRead) -> dict[str, Any]:
    """All that the bytes of SPAT depend on and that no report tells; recorded as START."""
    settings, crossing = site.settings, site.crossing
    return {
        "version": __version__,
        "nouns": nouns.version(),
        "site": settings.site.id,
        "phases": [[phase, list(groups)] for phase, groups in settings.signals.phases.items()],
        "arrows": list(settings.signals.lamps.arrow),
        "identity": [crossing.node, crossing.region],
        "test_ids": settings.crossing.ids == "test",
    }


def speaker_of(start: dict[str, Any], counts: Counts) -> SpatSpeaker:
    """The speaker as it was when the agent began. Raises KeyError, TypeError, ValueError."""
    node, region = start["identity"]
    return SpatSpeaker(
        {phase: tuple(groups) for phase, groups in start["phases"]},
        start["arrows"],
        (node, region),
        test_ids=start["test_ids"],
        counts=counts,
    )
