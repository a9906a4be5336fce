"""A disk that loses power: what is surely there, and what may be there of what was not synced yet. Pure."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

HEAD = struct.Struct("<cIIQ")
SECTOR = 512  # written whole or not at all


@dataclass(frozen=True, slots=True)
class Change:
    """One record of the log; see recorder.c. offset is also the length that a file is cut to."""

    kind: str
    name: str
    offset: int
    data: bytes


def changes(log: bytes) -> Iterator[Change]:
    """All of a log, in order."""
    at = 0
    while at < len(log):
        kind, length, size, offset = HEAD.unpack_from(log, at)
        at += HEAD.size
        name, data = log[at : at + length].decode(), log[at + length : at + length + size]
        at += length + size
        yield Change(kind.decode(), name, offset, data)


@dataclass
class File:
    """content: what is surely on disk; pending: what came since its last sync."""

    content: bytes = b""
    is_there: bool = False  # its entry in the folder is on disk
    pending: list[Change] = field(default_factory=list)

    def whole(self) -> bytes:
        """With everything pending."""
        return applied(self.content, self.pending)


class Disk:
    """Files by name. A rename or a removal is on disk once anything of the folder is synced after it."""

    def __init__(self) -> None:
        self.files: dict[str, File] = {}
        self._moves: list[Change] = []
        self._before: dict[str, File] = {}

    def take(self, change: Change) -> None:
        """The next change."""
        match change.kind:
            case "c":
                self.files[change.name] = File()
            case "w" | "t":
                self.files.setdefault(change.name, File()).pending.append(change)
            case "s":
                self._sync(change.name)
            case "r":
                self._moved(change)
                self.files[change.data.decode()] = self.files.pop(change.name)
            case "u":
                self._moved(change)
                self.files.pop(change.name, None)

    def _sync(self, name: str) -> None:
        """ext4: syncing a file writes its entry too, and the folder's changes before it."""
        file = self.files.get(name)
        if file is not None:
            file.content, file.pending, file.is_there = file.whole(), [], True
        self._before = {}

    def _moved(self, change: Change) -> None:
        for name in (change.name, change.data.decode()):
            if name and name in self.files:
                old = self.files[name]
                self._before.setdefault(name, File(old.content, old.is_there, list(old.pending)))

    def everything(self) -> dict[str, bytes]:
        """As a kill leaves it."""
        return {name: file.whole() for name, file in self.files.items()}

    def least(self) -> dict[str, bytes]:
        """Nothing but what is surely there; what was renamed or removed may be as it was."""
        found = {name: file.content for name, file in self.files.items() if file.is_there}
        return {**found, **{name: old.content for name, old in self._before.items() if old.is_there}}

    def some(self, dice: random.Random) -> dict[str, bytes]:
        """Any part of what is pending, in any order, a write torn at a sector."""
        found: dict[str, bytes] = {}
        for name, file in self.files.items():
            if not file.is_there and dice.random() < 0.5:
                continue
            found[name] = applied(file.content, list(_part(file.pending, dice)))
        return found


def _part(pending: list[Change], dice: random.Random) -> Iterator[Change]:
    share = dice.random()
    for change in pending:
        if dice.random() > share:
            continue
        sectors = -(-len(change.data) // SECTOR)
        if change.kind == "w" and sectors > 1 and dice.random() < 0.3:
            kept = SECTOR * dice.randrange(1, sectors)
            yield Change("w", change.name, change.offset, change.data[:kept])
        else:
            yield change


def applied(content: bytes, pending: list[Change]) -> bytes:
    """The bytes with these changes."""
    if not pending:
        return content
    made = bytearray(content)
    for change in pending:
        if change.kind == "t":
            made = made[: change.offset] + bytes(max(0, change.offset - len(made)))
            continue
        end = change.offset + len(change.data)
        made.extend(bytes(max(0, end - len(made))))
        made[change.offset : end] = change.data
    return bytes(made)
