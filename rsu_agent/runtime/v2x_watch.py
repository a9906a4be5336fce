"""Who tells of itself by radio, as metrics; and an attack on the tracks by it, as the health of a device."""

from __future__ import annotations

import logging
from collections.abc import Callable

from prometheus_client import Counter, Gauge

from rsu_agent.perception.v2x import Vehicles
from rsu_agent.world.health import DeviceHealth, DeviceState
from rsu_agent.world.road_user import V2X

log = logging.getLogger(__name__)
ATTACK, LASTS_S = "jump", 60.0
VEHICLES = Gauge(
    "rsu_v2x_vehicles", "Vehicles heard of by verified messages: tracks of ours, or not.", ["what"]
)
JUMPS = Counter("rsu_v2x_jumps_total", "Verified messages that left the tracked body of their sender.")


class V2xWatch:
    """Looks about once a second."""

    def __init__(self, tell: Callable[[DeviceHealth], None]) -> None:
        self._tell, self._jumps, self._heard = tell, 0, False

    def look(self, vehicles: Vehicles, now_s: float) -> None:
        """How it is now. Nothing is told of a box that hears nothing."""
        VEHICLES.labels("tracked").set(vehicles.matched)
        VEHICLES.labels("alone").set(vehicles.alone)
        self._heard |= bool(vehicles.matched or vehicles.alone)
        if vehicles.jumps > self._jumps:
            JUMPS.inc(vehicles.jumps - self._jumps)
            self._jumps = vehicles.jumps
            log.warning("%s says that it is not where we see it: not believed now", vehicles.attacker)
        if not self._heard:
            return
        attacked = now_s - vehicles.attacked_s < LASTS_S
        state, reason = (DeviceState.DEGRADED, ATTACK) if attacked else (DeviceState.OK, "ok")
        self._tell(DeviceHealth(V2X, state, reason, now_s, vehicles.attacker if attacked else ""))
