"""The generated codecs against asn1tools (its checks on) and pycrate: same values, same run, by turns."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from typing import Any

from hil.bench import messages
from rsu_agent.messages.csae53 import codec as csae53
from rsu_agent.messages.csae53.spat_refresh import SpatRefresh, numbers_of
from rsu_agent.messages.dsrc import codec as dsrc

ROUNDS = 7  # ours and theirs by turns: both meet the same host
WORTH_S = 0.05  # of each, a round
CODECS = (
    "import rsu_agent.messages.csae53.codec, rsu_agent.messages.dsrc.codec, rsu_agent.messages.etsi.codec"
)
IMPORT = f"import time; t = time.perf_counter(); {CODECS}; print((time.perf_counter() - t) * 1e3)"
Work = Callable[[], object]


def codec(_seed: int) -> dict[str, Any]:
    """Microseconds, and how many times as long the referee takes (ratio: the least); import_ms."""
    import asn1tools

    schema = files("rsu_agent.messages.csae53") / "schema.asn"
    compiled = asn1tools.compile_string(schema.read_text(), "uper")
    figures: dict[str, Any] = {"import_ms": import_ms()}
    for name, value in {"spat": messages.spat(), "map": messages.csae_map(), "rsm": messages.rsm()}.items():
        encode = partial(compiled.encode, "MessageFrame", value, check_constraints=True)
        frame = csae53.encode(value)
        decode = partial(compiled.decode, "MessageFrame", frame, check_constraints=True)
        ours = partial(csae53.encode, value), partial(csae53.decode, frame)
        figures[name] = compared(name, ours, (encode, decode))
        figures[name]["bytes"] = len(frame)
        if name == "spat":
            figures[name] |= refreshed(value, encode)
    figures |= against_pycrate()
    sides = ("encode_ratio", "decode_ratio")
    least = min(one[side] for one in figures.values() if isinstance(one, dict) for side in sides)
    return figures | {"ratio": least}


def against_pycrate() -> dict[str, Any]:
    """SPATEM and MAPEM: the SPAT and MapData in them; the header is six bytes."""
    from pycrate_asn1dir import ITS_IS

    figures = {}
    for name, kind, value in (("spatem", "SPAT", messages.spatem()), ("mapem", "MapData", messages.mapem())):
        referee = getattr(ITS_IS.DSRC, kind)
        theirs = _bits_as_numbers(value)
        frame = dsrc.encode(value, kind)

        def encode(referee: Any = referee, theirs: Any = theirs) -> bytes:
            referee.set_val(theirs)
            raw: bytes = referee.to_uper()
            return raw

        def decode(referee: Any = referee, frame: bytes = frame) -> Any:
            referee.from_uper(frame)
            return referee.get_val()

        ours = partial(dsrc.encode, value, kind), partial(dsrc.decode, frame, kind)
        figures[name] = compared(name, ours, (encode, decode)) | {"bytes": len(frame)}
    return figures


def compared(name: str, ours: tuple[Work, Work], theirs: tuple[Work, Work]) -> dict[str, float]:
    """Ratios of one message, each side (encode, decode). Raises AssertionError when the bytes differ."""
    if ours[0]() != theirs[0]():
        raise AssertionError(f"the referee gives other bytes for {name}: nothing to compare")
    mine, their = by_turns(ours[0], theirs[0])
    back, their_back = by_turns(ours[1], theirs[1])
    return {
        "encode_us": mine,
        "decode_us": back,
        "encode_ratio": round(their / mine, 2),
        "decode_ratio": round(their_back / back, 2),
    }


def refreshed(value: Any, their_encode: Work) -> dict[str, float]:
    """Only the numbers of a SPAT changed: the template against the referee's full encoding."""
    refresh = SpatRefresh()
    if refresh.encode(value) != their_encode() or refresh.encode(value) != their_encode():
        raise AssertionError("the template gives other bytes than the referee")
    shape, numbers = numbers_of(value)
    mine, theirs = by_turns(partial(refresh.fill, shape, numbers), their_encode)
    whole, _ = by_turns(partial(refresh.encode, value), their_encode)
    return {"refresh_us": mine, "refresh_value_us": whole, "refresh_ratio": round(theirs / mine, 2)}


def by_turns(*works: Work) -> list[float]:
    """Microseconds of each: the median of rounds that follow each other."""
    taken: list[list[float]] = [[] for _ in works]
    loops = [max(3, int(WORTH_S / max(1e-6, _seconds(work, 1)))) for work in works]
    for _ in range(ROUNDS):
        for work, mine, count in zip(works, taken, loops, strict=True):
            mine.append(_seconds(work, count) / count)
    return [round(statistics.median(mine) * 1e6, 1) for mine in taken]


def _seconds(work: Work, count: int) -> float:
    began_s = time.perf_counter()
    for _ in range(count):
        work()
    return time.perf_counter() - began_s


def import_ms() -> float:
    """Milliseconds to import the codecs in a fresh interpreter, byte code cached: the best of five."""
    taken = [
        subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, check=True) for _ in range(6)
    ]
    return round(min(float(run.stdout) for run in taken[1:]), 1)


def _bits_as_numbers(value: Any) -> Any:
    """The value as pycrate takes it: (number, size) for a BIT STRING."""
    match value:
        case dict():
            return {name: _bits_as_numbers(one) for name, one in value.items()}
        case list():
            return [_bits_as_numbers(one) for one in value]
        case (bytes() as raw, int() as size):
            return int.from_bytes(raw, "big") >> (-size & 7), size
        case (name, one):
            return name, _bits_as_numbers(one)
    return value
