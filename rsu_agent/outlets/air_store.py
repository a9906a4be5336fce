"""Where the air record lies: a file a day, bounded by days and bytes, whole after a kill."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import BufferedWriter
from pathlib import Path

import zstandard

from rsu_agent.outlets.air_chain import Chain, digest

PLAIN, PACKED = ".jsonl", ".jsonl.zst"
LEVEL = 10  # of zstd
NO_DAY = "undated"  # a box without a clock begins in 1970
PLAUSIBLE_S = 1_577_836_800.0  # 2020-01-01
DAY_S = 86_400.0


def files_of(folder: Path) -> list[Path]:
    """The files of an air record, oldest first; a file that is packed counts once, whole."""
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("air-*")):
        name = path.name.split(".")[0]
        if path.name.endswith(PLAIN) or (path.name.endswith(PACKED) and name not in found):
            found[name] = path
    return [found[name] for name in sorted(found)]


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of one file, without line feeds; what is behind the last line feed is a line too."""
    with path.open("rb") as raw:
        if path.name.endswith(PACKED):
            with zstandard.ZstdDecompressor().stream_reader(raw) as plain, io.BufferedReader(plain) as stream:
                for line in stream:
                    yield line.rstrip(b"\n")
        else:
            for line in raw:
                yield line.rstrip(b"\n")


def all_lines(folder: Path) -> Iterator[bytes]:
    """The whole record, oldest first."""
    for path in files_of(folder):
        yield from lines_of(path)


def day_of(utc_s: float) -> str:
    """The UTC day, or that it is not known."""
    return time.strftime("%Y-%m-%d", time.gmtime(utc_s)) if utc_s >= PLAUSIBLE_S else NO_DAY


class AirStore:
    """One writer's. Raises OSError; whoever writes decides what that costs."""

    def __init__(self, folder: Path, limit_bytes: int, days: int) -> None:
        self._folder, self._limit, self._days = folder, limit_bytes, days
        self._file: BufferedWriter | None = None
        self._day = NO_DAY
        self.chain = Chain()
        self.cut: tuple[int, str] | None = None  # a torn end: so many bytes, their digest

    def open(self) -> None:
        """Find the end of the record, cut what is torn there, and go on behind it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for draft in self._folder.glob("*.part"):
            draft.unlink()
        files = files_of(self._folder)
        self.chain = Chain()
        while files:
            last = files[-1]
            if last.name.endswith(PLAIN):
                self._mend(last)
            end = _end_of(last)
            if end is not None:
                self.chain = Chain(*end)
                break
            files.pop().unlink(missing_ok=True)  # an empty file
        if files and files[-1].name.endswith(PLAIN):
            self._file, self._day = files[-1].open("ab"), _day_in(files[-1])
        for path in files[:-1]:
            self._pack(path)

    def write(self, lines: Iterable[bytes]) -> None:
        """Append lines that `chain` has made, and have them on the disk."""
        if self._file is None:
            raise OSError("the air record is not open")
        self._file.write(b"".join(line + b"\n" for line in lines))
        self._file.flush()
        os.fsync(self._file.fileno())

    def new_day(self, utc_s: float) -> bool:
        """Begin another file where the day is a later one than the file's; true for a new file."""
        day = day_of(utc_s)
        later = day != NO_DAY and (self._day == NO_DAY or day > self._day)
        if self._file is not None and not later:
            return False
        before = self._file
        if before is not None:
            before.close()
            self._pack(Path(before.name))
        self._day = day
        self._file = (self._folder / f"air-{self.chain.number + 1:012d}-{day}{PLAIN}").open("ab")
        return True

    def forget(self, utc_s: float, *, by_age: bool) -> tuple[int, str] | None:
        """Let the oldest files go that are too old or too many; the last line that went, (number, digest)."""
        files = files_of(self._folder)
        sizes = {path: path.stat().st_size for path in files}
        total, oldest = sum(sizes.values()), day_of(utc_s - self._days * DAY_S)
        gone = None
        for path in files[:-1]:
            day = _day_in(path)
            old = by_age and oldest != NO_DAY and day != NO_DAY and day < oldest
            if not old and total <= self._limit:
                break
            gone = _end_of(path) or gone
            path.unlink()
            total -= sizes[path]
        return gone

    def close(self) -> None:
        """End."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
        self._file = None

    def size(self) -> int:
        """Bytes on the disk."""
        return sum(path.stat().st_size for path in files_of(self._folder))

    def _mend(self, path: Path) -> None:
        """A kill, or a power cut, leaves a line without its end: it is cut, and the next line says so."""
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole == len(data):
            return
        self.cut = len(data) - whole, digest(data[whole:])
        with path.open("r+b") as file:
            file.truncate(whole)
            os.fsync(file.fileno())

    def _pack(self, path: Path) -> None:
        """Compress a finished file; whichever way it ends, one whole one is there."""
        if not path.name.endswith(PLAIN) or not path.exists():
            return
        packed = path.with_name(path.name.removesuffix(PLAIN) + PACKED)
        draft = packed.with_name(packed.name + ".part")
        with path.open("rb") as plain, draft.open("wb") as file:
            zstandard.ZstdCompressor(level=LEVEL).copy_stream(plain, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(packed)
        path.unlink()


def _end_of(path: Path) -> tuple[int, str] | None:
    """Number and digest of the last line; a last line that cannot be read has the number after its name's."""
    last, count = b"", 0
    if not path.exists():
        return None
    for line in lines_of(path):
        last, count = line, count + 1
    if not count:
        return None
    try:
        return int(json.loads(last)["n"]), digest(last)
    except (ValueError, KeyError, TypeError):
        return int(path.name.split("-")[1]) + count - 1, digest(last)


def _day_in(path: Path) -> str:
    return path.name.split(".")[0].split("-", 2)[2]
