"""What a radio hears of our own name: old frames of ours again, or frames of somebody else."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from hil.rig import Rig

OLD_S, EVERY_S, FOR_S = 2.0, 0.2, 60.0


def again(rig: Rig) -> None:
    """A radio that stores and repeats: frames two seconds old come back."""
    _send(rig, lambda frame: frame)


def other_speaker(rig: Rig) -> None:
    """A second agent: the same identity, its own count of messages (the upper bits of byte 1)."""
    _send(rig, lambda frame: bytes([frame[0], frame[1] ^ 0x54]) + frame[2:])


def _send(rig: Rig, made: Callable[[bytes], bytes]) -> None:
    heard, port = rig.run_dir / "truth" / "vehicle.jsonl", rig.heard_port()

    def run() -> None:
        ends_s = time.monotonic() + FOR_S
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            while time.monotonic() < ends_s:
                for frame in _old(heard):
                    wire.sendto(made(frame), ("127.0.0.1", port))
                time.sleep(EVERY_S)

    threading.Thread(target=run, daemon=True).start()


def _old(heard: Path) -> list[bytes]:
    """The SPAT (41 bytes and less than any other) that the vehicle heard two seconds ago."""
    frames = []
    for line in heard.read_text().splitlines()[-400:-1]:
        entry = json.loads(line)
        if entry["t"] < time.monotonic() - OLD_S:
            frames.append(bytes.fromhex(entry["hex"]))
    return frames[-3:]
