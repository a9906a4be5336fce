"""IntersectionStatusObject: the same sixteen bits in the SPAT of China, Europe and America."""

from __future__ import annotations

from collections.abc import Collection

from rsu_agent.messages.fields import bits
from rsu_agent.world.signal import Control, SignalOutlook

STATUS_SIZE = 16
MANUAL, FAILURE_FLASH, PREEMPT, PRIORITY, FIXED_TIME, TRAFFIC_DEPENDENT = 0, 2, 3, 4, 5, 6
STANDBY, OFF, RECENT_MAP, RECENT_LANES, NO_VALID_SPAT = 7, 9, 10, 11, 13

STATUS_OF_CONTROL: dict[Control, tuple[int, ...]] = {
    Control.FIXED_TIME: (FIXED_TIME,),
    Control.COORDINATED: (FIXED_TIME,),
    Control.ACTUATED: (TRAFFIC_DEPENDENT,),
    Control.ADAPTIVE: (TRAFFIC_DEPENDENT,),
    Control.MANUAL: (MANUAL,),
    Control.FLASH: (STANDBY,),
    Control.ALL_RED: (),
    Control.OFF: (OFF,),
    Control.UNKNOWN: (),
}
UNAVAILABLE = bits(STATUS_SIZE, NO_VALID_SPAT)


def status(outlook: SignalOutlook, map_news: Collection[int] = ()) -> tuple[bytes, int]:
    """The BIT STRING of an outlook. map_news: RECENT_MAP, RECENT_LANES or none of them (`map_news`)."""
    numbers = [*STATUS_OF_CONTROL[outlook.control], *map_news]
    numbers += [PREEMPT] * outlook.preempt + [PRIORITY] * outlook.priority
    numbers += [FAILURE_FLASH] * outlook.fault_flash
    return bits(STATUS_SIZE, *numbers)
