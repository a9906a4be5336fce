"""What the tests of releases share: small releases that start, a box with one of them, keys."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rsu_agent.settings.keeper import place
from rsu_agent.settings.release_file import Release, known_keys
from rsu_agent.settings.release_pack import pack, signed, told_of
from rsu_agent.settings.releases import COMPLETE, TOLD, Releases

KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
STRANGER = Ed25519PrivateKey.from_private_bytes(b"\x08" * 32)
SAYS = """#!/bin/sh
[ "$1" = --version ] && echo {version}
[ "$1 $2" = "config check" ] && exit {config}
exit 0
"""


def program(folder: Path, version: str, config: int = 0) -> Path:
    """A release's folder whose program starts."""
    (folder / "bin").mkdir(parents=True)
    (folder / "lib/a/b").mkdir(parents=True)
    (folder / "bin/rsu").write_text(SAYS.format(version=version, config=config))
    (folder / "bin/rsu").chmod(0o755)
    (folder / "lib/a/b/code.py").write_text(f"VERSION = {version!r}\n" * 200)
    (folder / "lib/empty").write_bytes(b"")
    return folder


def release_file(
    place: Path, version: str, counter: int, key: Ed25519PrivateKey = KEY, **more: object
) -> Path:
    """A signed release file in `place`."""
    config, arch = more.get("config", 0), str(more.get("arch", ""))
    folder = program(place / f"made-{version}-{len(list(place.iterdir()))}", version, int(str(config)))
    told = told_of(folder, version, counter, arch=arch, from_counter=int(str(more.get("after", 0))))
    out = place / f"{version}.tar.zst"
    pack(folder, told, signed(told, key), out)
    return out


def box(root: Path, version: str = "1.0", counter: int = 1) -> Releases:
    """A machine on which a release is in place, with its keeper."""
    kept = Releases(root)
    folder = program(kept.folder / version, version)
    (folder / TOLD).write_text(json.dumps({"version": version, "counter": counter}))
    (folder / COMPLETE).write_text("as it was")
    kept.link.symlink_to(f"releases/{version}")
    place(root)
    return kept


def keys(folder: Path) -> Path:
    """A folder of keys: one that signs, one that is none."""
    folder.mkdir(parents=True)
    text = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
    (folder / "ours.pub").write_text(text + "\n")
    (folder / "broken.pub").write_text("no key\n")
    assert list(known_keys(folder)) == ["ours"]
    return folder


def no_trial(_folder: Path, _release: Release) -> None:
    """A trial that finds nothing."""
