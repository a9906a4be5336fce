"""tshark as a referee: bare PDUs and whole frames written to a capture, dissected, malformed ones found."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

TSHARK = shutil.which("tshark")
PCAP = struct.Struct("<IHHiIII")
PACKET = struct.Struct("<IIII")
ETHERNET, USER_0 = 1, 147
BARE = 'uat:user_dlts:"User 0 (DLT=147)","its","0","","0",""'
ENOUGH_S = 120.0


def capture(path: Path, packets: list[bytes], link: int) -> Path:
    """A capture file with these packets."""
    records = [PACKET.pack(0, n, len(data), len(data)) + data for n, data in enumerate(packets)]
    path.write_bytes(PCAP.pack(0xA1B2C3D4, 2, 4, 0, 0, 65_535, link) + b"".join(records))
    return path


def dissected(path: Path, *wanted: str) -> str:
    """What tshark says of a capture: -V for everything, or fields."""
    assert TSHARK is not None
    command = [TSHARK, "-r", str(path), "-o", BARE, *wanted]
    done = subprocess.run(command, capture_output=True, text=True, timeout=ENOUGH_S, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def fields(path: Path, *names: str) -> list[list[str]]:
    """The fields of each packet; one that occurs often is joined with commas."""
    asked = [part for name in names for part in ("-e", name)]
    return [line.split("\t") for line in dissected(path, "-T", "fields", *asked).splitlines()]
