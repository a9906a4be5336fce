"""The profiles by name."""

from __future__ import annotations

from collections.abc import Callable

from rsu_agent.outlets.profiles.dris import dris
from rsu_agent.outlets.profiles.openv2x import openv2x
from rsu_agent.outlets.profiles.tits import tits0117, tits0180
from rsu_agent.outlets.profiles.told import Record, Teller, Told

PROFILES: dict[str, Callable[[Record, Teller], Told]] = {
    "openv2x": openv2x,
    "huawei-dris": dris,
    "tits-0117": tits0117,
    "tits-0180.1": tits0180,
}
