"""Random messages through our codec and the referees: `python -m tests.messages.differential --n 10000`.

Prints one JSON object: how many messages of each type, how many bytes, in how many they differ.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any

from rich.console import Console
from rich.progress import track

from rsu_agent.messages.generator import model as m
from tests.messages import asn1c_referee
from tests.messages.referees import (
    CODEC_OF,
    asn1tools_bytes,
    csae53_compiled,
    pycrate_again,
    pycrate_bytes,
    schema_of,
)
from tests.messages.values import draw

CSAE53 = {
    "csae53.bsm": "bsmFrame",
    "csae53.map": "mapFrame",
    "csae53.rsm": "rsmFrame",
    "csae53.spat": "spatFrame",
    "csae53.rsi": "rsiFrame",
}
ETSI = {"dsrc.spat": "SPAT", "dsrc.map": "MapData", "etsi.cam": "CAM", "etsi.denm": "DENM"}
LOCAL_REGIONS = m.Integer(128, 255)  # below are those whose content pycrate knows and wants to read
NARROWED: dict[str, m.Type] = {
    "TimeMark": m.Integer(0, 36001),
    "RegionalExtension": m.Sequence(
        (m.Field("regionId", LOCAL_REGIONS), m.Field("regExtValue", m.OpenType()))
    ),
}
NAMES = (*CSAE53, *ETSI)
LONGEST_FIRST = ("dsrc.map", "csae53.map", *(n for n in NAMES if n not in ("dsrc.map", "csae53.map")))


def value_of(name: str, dice: random.Random) -> tuple[str, Any]:
    """(type, value) of a random message, within what the referee's edition has and hands over raw."""
    if name in CSAE53:
        types = schema_of("MessageFrame")
        frame = types["MessageFrame"]
        assert isinstance(frame, m.Choice)
        field = next(field for field in frame.fields if field.name == CSAE53[name])
        return "MessageFrame", (field.name, draw(field.type, types, dice))
    kind = ETSI[name]
    schema = {**schema_of(kind), **NARROWED}
    return kind, draw(m.Reference(kind), schema, dice)


def differs(name: str, dice: random.Random) -> tuple[bool, bytes]:
    """Whether one random message is another for the referee, either way round; and our bytes."""
    kind, value = value_of(name, dice)
    codec = CODEC_OF[kind]
    ours = codec.encode(value, kind)
    if name in CSAE53:
        good = ours == asn1tools_bytes(value) and csae53_compiled().decode("MessageFrame", ours) == value
    else:
        good = ours == pycrate_bytes(kind, value) == pycrate_again(kind, ours)
    return not (good and codec.decode(ours, kind) == value), ours


def compare(name: str, count: int, seed: int, *, quiet: bool = False) -> dict[str, int]:
    """{messages, bytes, different} of one type."""
    dice = random.Random(f"{seed} {name}")
    found = {"messages": count, "bytes": 0, "different": 0}
    frames = []
    for _ in track(range(count), f"{name:12}", disable=quiet or not sys.stderr.isatty()):
        different, frame = differs(name, dice)
        found["different"] += different
        found["bytes"] += len(frame)
        frames.append(frame)
    if name in CSAE53 and not asn1c_referee.missing():
        again = asn1c_referee.again(frames)
        found["different"] += sum(one != other for one, other in zip(frames, again, strict=True))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=10_000, help="messages of each type")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        jobs = {name: pool.submit(compare, name, asked.n, asked.seed, quiet=True) for name in LONGEST_FIRST}
        done = as_completed(jobs.values())
        for _ in track(
            done, "types", total=len(jobs), console=Console(file=sys.stderr), disable=not sys.stderr.isatty()
        ):
            pass
        found = {name: jobs[name].result() for name in NAMES}
    missing = asn1c_referee.missing()
    if missing:
        print(f"without asn1c: not installed: {', '.join(missing)}", file=sys.stderr)
    print(json.dumps({"seed": asked.seed, "asn1c": not missing, "types": found}))
    return int(any(one["different"] for one in found.values()))


if __name__ == "__main__":
    sys.exit(main())
