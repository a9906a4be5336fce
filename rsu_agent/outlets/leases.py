"""Leases of more live data than the site's own rate: at most ten minutes, renewed or gone."""

from __future__ import annotations

import math
from typing import Any

from rsu_agent.outlets.live_rates import MOST_HZ, STREAMS, Rates
from rsu_agent.ports.command import BadCommand

LONGEST_S = 600


class Leases:
    """One lease at a time: a new one takes the place of the one before. objects_hz: the site's own rate."""

    def __init__(self, objects_hz: float) -> None:
        self._own = Rates(1.0, objects_hz, objects_hz)
        self._lease: Rates | None = None
        self._ends_s = -math.inf

    def grant(self, args: dict[str, Any], now_s: float) -> dict[str, Any]:
        """What a `live_lease` asks for; what is granted. Raises BadCommand('bad_args')."""
        if not {"kinds", "hz", "seconds"} <= set(args) <= {"kinds", "hz", "seconds", "frames"}:
            raise BadCommand("bad_args", "kinds, hz, seconds, frames")
        kinds, hz, seconds, frames = args["kinds"], args["hz"], args["seconds"], args.get("frames", False)
        if (
            not isinstance(kinds, list)
            or any(kind not in STREAMS for kind in kinds)
            or len(kinds) > len(STREAMS)
        ):
            raise BadCommand("bad_args", f"kinds are of {', '.join(STREAMS)}")
        if type(hz) is not int or not 1 <= hz <= MOST_HZ or not isinstance(frames, bool):
            raise BadCommand("bad_args", "hz is 1 to 10, frames true or false")
        if type(seconds) is not int or not 0 <= seconds <= LONGEST_S:
            raise BadCommand("bad_args", f"seconds are 0 to {LONGEST_S}")
        own = self._own
        spat, objs, event = (
            max(mine, float(hz)) if stream in kinds else mine
            for stream, mine in zip(STREAMS, (own.spat_hz, own.objs_hz, own.event_hz), strict=True)
        )
        self._lease, self._ends_s = Rates(spat, objs, event, frames), now_s + seconds
        return {"seconds": seconds, "hz": hz, "kinds": kinds}

    def rates(self, now_s: float) -> Rates:
        """What holds now."""
        if self._lease is None or now_s >= self._ends_s:
            self._lease = None
            return self._own
        return self._lease

    @property
    def leased(self) -> bool:
        """Whether a lease was running when rates were asked for last."""
        return self._lease is not None
