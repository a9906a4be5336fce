"""Every kind of record that leaves the crossing for the district: the data-flow manifest.

docs/protocol/records.md, manifest.json and the JSON Schemas are made from this table and checked for drift.
No kind has a field that could hold a picture, a number plate or a face.
"""

from __future__ import annotations

from typing import Any

from rsu_agent.outlets.kinds.box import BOX
from rsu_agent.outlets.kinds.field import Field, Kind
from rsu_agent.outlets.kinds.live import LIVE
from rsu_agent.outlets.kinds.road import ROAD
from rsu_agent.outlets.kinds.schema import conforms
from rsu_agent.outlets.kinds.signals import SIGNALS

__all__ = ["KINDS", "LANE_OF", "LIVE", "Field", "Kind", "faults"]

KINDS: tuple[Kind, ...] = (*ROAD, *SIGNALS, *BOX)
LANE_OF: dict[str, str] = {kind.kind: kind.lane for kind in KINDS}
BY_NAME: dict[str, Kind] = {kind.kind: kind for kind in (*KINDS, *LIVE)}


def faults(record: dict[str, Any]) -> list[str]:
    """What of a record is not as its kind declares it; of an unknown kind only that."""
    kind = BY_NAME.get(str(record.get("k")))
    return ["an unknown kind"] if kind is None else list(conforms(record, kind))
