"""World nouns as msgpack between processes: a table of types, fields in order, nothing else accepted."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgpack

from rsu_agent.world.hazard import Hazard
from rsu_agent.world.health import DeviceHealth, TimeQuality
from rsu_agent.world.heard import HeardVehicle
from rsu_agent.world.road_user import Scene
from rsu_agent.world.signal import Programme, SignalOutlook, SignalReport
from rsu_agent.world.spot import SpotReading
from rsu_agent.world.witness import HeadsSeen

NOUNS: tuple[type, ...] = (
    Scene,
    SignalReport,
    SignalOutlook,
    Programme,
    Hazard,
    DeviceHealth,
    TimeQuality,
    HeadsSeen,
    HeardVehicle,
    SpotReading,
)
LARGEST_BYTES = 1 << 20


class NotANoun(ValueError):
    """Bytes that are no noun of this version."""


def pack(noun: object) -> bytes:
    """One noun, or a plain value (dict, list, str ...) for records and commands."""
    names = {noun_type: number for number, noun_type in enumerate(NOUNS)}
    number = names.get(type(noun))
    body = noun if number is None else _plain(noun)
    return bytes(msgpack.packb([number, body]))


def unpack(data: bytes) -> Any:
    """The reverse of `pack`. Raises NotANoun for anything else."""
    try:
        number, body = msgpack.unpackb(data, strict_map_key=False)
        return body if number is None else _reader(NOUNS[number])(body)
    except (ValueError, TypeError, IndexError, KeyError, msgpack.exceptions.UnpackException) as error:
        raise NotANoun(str(error)) from None


def version() -> str:
    """A word that changes when any noun's fields change; both ends of a link must say the same."""
    return ";".join(_shape(noun) for noun in NOUNS)


def _shape(noun: type) -> str:
    return f"{noun.__name__}({','.join(field.name for field in dataclasses.fields(noun))})"


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [_plain(getattr(value, name)) for name in _names(type(value))]
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value


@cache
def _names(noun: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(noun))


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    """A function that makes a value of this annotation from its plain form."""
    origin, args = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _noun_reader(kind)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return {member.value: member for member in kind}.__getitem__
    if origin in (Union, types.UnionType):
        inner = _reader(next(arg for arg in args if arg is not type(None)))
        return lambda value: None if value is None else inner(value)
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        item = _reader(args[0])
        return tuple if item is _as_it_is else lambda value: tuple(map(item, value))
    if origin is tuple:
        readers = [_reader(arg) for arg in args]
        return lambda value: tuple(read(each) for read, each in zip(readers, value, strict=True))
    return _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _noun_reader(noun: type) -> Callable[[Any], Any]:
    """Most fields are plain: only the others cost a call. A scene at the peak has a hundred road users."""
    hints, names = get_type_hints(noun), _names(noun)
    readers = [(at, _reader(hints[name])) for at, name in enumerate(names)]
    others = [(at, read) for at, read in readers if read is not _as_it_is]

    def read(values: Any) -> Any:
        if len(values) != len(names):
            raise ValueError(f"{noun.__name__} has {len(names)} fields, not {len(values)}")
        made = list(values)
        for at, reader in others:
            made[at] = reader(made[at])
        return noun(*made)

    return read
