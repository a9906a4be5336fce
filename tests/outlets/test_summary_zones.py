"""Radars without places: counts, speeds and occupancy of a minute; silence is told, floods are bounded."""

from __future__ import annotations

from typing import Any

from rsu_agent.outlets.summary_kinds import faults
from rsu_agent.outlets.summary_zones import MOST_READINGS, MOST_ZONES, Zones
from rsu_agent.world.spot import SpotReading

MINUTE_US = 1_790_000_040_000_000


def closed(zones: Zones) -> dict[tuple[str, Any], dict[str, Any]]:
    records = zones.close(MINUTE_US)
    assert [fault for record in records for fault in faults(record)] == []
    return {(record["d"], record["z"]): record for record in records}


def test_a_zones_minute_has_its_count_its_speeds_and_its_occupancy() -> None:
    zones = Zones()
    for n in range(1, 21):
        zones.saw(SpotReading("ss125", 1, n, float(n), 4.0 + n % 2, 0.6))
    zones.saw(SpotReading("ss125", 1, 30.0, None))
    told = closed(zones)["ss125", 1]
    assert (told["n"], told["v"], told["v85"], told["l"]) == (21, 10.5, 17.0, 4.5)
    assert told["o"] == 0.2
    assert told["t"] == MINUTE_US


def test_the_next_minute_begins_with_nobody_and_says_so() -> None:
    zones = Zones()
    zones.saw(SpotReading("rtms", 3, 1.0, 12.0, None, 0.4))
    closed(zones)
    empty = closed(zones)["rtms", 3]
    assert (empty["n"], empty["v"], empty["v85"], empty["l"], empty["o"]) == (0, None, None, None, None)


def test_speeds_without_a_zone_stand_beside_zones_of_the_same_radar() -> None:
    zones = Zones()
    zones.saw(SpotReading("ops", None, 1.0, 8.0))
    zones.saw(SpotReading("ops", 1, 1.0, 9.0))
    told = closed(zones)
    assert {key: record["v"] for key, record in told.items()} == {("ops", None): 8.0, ("ops", 1): 9.0}


def test_a_radar_that_makes_up_zones_or_floods_costs_no_memory() -> None:
    zones = Zones()
    for n in range(2 * MOST_ZONES):
        zones.saw(SpotReading("mad", n, 1.0, 1.0))
    for _ in range(2 * MOST_READINGS):
        zones.saw(SpotReading("mad", 0, 1.0, 1.0))
    told = closed(zones)
    assert len(told) == MOST_ZONES
    assert told["mad", 0]["n"] == MOST_READINGS
