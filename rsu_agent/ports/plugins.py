"""Plug-ins: how a driver says what it is, and how it is found (entry points `rsu_agent.drivers`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.metadata import EntryPoint, entry_points
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


HEARD_EVERY_S = 1.0  # a radar that speaks in cycles has had ten of them by then


def in_cycles(_: Any) -> float | None:
    """How often a radar of cycles is heard at least, whatever its settings."""
    return HEARD_EVERY_S


@dataclass(frozen=True, slots=True)
class Plugin:
    """One driver. `open` returns an async context whose value is what the port of its kind asks for.

    standards: message sets that a radio can take, None: any. grade: what a controller's protocol is worth.
    recognise: how its protocol is found on an unknown serial line. heard_every_s: of a radar with these
    settings, how often a frame comes at least on an empty road; None: it tells of vehicles only.
    """

    name: str
    kind: Kind
    settings: type[Declared]
    open: Callable[[Any, Clock], AbstractAsyncContextManager[Any]]
    standards: frozenset[str] | None = None
    grade: Grade | None = None
    recognise: Recognisers | None = None
    heard_every_s: Callable[[Any], float | None] = in_cycles


Observations = AbstractAsyncContextManager[AsyncIterator[Any]]


class Plugins(Mapping[str, Plugin]):
    """Every installed driver by name; one is loaded when it is asked for, as loading takes time.

    Raises LookupError naming the entry point when one cannot be loaded or names itself differently.
    """

    def __init__(self, entries: Iterable[EntryPoint]) -> None:
        self._entries = {entry.name: entry for entry in entries}
        self._loaded: dict[str, Plugin] = {}

    def __getitem__(self, name: str) -> Plugin:
        if name not in self._loaded:
            self._loaded[name] = _load(self._entries[name])
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries


@cache
def plugins() -> Plugins:
    """Those of the entry points `rsu_agent.drivers`."""
    return Plugins(entry_points(group="rsu_agent.drivers"))


def _load(entry: EntryPoint) -> Plugin:
    try:
        plugin = entry.load()
    except ImportError as exc:
        raise LookupError(f"driver {entry.name} ({entry.value}) cannot be loaded: {exc}") from exc
    if not isinstance(plugin, Plugin) or plugin.name != entry.name:
        raise LookupError(f"entry point {entry.name} does not lead to a Plugin of that name")
    return plugin
