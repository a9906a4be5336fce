"""The black box: what came in, what went out or was held, in a size-bounded ring of MCAP files."""

from __future__ import annotations

import base64
import json
import logging
import math
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from io import BufferedReader, BufferedWriter
from pathlib import Path
from typing import Any

from mcap.exceptions import McapError
from mcap.records import Channel, Footer, Message
from mcap.stream_reader import StreamReader
from mcap.writer import CompressionType, Writer
from zstandard import ZstdError

from rsu_agent.ports.nouns import NOUNS, pack

log = logging.getLogger(__name__)
SEGMENTS = 8  # the ring forgets an eighth at a time
CHUNK_BYTES = 16 << 10  # a killed process loses at most one chunk
QUEUE_LENGTH = 20_000
FILE_S = 300.0  # a file is ended after so long, so that a slice of time is a few files
ALL_HOURS = 1 << 20  # no bound of age
GATHER_S = 0.1
RETRY_S = 10.0  # a disk that refused is tried again so much later; a full one is seldom emptied sooner
SUFFIX = ".mcap"
START = "/start"  # an agent begins; repeated as BEGUN at the head of each later file of its life
BEGUN = "/begun"
DROPPED = "/dropped"  # so many entries are missing before this one
TORN = (
    "/torn"  # told by the reader, never written: a file ends here without its proper end, or one is missing
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One recorded thing: topic, monotonic seconds, and plain values (bytes as base64 under `data`)."""

    topic: str
    at_s: float
    value: dict[str, Any]


class Recorder:
    """Appends from any thread without waiting. A full queue, a full disk or a folder that may not be written
    costs entries, which are counted and told in the recording; never the agent.
    """

    def __init__(self, folder: Path, size_mb: int, label: str, hours: int = ALL_HOURS) -> None:
        self._folder, self._label = folder, label
        self._hours = hours
        self._began: Entry | None = None
        self._file_from_s = 0.0
        self._limit = size_mb << 20
        self._waiting: deque[Entry] = deque()
        self._closing = threading.Event()
        self.dropped = 0
        self._told = 0
        self._retry_s: float | None = None
        self._thread = threading.Thread(target=self._write, name="recorder", daemon=True)
        self._thread.start()

    def record(self, topic: str, at_s: float, **value: Any) -> None:
        """One entry; bytes and nouns become base64, in the writer's thread: who records does not wait."""
        if len(self._waiting) >= QUEUE_LENGTH:
            self.dropped += 1
        else:
            self._waiting.append(Entry(topic, at_s, value))

    @property
    def waiting(self) -> int:
        """Entries not yet written."""
        return len(self._waiting)

    def close(self) -> None:
        """Write what is queued and end the file."""
        self._closing.set()
        self._thread.join()

    def _write(self) -> None:
        segment: RecordingFile | None = None
        for entry in self._entries():
            if self._limit == 0 or (self._retry_s is not None and entry.at_s < self._retry_s):
                self.dropped += self._limit > 0
                continue
            try:
                segment = self._append(segment, entry)
                self._retry_s = None
            except OSError as error:
                log.error("no recording in %s: %s; trying again in %g s", self._folder, error, RETRY_S)
                self.dropped += 1
                self._retry_s = entry.at_s + RETRY_S
                if segment is not None:
                    segment.give_up()
                segment = None
        if segment:
            try:
                segment.close()
            except OSError as error:
                log.error("the recording in %s ends torn: %s", self._folder, error)
                segment.give_up()

    def _entries(self) -> Iterator[Entry]:
        """All that comes, in batches, until the end: a thread that is woken for each one costs the core."""
        ending = False
        while not ending:
            ending = self._closing.wait(GATHER_S)
            while self._waiting:
                yield self._waiting.popleft()

    def _append(self, segment: RecordingFile | None, entry: Entry) -> RecordingFile:
        full = segment is not None and segment.size() >= self._limit // SEGMENTS
        if segment is None or full or entry.at_s - self._file_from_s >= FILE_S:
            if segment:
                segment.close()
            segment = self._new_file(entry.at_s)
        if entry.topic == START:
            self._began = entry
        if (dropped := self.dropped) != self._told:
            segment.add(Entry(DROPPED, entry.at_s, {"count": dropped - self._told}))
            self._told = dropped
        segment.add(Entry(entry.topic, entry.at_s, {key: _plain(each) for key, each in entry.value.items()}))
        return segment

    def _new_file(self, at_s: float) -> RecordingFile:
        self._folder.mkdir(parents=True, exist_ok=True)
        number = self._forget_oldest()
        self._file_from_s = at_s
        segment = RecordingFile(self._folder / f"{self._label}-{number:08d}{SUFFIX}")
        if self._began is not None:  # each file tells by itself who speaks in it
            told = {key: _plain(each) for key, each in self._began.value.items()}
            segment.add(Entry(BEGUN, at_s, told | {"began_s": self._began.at_s}))
        return segment

    def _forget_oldest(self) -> int:
        """Make room for one more file; its number.

        By age only where enough newer files are there as well: a clock that leaps forgets nothing.
        """
        files = segments(self._folder)
        old_s = time.time() - self._hours * 3600
        for path in files[: max(0, len(files) + 1 - math.ceil(self._hours * 3600 / FILE_S))]:
            if path.stat().st_mtime < old_s:
                path.unlink()
        files = segments(self._folder) or files[-1:]
        room = self._limit - self._limit // SEGMENTS
        sizes = {path: path.stat().st_size for path in files if path.exists()}
        total = sum(sizes.values())
        for path in sizes:
            if total <= room:
                break
            total -= sizes[path]
            path.unlink()
        return _number(files[-1]) + 1 if files else 0


def _plain(value: Any) -> Any:
    """Bytes, and nouns as bytes, in base64; other values as they are."""
    data = pack(value) if isinstance(value, NOUNS) else value
    return base64.b64encode(data).decode() if isinstance(data, bytes) else data


class RecordingFile:
    """One MCAP file being written. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self._file: BufferedWriter = path.open("wb")
        self._writer = Writer(self._file, chunk_size=CHUNK_BYTES, compression=CompressionType.ZSTD)
        self._writer.start(profile="rsu-agent", library="rsu-agent")
        self._channels: dict[str, int] = {}
        self._flushed = 0

    def add(self, entry: Entry) -> None:
        """Append one entry on the channel of its topic."""
        channel = self._channels.get(entry.topic)
        if channel is None:
            schema = self._writer.register_schema(f"rsu{entry.topic}", "jsonschema", b'{"type":"object"}')
            channel = self._writer.register_channel(entry.topic, "json", schema)
            self._channels[entry.topic] = channel
        stamp_ns = round(entry.at_s * 1e9)
        data = json.dumps(entry.value, separators=(",", ":")).encode()
        self._writer.add_message(channel, stamp_ns, data, stamp_ns)
        if (size := self._file.tell()) != self._flushed:  # a chunk is complete: let others read it
            self._file.flush()
            self._flushed = size

    def size(self) -> int:
        """Bytes written so far."""
        return self._file.tell()

    def close(self) -> None:
        """Finish the file."""
        self._writer.finish()  # type: ignore[no-untyped-call]
        self._file.close()

    def give_up(self) -> None:
        """Leave the file as it is."""
        with suppress(OSError):
            self._file.close()


def segments(folder: Path) -> list[Path]:
    """The files of a ring, oldest first."""
    return sorted((path for path in folder.glob(f"*-*{SUFFIX}") if path.stem[-8:].isdecimal()), key=_number)


def _number(path: Path) -> int:
    return int(path.stem.rsplit("-", 1)[-1])


class Recording:
    """A file, or a ring's folder, open to be read, more than once; what the ring forgets meanwhile stays.

    Raises FileNotFoundError where there is nothing to read.
    """

    def __init__(self, path: Path, since_utc_s: float | None = None) -> None:
        """since_utc_s: of a ring, only files that were written to at or after it."""
        with ExitStack() as opened:
            self._files: list[tuple[Path, BufferedReader]] = []
            for file in segments(path) if path.is_dir() else [path]:
                with suppress(FileNotFoundError):  # the ring may forget it between list and open
                    if since_utc_s is not None and path.is_dir() and file.stat().st_mtime < since_utc_s:
                        continue
                    self._files.append((file, opened.enter_context(file.open("rb"))))
            if not self._files:
                raise FileNotFoundError(f"{path}: no recording there")
            self._ring = path.is_dir()
            self._opened = opened.pop_all()

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def entries(self) -> Iterator[Entry]:
        """All entries in order; TORN where a file ends too early or one of the ring is missing."""
        before: int | None = None
        at_s = 0.0
        for path, stream in self._files:
            number = _number(path) if self._ring else None
            if number is not None and before is not None and number != before + 1:
                yield Entry(TORN, at_s, {"file": path.name, "why": "files before it are missing"})
            before = number
            for entry in _read(stream, path.name, at_s):
                at_s = entry.at_s
                yield entry


def read_recording(path: Path) -> Iterator[Entry]:
    """Entries of a file, or of a ring's folder, in order; a torn end (a killed writer) is told as TORN."""
    with Recording(path) as recording:
        yield from recording.entries()


def _read(stream: BufferedReader, name: str, at_s: float) -> Iterator[Entry]:
    stream.seek(0)
    topics: dict[int, str] = {}
    why = "no proper end"
    try:
        for record in StreamReader(stream, validate_crcs=True).records:
            if isinstance(record, Channel):
                topics[record.id] = record.topic
            elif isinstance(record, Message):
                at_s = record.log_time / 1e9
                yield Entry(topics[record.channel_id], at_s, json.loads(record.data))
            elif isinstance(record, Footer):
                return
    except (McapError, ZstdError, ValueError, LookupError, EOFError, MemoryError, struct.error) as error:
        why = str(error) or type(error).__name__
    yield Entry(TORN, at_s, {"file": name, "why": why})
