"""How often live data go out: the site's own rates, or a lease's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

STREAMS = ("spat", "objs", "event")
MOST_HZ = 10.0


@dataclass(frozen=True, slots=True)
class Rates:
    """How often each stream goes out at most, and whether frames go along as they were sent."""

    spat_hz: float
    objs_hz: float
    event_hz: float
    frames: bool = False

    def plain(self) -> dict[str, Any]:
        """For the link between processes."""
        return {"spat": self.spat_hz, "objs": self.objs_hz, "event": self.event_hz, "frames": self.frames}

    @classmethod
    def of(cls, value: dict[str, Any]) -> Rates:
        """From `plain`. Raises KeyError, TypeError, ValueError."""
        spat, objs, event = (float(value[stream]) for stream in STREAMS)
        if not all(0.0 <= each <= MOST_HZ for each in (spat, objs, event)):
            raise ValueError("a rate beyond its bounds")
        return cls(spat, objs, event, bool(value["frames"]))
