"""Plug-ins: how a driver says what it is, and how it is found (entry points `rsu_agent.drivers`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from rsu_agent.ports.clock import Clock
from rsu_agent.ports.declare import Declared
from rsu_agent.ports.recognising import Recognisers
from rsu_agent.world.signal import Grade


class Kind(StrEnum):
    """What a driver drives; the section of the site file it may stand in."""

    CONTROLLER = "controller"
    CAMERA = "camera"
    RADAR = "radar"
    RADIO = "radio"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Plugin:
    """One driver. `open` returns an async context whose value is what the port of its kind asks for.

    standards: message sets that a radio can take, None: any. grade: what a controller's protocol is worth.
    recognise: how its protocol is found on an unknown serial line.
    """

    name: str
    kind: Kind
    settings: type[Declared]
    open: Callable[[Any, Clock], AbstractAsyncContextManager[Any]]
    standards: frozenset[str] | None = None
    grade: Grade | None = None
    recognise: Recognisers | None = None


Observations = AbstractAsyncContextManager[AsyncIterator[Any]]


@cache
def plugins() -> dict[str, Plugin]:
    """Every installed driver by name.

    Raises LookupError naming the entry point when one cannot be loaded or names itself differently.
    """
    found: dict[str, Plugin] = {}
    for entry in entry_points(group="rsu_agent.drivers"):
        try:
            plugin = entry.load()
        except ImportError as exc:
            raise LookupError(f"driver {entry.name} ({entry.value}) cannot be loaded: {exc}") from exc
        if not isinstance(plugin, Plugin) or plugin.name != entry.name:
            raise LookupError(f"entry point {entry.name} does not lead to a Plugin of that name")
        found[entry.name] = plugin
    return found
