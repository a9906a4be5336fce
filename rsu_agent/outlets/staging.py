"""Files that the district offers, gathered from chunks: they wait in a folder, nothing here applies them."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from rsu_agent.ports.command import LARGEST_CHUNK, BadCommand, Chunk

LARGEST = {"map": 2 << 20, "model": 128 << 20}  # bytes of a file of each kind
KEPT = 3  # staged files of one kind; the oldest goes
SPARE = 64 << 20  # bytes of disk that must stay free
SILENT_S = 600.0  # an offer whose chunks stop coming is given up
NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
SHA256 = re.compile(r"^[0-9a-f]{64}$")


@dataclass(slots=True)
class _Offer:
    seq: int
    kind: str
    name: str
    size: int
    sha256: str
    chunk_bytes: int
    path: Path
    file: BinaryIO
    heard_s: float
    next: int = 0
    got: int = 0


class Staging:
    """One offer at a time; a new one takes the place of one under way."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._offer: _Offer | None = None
        for part in folder.glob("*/*.part"):
            part.unlink(missing_ok=True)

    def offer(self, seq: int, kind: str, args: dict[str, Any], now_s: float) -> int | None:
        """Begin to take a file; the seq of the offer that this one replaces. Raises BadCommand, OSError."""
        name, size, digest, chunk = (args.get(key) for key in ("name", "size", "sha256", "chunk"))
        if set(args) != {"name", "size", "sha256", "chunk"} or not isinstance(name, str):
            raise BadCommand("bad_args", "name, size, sha256, chunk")
        if not NAME.match(name) or not isinstance(digest, str) or not SHA256.match(digest):
            raise BadCommand("bad_args", "name or sha256")
        if type(size) is not int or type(chunk) is not int or size < 1 or not 1 <= chunk <= LARGEST_CHUNK:
            raise BadCommand("bad_args", "size or chunk")
        if size > LARGEST[kind]:
            raise BadCommand("too_large", f"at most {LARGEST[kind]} bytes")
        folder = self._folder / kind
        folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(folder).free < size + SPARE:
            raise BadCommand("no_space", f"{size} bytes and {SPARE} to spare")
        replaced = self.drop()
        path = folder / f"{digest[:16]}-{name}"
        file = path.with_suffix(path.suffix + ".part").open("wb")
        self._offer = _Offer(seq, kind, name, size, digest, chunk, path, file, now_s)
        return replaced

    @property
    def under_way(self) -> tuple[int, int] | None:
        """(seq of the offer, index of the chunk that is wanted next)."""
        return None if self._offer is None else (self._offer.seq, self._offer.next)

    def chunk(self, chunk: Chunk, now_s: float) -> dict[str, Any] | None:
        """One piece. The staged file's description when it was the last; None before.

        Raises BadCommand: no_offer, out_of_order (both change nothing), bad_chunk, hash (the offer is over).
        """
        offer = self._offer
        if offer is None or chunk.offer != offer.seq:
            raise BadCommand("no_offer", f"{chunk.offer}")
        if chunk.index != offer.next:
            raise BadCommand("out_of_order", f"{offer.next} is wanted")
        if len(chunk.data) != min(offer.chunk_bytes, offer.size - offer.got):
            self.drop()
            raise BadCommand("bad_chunk", f"{len(chunk.data)} bytes")
        offer.file.write(chunk.data)
        offer.got, offer.next, offer.heard_s = offer.got + len(chunk.data), offer.next + 1, now_s
        return self._whole(offer) if offer.got == offer.size else None

    def silent(self, now_s: float) -> int | None:
        """Give up an offer whose chunks have stopped; its seq."""
        if self._offer is None or now_s - self._offer.heard_s < SILENT_S:
            return None
        return self.drop()

    def drop(self) -> int | None:
        """Give up what is under way; its seq."""
        offer, self._offer = self._offer, None
        if offer is None:
            return None
        offer.file.close()
        Path(offer.file.name).unlink(missing_ok=True)
        return offer.seq

    def _whole(self, offer: _Offer) -> dict[str, Any]:
        offer.file.close()
        part = Path(offer.file.name)
        with part.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != offer.sha256:
            self.drop()
            raise BadCommand("hash", digest)
        self._offer = None
        part.replace(offer.path)
        told = {"name": offer.name, "size": offer.size, "sha256": digest, "seq": offer.seq}
        described = offer.path.with_name(offer.path.name + ".json")
        described.write_text(json.dumps({**told, "kind": offer.kind}))
        self._forget_old(offer.path.parent)
        return told

    def _forget_old(self, folder: Path) -> None:
        described = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        for path in described[:-KEPT]:
            path.with_name(path.name.removesuffix(".json")).unlink(missing_ok=True)
            path.unlink()
