"""Making release files: a folder in, one signed archive out; the same folder gives the same bytes."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import sys
import tarfile
from dataclasses import asdict
from pathlib import Path

import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rsu_agent.settings.language import say
from rsu_agent.settings.release_file import NAME, PAYLOAD, SIGNATURE, BadRelease, Member, Release, read_told
from rsu_agent.settings.releases import COMPLETE, TOLD

LEFT_OUT = {"__pycache__"}
LEVEL = 10  # of zstd


def told_of(
    folder: Path, version: str, counter: int, *, arch: str = "", python: str = "", from_counter: int = 0
) -> bytes:
    """release.json of a folder. Raises BadRelease, OSError."""
    members, links = [], {}
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            links[name] = os.readlink(path)
            continue
        if not path.is_file():
            raise BadRelease("content", say("{path}: neither a file nor a folder", path=path))
        mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
        data = path.read_bytes()
        members.append(asdict(Member(name, len(data), hashlib.sha256(data).hexdigest(), mode)))
    told = {
        "name": NAME,
        "version": version,
        "counter": counter,
        "arch": arch or platform.machine(),
        "python": python or "{}.{}".format(*sys.version_info),
        "from_counter": from_counter,
        "links": links,
        "members": members,
    }
    data = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    read_told(data)
    return data


def pack(folder: Path, told: bytes, signature: bytes, out: Path) -> Release:
    """The archive. Raises BadRelease, OSError."""
    release = read_told(told)
    new = out.with_name(f".{out.name}.new")
    packer = zstandard.ZstdCompressor(level=LEVEL)
    with (
        new.open("wb") as raw,
        packer.stream_writer(raw) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.GNU_FORMAT) as tar,
    ):
        _add(tar, TOLD, told, 0o644)
        _add(tar, SIGNATURE, signature, 0o644)
        for member in release.members:
            _add(tar, PAYLOAD + member.path, (folder / member.path).read_bytes(), member.mode)
    os.replace(new, out)
    return release


def signed(told: bytes, key: Ed25519PrivateKey) -> bytes:
    """The signature of a release: over the exact bytes of its release.json."""
    return key.sign(told)


def _files(folder: Path) -> list[Path]:
    found = []
    for base, folders, names in os.walk(folder):
        links = [each for each in folders if (Path(base) / each).is_symlink()]
        folders[:] = sorted(each for each in folders if each not in LEFT_OUT and each not in links)
        found += [Path(base) / each for each in (*names, *links) if each not in (TOLD, COMPLETE)]
    return sorted(found)


def _add(tar: tarfile.TarFile, name: str, data: bytes, mode: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), mode
    tar.addfile(info, io.BytesIO(data))
