"""Which MAP was on air before: its revision, and when it became another one. Survives a restart."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from rsu_agent.messages.status import RECENT_LANES, RECENT_MAP

log = logging.getLogger(__name__)
RECENT_S = 600.0  # field-rules 5.4: status bits 10 and 11 for ten minutes
REVISIONS = 128


@dataclass(frozen=True, slots=True)
class MapMemory:
    """The MAP on air. content, lanes: digests, of all and of lane numbers; the instants are UTC seconds."""

    content: str
    lanes: str
    revision: int
    content_utc_s: float
    lanes_utc_s: float

    def news(self, utc_s: float) -> tuple[int, ...]:
        """Bits of the status: whether the MAP, or its lane numbers, changed in the last ten minutes."""
        since = {RECENT_MAP: self.content_utc_s, RECENT_LANES: self.lanes_utc_s}
        return tuple(bit for bit, at_s in since.items() if 0.0 <= utc_s - at_s < RECENT_S)


def remember(path: Path | None, content: bytes, lanes: bytes, utc_s: float) -> MapMemory:
    """What is known of this MAP, with the next revision if it is another one than the file tells of.

    path None: nothing is kept. A file that cannot be read counts as another MAP; one that cannot be written
    costs a revision at the next start, not the agent.
    """
    known, digests = _read(path), (_digest(content), _digest(lanes))
    if known is not None and (known.content, known.lanes) == digests:
        return known
    same_lanes = known is not None and known.lanes == digests[1]
    memory = MapMemory(
        *digests,
        revision=(known.revision + 1) % REVISIONS if known else 1,
        content_utc_s=utc_s,
        lanes_utc_s=known.lanes_utc_s if known and same_lanes else utc_s,
    )
    if path is None:
        return memory
    try:
        draft = path.with_suffix(".part")
        draft.write_text(json.dumps(asdict(memory)))
        draft.replace(path)
    except OSError as error:
        log.warning("the MAP's revision is not kept: %s", error)
    return memory


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def _read(path: Path | None) -> MapMemory | None:
    if path is None:
        return None
    try:
        value = MapMemory(**json.loads(path.read_text()))
        good = 0 <= value.revision < REVISIONS and value.content_utc_s >= 0.0 and value.lanes_utc_s >= 0.0
    except (OSError, ValueError, TypeError):
        return None
    return value if good else None
