"""What the district holds of a run, through its own read functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rsu_agent.district.read import duplicate_facts, stored_envelopes, stored_records
from rsu_agent.outlets.outbox import read_numbers


def all_stored(outbox: Path, database: Path) -> bool:
    """Whether the district holds every number that the outbox files have given."""
    if not database.exists():
        return False
    held = stored_envelopes(database)
    return all(
        len(held.get((lane["epoch"], name), ())) >= lane["produced"]
        for name, lane in read_numbers(outbox).items()
    )


def district_facts(outbox: Path, database: Path) -> dict[str, Any]:
    """Everything that the scorer needs of both ends."""
    return {
        "numbers": read_numbers(outbox),
        "stored": stored_envelopes(database),
        "duplicates": duplicate_facts(database),
        "phase_log": stored_records(database, "phase"),
        "events": [hazard_told(record) for record in stored_records(database, "event")],
    }


def hazard_told(record: dict[str, Any]) -> dict[str, Any]:
    """An event record (rsu_agent/outlets/summary_kinds.py) in the scorer's own words."""
    named = {"t": record["t"], "kind": record["h"], "end": record.get("te"), "why": record["ev"]}
    return {**named, "x": record["x"], "y": record["y"]}
