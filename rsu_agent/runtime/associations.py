"""Which association the fusion works with; where the learnt one is refused, the gate, and that is told."""

from __future__ import annotations

import logging
from typing import Any, Literal

from rsu_agent.perception.learnt_association import BUNDLED, LearntAssociation
from rsu_agent.perception.life import Associate
from rsu_agent.perception.model_refused import ModelRefused
from rsu_agent.ports.assets import asset

log = logging.getLogger(__name__)


def association(
    wanted: Literal["gate", "learnt"], model: str = BUNDLED
) -> tuple[Associate | None, dict[str, Any]]:
    """(what the fusion takes, None for the gate; what `rsu doctor` shows: wanted, used, refused)."""
    if wanted == "gate":
        return None, {"wanted": wanted, "used": "gate", "refused": None}
    try:
        learnt = LearntAssociation(asset(model))
    except (ModelRefused, FileNotFoundError) as refused:
        log.error("no learnt association, detections go to tracks by the gate: %s", refused)
        return None, {"wanted": wanted, "used": "gate", "refused": str(refused)}
    log.info("detections go to tracks by the learnt association %s", model)
    return learnt, {"wanted": wanted, "used": "learnt", "refused": None}
