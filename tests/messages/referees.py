"""The other codecs that judge ours, each as (type, value) -> bytes and bytes -> value."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import asn1tools
from pycrate_asn1dir import ITS_CAM_2, ITS_DENM_3, ITS_IS

import rsu_agent.messages
from rsu_agent.messages.csae53 import codec as csae53
from rsu_agent.messages.dsrc import codec as dsrc
from rsu_agent.messages.etsi import codec as etsi
from rsu_agent.messages.generator import model as m
from tests.messages.values import for_pycrate

MESSAGES = Path(next(iter(rsu_agent.messages.__path__)))
CODEC_OF: Mapping[str, ModuleType] = {
    "MessageFrame": csae53,
    "SPAT": dsrc,
    "MapData": dsrc,
    "CAM": etsi,
    "DENM": etsi,
}
PYCRATE = {
    "SPAT": ITS_IS.DSRC.SPAT,
    "MapData": ITS_IS.DSRC.MapData,
    "CAM": ITS_CAM_2.CAM_PDU_Descriptions.CAM,
    "DENM": ITS_DENM_3.DENM_PDU_Descriptions.DENM,
}


@cache
def schema_of(kind: str) -> Mapping[str, m.Type]:
    """The types of the set that has this top-level type."""
    name = CODEC_OF[kind].__name__.removesuffix(".codec")
    types: Mapping[str, m.Type] = import_module(f"{name}.schema").SCHEMA
    return types


@cache
def csae53_compiled() -> Any:
    return asn1tools.compile_files(str(MESSAGES / "csae53" / "schema.asn"), "uper")


def asn1tools_bytes(value: Any) -> bytes:
    """A frame of T/CSAE 53 by asn1tools, its range checks on."""
    frame: bytes = csae53_compiled().encode("MessageFrame", value, check_constraints=True)
    return frame


def pycrate_bytes(kind: str, value: Any) -> bytes:
    """A message of Europe by pycrate, from the value as our codec takes it."""
    referee = PYCRATE[kind]
    referee.set_val(for_pycrate(m.Reference(kind), value, schema_of(kind)))
    raw: bytes = referee.to_uper()
    return raw


def pycrate_again(kind: str, raw: bytes) -> bytes:
    """What pycrate makes of the bytes, written again."""
    referee = PYCRATE[kind]
    referee.from_uper(raw)
    again: bytes = referee.to_uper()
    return again
