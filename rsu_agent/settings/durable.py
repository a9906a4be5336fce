"""What survives kills and power cuts: files whole or not at all, deadlines on disk, a history, one at a time.

Standard library only, and nothing of ours: what takes a release back is made of it, and starts without one.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_EVENTS = 1000  # lines of a history
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Refused(Exception):
    """What is asked for cannot be done now; says what to do instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """When what waits goes back. Seconds since 1970, and since boot `boot`: clocks step."""

    boot: str
    until_utc_s: float
    until_boot_s: float

    def is_due(self) -> bool:
        """Whether its time is over; after a reboot it is, whatever the clocks say."""
        return self.boot != boot_id() or time.clock_gettime(time.CLOCK_BOOTTIME) >= self.until_boot_s

    @property
    def left_s(self) -> float:
        """How long there is to confirm it."""
        if self.boot != boot_id():
            return 0.0
        return max(0.0, self.until_boot_s - time.clock_gettime(time.CLOCK_BOOTTIME))


def after(seconds: float) -> dict[str, Any]:
    """The fields of a Deadline so many seconds from now."""
    now_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    return {"boot": boot_id(), "until_utc_s": time.time() + seconds, "until_boot_s": now_s + seconds}


class History:
    """What was done, a line an event, in `history.jsonl` of a folder."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "history.jsonl"

    def events(self) -> list[dict[str, Any]]:
        """What was done, the newest last."""
        try:
            lines = self._file.read_text().splitlines()
        except FileNotFoundError:
            return []
        told = []
        for line in lines:
            with contextlib.suppress(ValueError):  # the last one may have been cut
                told.append(json.loads(line))
        return told

    def note(self, **event: Any) -> None:
        """One more line, with an id and the time."""
        told = {"id": secrets.token_hex(4), "utc_s": round(time.time(), 3)} | event
        lines = [*(json.dumps(each) for each in self.events()[1 - MOST_EVENTS :]), json.dumps(told)]
        write(self._file, ("\n".join(lines) + "\n").encode())


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One at a time in this folder, over all processes."""
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        owned_as_above(folder)
    with (folder / "lock").open("w") as lock:
        owned_as_above(folder / "lock")
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def owned_as_above(path: Path) -> None:
    """Whose the folder is that it lies in."""
    if os.geteuid() == 0:
        told = path.parent.stat()
        os.chown(path, told.st_uid, told.st_gid)


def boot_id() -> str:
    """Of this start of the machine."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return "unknown"


def write(path: Path, data: bytes) -> None:
    """Whole or not at all, and on disk: its mode and owner stay; a new one is its folder's owner's."""
    new = path.with_name(f".{path.name}.new")
    with new.open("wb") as file:
        there = path if path.exists() else path.parent
        told = there.stat()
        if there is path:
            os.fchmod(file.fileno(), told.st_mode & 0o777)
        if os.geteuid() == 0:  # a technician as root: the agent must be able to take it back
            os.fchown(file.fileno(), told.st_uid, told.st_gid)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """The names in it are on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
