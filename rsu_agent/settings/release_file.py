"""A release file: one signed archive, read as if its sender were an enemy; `unpacked` is all or nothing.

tar, packed by zstd or gzip: `release.json`, `release.sig` (64 bytes: Ed25519 over the exact bytes of the
former), then the members that it lists, in its order: nothing else. Only after the signature holds is
anything else looked at, and never more bytes are unpacked than were signed. Links of an environment (its
interpreter) are named in release.json and made here; an archive holds files alone.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import platform
import re
import shutil
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

import zstandard
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from rsu_agent.ports.command import public_key
from rsu_agent.settings.durable import sync_folder, write
from rsu_agent.settings.language import say
from rsu_agent.settings.releases import COMPLETE, TOLD

NAME, SIGNATURE, PAYLOAD = "rsu-agent", "release.sig", "payload/"
LARGEST_TOLD, MOST_BEFORE = 16 << 20, 17 << 20  # bytes of release.json; unpacked before the signature holds
LARGEST_RELEASE, MOST_MEMBERS = 8 << 30, 200_000
A_MEMBER = 4096  # bytes of a tar around a file: its header, a long name, what fills the last block
SIGNATURE_BYTES, PIECE, WINDOW = 64, 1 << 20, 128 << 20
VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}")
SHA256 = re.compile(r"[0-9a-f]{64}")
LINKS = {  # what may be a link -> where it may lead
    re.compile(r"bin/python(3(\.\d+)?)?"): re.compile(r"(/usr/bin/)?python3?(\.\d+)?"),
    re.compile(r"lib64"): re.compile(r"lib"),
}


class BadRelease(Exception):
    """What is wrong with a release file, as a sentence; `code` for machines."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a release, its path below the release's folder."""

    path: str
    size: int
    sha256: str
    mode: int


@dataclass(frozen=True, slots=True)
class Release:
    """What a release file says of itself. from_counter: what must run at least to come from."""

    version: str
    counter: int
    arch: str
    python: str
    from_counter: int
    members: tuple[Member, ...]
    links: dict[str, str] = field(default_factory=dict)
    told: bytes = b""

    @property
    def size(self) -> int:
        """Bytes on disk, the files' own."""
        return sum(each.size for each in self.members)

    @property
    def digest(self) -> str:
        """What tells two releases of one version apart."""
        return hashlib.sha256(self.told).hexdigest()


class _Bounded(io.RawIOBase):
    """Never gives more than it may; more is a bomb."""

    def __init__(self, inner: IO[bytes]) -> None:
        self._inner, self.left = inner, MOST_BEFORE

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > self.left:
            raise BadRelease("too_large", say("it unpacks to more than it may: nothing was changed"))
        data = self._inner.read(size)
        self.left -= len(data)
        return data


class Opened:
    """An archive whose `release` is signed by a known key. `members` may be read once."""

    def __init__(self, tar: tarfile.TarFile, source: _Bounded, keys: dict[str, Ed25519PublicKey]) -> None:
        self._tar = tar
        told = self._first(TOLD, LARGEST_TOLD)
        signature = self._first(SIGNATURE, SIGNATURE_BYTES)
        self.key = _signed_by(keys, told, signature)
        self.release = read_told(told)
        source.left = self.release.size + A_MEMBER * (len(self.release.members) + 8)

    def members(self) -> Iterator[tuple[Member, IO[bytes]]]:
        """Each member with its bytes, exactly as signed: kind, place, order, size. Raises BadRelease."""
        for member in self.release.members:
            yield member, self._stream(PAYLOAD + member.path, member.size)
        if self._tar.next() is not None:
            raise BadRelease("content", say("it holds more than it says"))

    def _first(self, name: str, largest: int) -> bytes:
        found = self._tar.next()
        if found is None or found.name != name or not found.isreg() or found.size > largest:
            raise BadRelease("format", say("no release file: it must begin with {name}", name=name))
        return self._bytes(found)

    def _bytes(self, info: tarfile.TarInfo) -> bytes:
        stream = self._tar.extractfile(info)
        return b"" if stream is None else stream.read()

    def _stream(self, name: str, size: int) -> IO[bytes]:
        found = self._tar.next()
        stream = None if found is None or not found.isreg() else self._tar.extractfile(found)
        if found is None or stream is None or (found.name, found.size) != (name, size):
            there = say("nothing") if found is None else f"{found.name!r:.80}"
            raise BadRelease("content", say("{name} should come, {there} does", name=name, there=there))
        return stream


@contextmanager
def opened(file: Path, keys: dict[str, Ed25519PublicKey]) -> Iterator[Opened]:
    """A release file whose signature holds. Raises BadRelease, OSError."""
    try:
        with file.open("rb") as raw, _unpacked(raw) as plain:
            source = _Bounded(plain)
            with tarfile.open(fileobj=cast(IO[bytes], source), mode="r|", bufsize=tarfile.RECORDSIZE) as tar:
                yield Opened(tar, source, keys)
    except (tarfile.TarError, zstandard.ZstdError, EOFError, gzip.BadGzipFile, OverflowError) as error:
        raise BadRelease("format", say("cut short, or no release file ({error})", error=error)) from None
    except ValueError as error:  # of numbers within headers
        raise BadRelease("format", say("cut short, or no release file ({error})", error=error)) from None


def known_keys(folder: Path) -> dict[str, Ed25519PublicKey]:
    """Keys whose releases are taken, by file name (`*.pub`: base64 of 32 bytes). Others are left out."""
    found = {}
    for path in sorted(folder.glob("*.pub")):
        try:
            found[path.stem] = public_key("".join(path.read_text().split()))
        except (OSError, ValueError):
            continue
    return found


def read_told(told: bytes) -> Release:
    """release.json, every value of its kind and within bounds. Raises BadRelease."""
    try:
        said = json.loads(told)
        members = tuple(Member(**each) for each in said["members"])
        version, arch, python = (str(said[name]) for name in ("version", "arch", "python"))
        counter, least = (int(said.get(name, 0)) for name in ("counter", "from_counter"))
        links = dict(said.get("links", {}))
        release = Release(version, counter, arch, python, least, members, links, told)
        fits = said["name"] == NAME and all(map(_fits, members)) and _links_fit(release.links)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BadRelease("content", say("release.json cannot be used ({error})", error=error)) from None
    paths = {each.path for each in members} | set(release.links)
    whole = len(paths) == len(members) + len(release.links) and not _nested(paths)
    small = release.size <= LARGEST_RELEASE and len(members) <= MOST_MEMBERS
    if not (fits and whole and small and VERSION.fullmatch(release.version) and release.counter > 0):
        raise BadRelease("content", say("release.json says what no release may: a path, a size or its name"))
    return release


def unpack(archive: Opened, folder: Path) -> None:
    """Into a new folder, each file as it was signed, all of it on disk. Raises BadRelease, OSError."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o755, parents=True)
    for member, stream in archive.members():
        path = folder / member.path
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        _copy(stream, path, member)
    for name, target in archive.release.links.items():
        (folder / name).parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        (folder / name).symlink_to(target)
    write(folder / TOLD, archive.release.told)
    write(folder / COMPLETE, archive.release.digest.encode())
    for base, _, _ in os.walk(folder):
        sync_folder(Path(base))


def verify(archive: Opened) -> None:
    """Every member against what was signed; nothing is written. Raises BadRelease."""
    for member, stream in archive.members():
        _compare(member, _read(stream, None, member))


def unfit(release: Release) -> BadRelease | None:
    """Why this machine cannot run it."""
    machine, python = platform.machine(), "{}.{}".format(*sys.version_info)
    if release.arch not in ("any", machine):
        text = say("it is for {arch}, this machine is {machine}", arch=release.arch, machine=machine)
        return BadRelease("arch", text)
    if release.python != python:
        text = say("it is for Python {wanted}, here is {python}", wanted=release.python, python=python)
        return BadRelease("python", text)
    for target in release.links.values():
        if target.startswith("/") and not Path(target).exists():
            return BadRelease("python", say("{path} is not on this machine", path=target))
    return None


def _signed_by(keys: dict[str, Ed25519PublicKey], told: bytes, signature: bytes) -> str:
    for name, key in keys.items():
        try:
            key.verify(signature, told)
        except InvalidSignature:
            continue
        return name
    known = ", ".join(keys) or say("none")
    raise BadRelease("signature", say("not signed by a known key (known: {known})", known=known))


def _copy(stream: IO[bytes], path: Path, member: Member) -> None:
    with path.open("xb") as out:
        _compare(member, _read(stream, out, member))
        os.fchmod(out.fileno(), member.mode)
        out.flush()
        os.fsync(out.fileno())


def _read(stream: IO[bytes], out: IO[bytes] | None, member: Member) -> str:
    summed, left = hashlib.sha256(), member.size
    while left:
        piece = stream.read(min(PIECE, left))
        if not piece:
            raise BadRelease("format", say("cut short within {name}", name=member.path))
        summed.update(piece)
        left -= len(piece)
        if out is not None:
            out.write(piece)
    return summed.hexdigest()


def _compare(member: Member, digest: str) -> None:
    if digest != member.sha256:
        raise BadRelease("content", say("{name} is not the file that was signed", name=member.path))


def _fits(member: Member) -> bool:
    pure = PurePosixPath(member.path)
    plain = str(pure) == member.path and not pure.is_absolute() and not {"..", "."} & set(pure.parts)
    typed = type(member.size) is int and member.size >= 0 and member.mode in (0o644, 0o755)
    clean = member.path not in (TOLD, COMPLETE, "") and len(member.path) < 1000 and member.path.isprintable()
    return plain and typed and clean and SHA256.fullmatch(member.sha256) is not None


def _links_fit(links: dict[str, Any]) -> bool:
    return all(
        any(name.fullmatch(link) and where.fullmatch(target) for name, where in LINKS.items())
        for link, target in links.items()
    )


def _nested(paths: set[str]) -> bool:
    """Whether one of them lies below another, which is no folder then."""
    return any(str(above) in paths for path in paths for above in PurePosixPath(path).parents)


@contextmanager
def _unpacked(raw: IO[bytes]) -> Iterator[IO[bytes]]:
    begins = raw.read(4)
    raw.seek(0)
    if begins[:2] == b"\x1f\x8b":
        with gzip.GzipFile(fileobj=raw) as plain:
            yield cast(IO[bytes], plain)
    elif begins == b"\x28\xb5\x2f\xfd":
        with zstandard.ZstdDecompressor(max_window_size=WINDOW).stream_reader(raw) as plain:
            yield cast(IO[bytes], plain)
    else:
        raise BadRelease("format", say("no release file: neither zstd nor gzip"))
