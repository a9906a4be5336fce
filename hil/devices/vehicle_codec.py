"""The vehicle's decoder: pycrate, for T/CSAE 53 over a schema of its own that is compiled once."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from hil.devices.vehicle_schema import SCHEMA
from hil.truth import read_truth

CSAE53, ETSI, J2735 = SETS = ("csae53", "etsi", "j2735")
KINDS = {"spatFrame": "SPAT", "mapFrame": "MAP", "rsmFrame": "RSM", "rsiFrame": "RSI", "bsmFrame": "BSM"}


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "rsu-agent-rig"


@cache
def _frame_type() -> Any:
    """pycrate's object for MessageFrame; compiling takes seconds, loading a tenth of one."""
    digest = hashlib.sha256(SCHEMA.encode()).hexdigest()[:16]
    path = _cache_folder() / f"vehicle_{digest}.py"
    if not path.exists():
        _compile(path)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module.Vehicle.MessageFrame


def _compile(path: Path) -> None:
    import contextlib
    import io

    from pycrate_asn1c.asnproc import PycrateGenerator, compile_text, generate_modules

    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    with contextlib.redirect_stdout(io.StringIO()):
        compile_text(SCHEMA)
        generate_modules(PycrateGenerator, str(draft))
    draft.replace(path)


def decode(data: bytes, messages: str = CSAE53) -> tuple[str, Any]:
    """(kind, value) of a datagram in a set of SETS: SPAT, MAP, RSM, RSI or DENM. Raises ValueError."""
    if messages == CSAE53:
        return _decode_csae53(data)
    from hil.devices import vehicle_dsrc  # a tenth of a second that the other set need not pay

    return vehicle_dsrc.decode_etsi(data) if messages == ETSI else vehicle_dsrc.decode_j2735(data)


def about(data: bytes, messages: str) -> int:
    """A number that differs from kind to kind, without decoding: -1 for what is of no kind."""
    if messages == CSAE53:
        return data[0] >> 4 if data else -1
    if messages == J2735:
        return int.from_bytes(data[:2], "big")
    from hil.devices import vehicle_dsrc

    try:
        return vehicle_dsrc.unwrapped(data)[0]
    except ValueError:
        return -1


def _decode_csae53(data: bytes) -> tuple[str, Any]:
    frame = _frame_type()
    try:
        frame.from_uper(data)
        name, value = frame.get_val()
    except Exception as error:  # noqa: BLE001 (pycrate raises many kinds; all mean: not understood)
        raise ValueError(f"not understood: {error}") from None
    if name not in KINDS:
        raise ValueError(f"unknown message {name}")
    return KINDS[name], value


def encode_bsm(value: dict[str, Any]) -> bytes:
    """The bytes of a BSM as a vehicle sends it. Raises ValueError when a field is missing or out of range."""
    frame = _frame_type()
    try:
        frame.set_val(("bsmFrame", value))
        data: bytes = frame.to_uper()
    except Exception as error:  # noqa: BLE001 (as above)
        raise ValueError(f"not a BSM: {error}") from None
    return data


def decode_air(run_dir: Path, messages: str = CSAE53) -> Iterator[tuple[float, str, Any]]:
    """Everything received in a run: (arrival, kind, value); what is not understood is BAD.

    So is what the vehicle itself has spoilt: a radio's frame check would refuse it, and nobody sent it.
    """
    for entry in read_truth(run_dir, "air"):
        if entry.get("spoilt"):
            yield entry["t"], "BAD", "spoilt on the way"
            continue
        try:
            kind, value = decode(bytes.fromhex(entry["hex"]), messages)
        except ValueError as error:
            kind, value = "BAD", str(error)
        yield entry["t"], kind, value
