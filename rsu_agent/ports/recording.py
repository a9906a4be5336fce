"""The black box: what came in, what went out or was held, in a size-bounded ring of MCAP files."""

from __future__ import annotations

import base64
import json
import queue
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path
from typing import Any

from mcap.exceptions import McapError
from mcap.records import Channel, Message
from mcap.stream_reader import StreamReader
from mcap.writer import CompressionType, Writer

SEGMENTS = 8  # the ring forgets an eighth at a time
CHUNK_BYTES = 16 << 10  # a killed process loses at most one chunk
QUEUE_LENGTH = 20_000
SUFFIX = ".mcap"


@dataclass(frozen=True, slots=True)
class Entry:
    """One recorded thing: topic, monotonic seconds, and plain values (bytes as base64 under `data`)."""

    topic: str
    at_s: float
    value: dict[str, Any]


class Recorder:
    """Appends from any thread without waiting; a full queue drops and counts."""

    def __init__(self, folder: Path, size_mb: int, label: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._label = folder, label
        self._limit = size_mb << 20
        self._queue: queue.Queue[Entry | None] = queue.Queue(QUEUE_LENGTH)
        self.dropped = 0
        self._number = _next_number(folder)
        self._thread = threading.Thread(target=self._write, name="recorder", daemon=True)
        self._thread.start()

    def record(self, topic: str, at_s: float, **value: Any) -> None:
        """One entry; bytes values become base64."""
        plain = {k: base64.b64encode(v).decode() if isinstance(v, bytes) else v for k, v in value.items()}
        try:
            self._queue.put_nowait(Entry(topic, at_s, plain))
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Write what is queued and end the file."""
        self._queue.put(None)
        self._thread.join()

    def _write(self) -> None:
        segment: _Segment | None = None
        while (entry := self._queue.get()) is not None:
            if self._limit == 0:
                continue
            if segment is None or segment.size() >= self._limit // SEGMENTS:
                if segment:
                    segment.close()
                self._forget_oldest()
                segment = _Segment(self._folder / f"{self._label}-{self._number:08d}{SUFFIX}")
                self._number += 1
            segment.add(entry)
        if segment:
            segment.close()

    def _forget_oldest(self) -> None:
        files = segments(self._folder)
        room = self._limit - self._limit // SEGMENTS
        total = sum(path.stat().st_size for path in files)
        for path in files:
            if total <= room:
                return
            total -= path.stat().st_size
            path.unlink()


class _Segment:
    """One file of the ring."""

    def __init__(self, path: Path) -> None:
        self._file: BufferedWriter = path.open("wb")
        self._writer = Writer(self._file, chunk_size=CHUNK_BYTES, compression=CompressionType.ZSTD)
        self._writer.start(profile="rsu-agent", library="rsu-agent")
        self._channels: dict[str, int] = {}

    def add(self, entry: Entry) -> None:
        """Append one entry on the channel of its topic."""
        channel = self._channels.get(entry.topic)
        if channel is None:
            schema = self._writer.register_schema(f"rsu{entry.topic}", "jsonschema", b'{"type":"object"}')
            channel = self._writer.register_channel(entry.topic, "json", schema)
            self._channels[entry.topic] = channel
        stamp_ns = int(entry.at_s * 1e9)
        data = json.dumps(entry.value, separators=(",", ":")).encode()
        self._writer.add_message(channel, stamp_ns, data, stamp_ns)

    def size(self) -> int:
        """Bytes written so far."""
        return self._file.tell()

    def close(self) -> None:
        """Finish the file."""
        self._writer.finish()  # type: ignore[no-untyped-call]
        self._file.close()


def segments(folder: Path) -> list[Path]:
    """The files of a ring, oldest first."""
    return sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stem.rsplit("-", 1)[-1])


def _next_number(folder: Path) -> int:
    files = segments(folder)
    return int(files[-1].stem.rsplit("-", 1)[-1]) + 1 if files else 0


def read_recording(path: Path) -> Iterator[Entry]:
    """Entries of a file, or of a ring's folder, in order; a torn end (a killed writer) just ends it."""
    for file in segments(path) if path.is_dir() else [path]:
        with file.open("rb") as stream:
            try:
                topics: dict[int, str] = {}
                for record in StreamReader(stream).records:
                    if isinstance(record, Channel):
                        topics[record.id] = record.topic
                    elif isinstance(record, Message):
                        yield Entry(topics[record.channel_id], record.log_time / 1e9, json.loads(record.data))
            except (McapError, ValueError, EOFError, struct.error):
                continue
