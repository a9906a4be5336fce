"""The district keeps each kind of record as long as the data-flow manifest says, no longer and no shorter."""

from __future__ import annotations

import pytest

from rsu_agent.district.facts import KEEP_DAYS, KNOWN_KINDS, table_of
from rsu_agent.outlets.summary_kinds import KINDS, Kind


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_a_kind_is_kept_as_long_as_the_manifest_says(kind: Kind) -> None:
    assert KEEP_DAYS[table_of(kind.kind)] == kind.district_days
    assert kind.kind in KNOWN_KINDS


def test_the_tables_are_those_of_the_layout_with_their_days() -> None:
    days = {"event": 730, "flow": 400, "phase": 100, "health": 200, "audit": 400, "other": 200}
    assert list(KEEP_DAYS.items()) == list(days.items())
