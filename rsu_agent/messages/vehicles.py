"""What a vehicle says of itself, from the bytes that a radio hands on: BSM of T/CSAE 53, CAM of ETSI."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rsu_agent.messages.recognise import recognise
from rsu_agent.world.heard import HeardVehicle

# SAE's BSM needs a licensed text
SET_OF = {"csae53-2020": "csae53", "ydt3709-2020": "csae53", "etsi": "etsi"}


def heard_vehicle(
    data: bytes, standard: str, received_utc_s: float, *, verified: bool
) -> HeardVehicle | None:
    """The vehicle of a message in the set of the site file; None: it says nothing of its own place.

    Raises Malformed.
    """
    name = SET_OF.get(standard)
    if name is None:
        return None
    read = recognise(data, name)
    reader = _reader(read.name)
    return None if reader is None else reader(read.value, received_utc_s, verified=verified)


def _reader(name: str) -> Callable[..., Any] | None:
    if name == "BSM":
        from rsu_agent.messages.csae53 import bsm  # a box speaks one set

        return bsm.heard
    if name == "CAM":
        from rsu_agent.messages.etsi import cam

        return cam.heard
    return None
