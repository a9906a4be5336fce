"""How a site speaks: what its settings and its crossing come to in the message set that it names."""

from __future__ import annotations

from rsu_agent.messages.dsrc.map import rights_of
from rsu_agent.messages.dsrc.units import Edition
from rsu_agent.outlets.message_sets import Speech
from rsu_agent.settings.model import Site
from rsu_agent.world.crossing import Crossing


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
    )
