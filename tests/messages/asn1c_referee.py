"""Debian's asn1c as a referee: C made from our schema text, decoding and encoding frames in one process."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.messages.referees import MESSAGES

NEEDED = ("asn1c", "gcc")
SKELETONS = Path("/usr/share/asn1c")
OURS = Path(__file__).parent / "asn1c" / "again.c"
SCHEMA = MESSAGES / "csae53" / "schema.asn"
BUILDS = Path(__file__).parents[2] / "build" / "asn1c"
ENOUGH_S = 240.0


def missing() -> list[str]:
    """The programs that are not installed."""
    return [name for name in NEEDED if shutil.which(name) is None]


def built() -> Path:
    """The program, made once for a schema (ten seconds)."""
    key = hashlib.sha256(SCHEMA.read_bytes() + OURS.read_bytes()).hexdigest()[:16]
    program = BUILDS / key / "again"
    if program.exists():
        return program
    folder = BUILDS / f"{key}.made"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    asked = ["-S", str(SKELETONS), "-gen-PER", "-fcompound-names", "-pdu=MessageFrame", str(SCHEMA)]
    _run(["asn1c", *asked], folder)
    shutil.copy(OURS, folder)
    sources = [str(path) for path in folder.glob("*.c") if not path.name.startswith("converter-")]
    _run(["gcc", "-w", "-O1", "-I.", "-o", "again", *sources, "-lm"], folder)
    folder.rename(program.parent)
    return program


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=ENOUGH_S, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr[-500:]}")


def again(frames: list[bytes]) -> list[bytes]:
    """What asn1c makes of each frame, encoded again; empty where it could not."""
    sent = b"".join(len(frame).to_bytes(2, "big") + frame for frame in frames)
    done = subprocess.run([str(built())], input=sent, capture_output=True, timeout=ENOUGH_S, check=True)
    found, at = [], 0
    while at < len(done.stdout):
        size = int.from_bytes(done.stdout[at : at + 2], "big")
        found.append(done.stdout[at + 2 : at + 2 + size])
        at += 2 + size
    return found
