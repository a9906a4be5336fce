"""How a site speaks: what its settings and its crossing come to in the message set that it names."""

from __future__ import annotations

from rsu_agent.messages.dsrc.map import rights_of
from rsu_agent.messages.dsrc.units import Edition
from rsu_agent.outlets.message_sets import Speech
from rsu_agent.ports.plugins import plugins
from rsu_agent.settings.model import Site
from rsu_agent.world.crossing import Crossing
from rsu_agent.world.signal import Grade


def speech(settings: Site, crossing: Crossing) -> Speech:
    """As the outlets take it, before the revision of the MAP is known."""
    arrows = frozenset(settings.signals.lamps.arrow)
    return Speech(
        standard=settings.radio.standard,
        identity=(crossing.node, crossing.region),
        test_ids=settings.crossing.ids == "test",
        phases={phase: tuple(groups) for phase, groups in settings.signals.phases.items()},
        arrows=arrows,
        rights=rights_of(crossing, arrows),
        station=settings.etsi.station_id,
        edition=Edition(str(settings.j2735.edition)),
        standing_doubt=_standing_doubt(settings),
        never=tuple((one, other) for one, other in settings.signals.conflicts.never),
        if_permissive=tuple((one, other) for one, other in settings.signals.conflicts.if_permissive),
    )


def _standing_doubt(settings: Site) -> str | None:
    """A source of grade C is on air only where the site file says so (field-rules 1.5)."""
    grade = plugins()[settings.controller.driver].grade
    return "slow_source" if grade is Grade.C and not settings.signals.slow_source_on_air else None
