"""What a release speaks, kept for ever: `python -m tests.outlets.make_golden v2` at the release of version 2.

One record of each kind, the schemas, and envelopes as bytes. A folder that is there is never written again.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from rsu_agent.outlets.summary_kinds import KINDS
from rsu_agent.ports.envelope import Envelope, pack_envelope
from tests.outlets.record_makers import ROOT, UTC_S, Record, made_by_the_summary, made_of_the_air

GOLDEN = Path(__file__).parent / "golden"
UTC_US = round(UTC_S * 1e6)
OF_OTHERS: tuple[Record, ...] = (
    {"k": "gap", "t": UTC_US, "l": "lo", "kd": "flow+hb", "from": 12, "to": 211, "n": 200, "why": "full"},
    {"k": "birth", "t": UTC_US, "l": "hi", "e": 71829, "pe": None, "pq": None, "why": "new"}
    | {"ver": "0.1.0", "cfg": "d" * 64},
    {"k": "lost", "t": UTC_US, "l": "lo", "kd": "hb+phase", "n": 12, "ta": UTC_US - 9, "tb": UTC_US - 1}
    | {"why": "overflow"},
    {"k": "audit", "t": UTC_US, "q": 7, "c": "ping", "r": "done", "w": "ok", "n": 1},
    {"k": "base", "t": UTC_US, "ver": "0.1.0", "py": "3.11.2", "os": "linux 6.1.0 x86_64"}
    | {"std": "csae53-2020", "node": 101, "rg": 0, "lat": 22.7, "lon": 114.3, "dr": ["chrony", "udp_raw"]},
    {"k": "cfg", "t": UTC_US, "conf": "a" * 64, "map": "b" * 64, "air": "c" * 32, "rev": 1, "model": None},
    {"k": "run", "t": UTC_US, "cpu": 0.41, "mem": 0.27, "disk": 0.12, "temp": 61.5},
)


def one_of_each() -> Iterator[Record]:
    """The first record of each kind that says most."""
    fullest: dict[str, Record] = {}
    for record in (*made_by_the_summary(), *made_of_the_air(), *OF_OTHERS):
        known = fullest.get(record["k"])
        if known is None or len(json.dumps(record)) > len(json.dumps(known)):
            fullest[record["k"]] = record
    yield from sorted(fullest.values(), key=lambda record: -len(json.dumps(record)))


def main(version: str) -> None:
    """Write the folder of a release."""
    folder = GOLDEN / version
    folder.mkdir(parents=True)
    records = list(one_of_each())
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    (folder / "records.jsonl").write_text(lines)
    for kind in KINDS:
        shutil.copy(ROOT / "docs/protocol/schemas" / f"{kind.kind}.json", folder / f"{kind.kind}.schema.json")
    for name, some in (("plain", records[-1:]), ("zstd", records)):
        envelope = Envelope("szps-001", 0x1122334455667788, "lo", 9, UTC_US, tuple(some), 0.0008)
        (folder / f"envelope-{name}.hex").write_text(pack_envelope(envelope).hex() + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
