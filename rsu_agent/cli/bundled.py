"""What a bundle holds: texts and figures of a box, running or not; no picture and no secret."""

from __future__ import annotations

import io
import json
import platform
import shutil
import subprocess
import sys
import tarfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import zstandard

from rsu_agent.cli.client import peek
from rsu_agent.outlets.outbox import read_numbers
from rsu_agent.settings.parts import extra_files
from rsu_agent.settings.secrets import leaks, secrets_of, without_secrets
from rsu_agent.version import __version__

MOST_BYTES = 4 << 20  # of one part; of the journal the newest
LEVEL = 9  # of zstd
JOURNAL_S = 15.0
MOST_FILES = 5000
ASKED = ("status", "messages", "guard", "changes", "crossing")  # of the running agent


@dataclass(frozen=True, slots=True)
class Box:
    """Where things are."""

    site: Path
    state: Path
    socket: Path


def parts(box: Box) -> Iterator[tuple[str, Callable[[], str]]]:
    """(name in the bundle, what makes its text). A part that cannot be made raises, and is told of."""
    yield "about.json", lambda: _json(_about())
    yield "site.yaml", box.site.read_text
    for path in extra_files(box.site):
        yield f"conf.d/{path.name}", path.read_text
    yield "generations.jsonl", lambda: _text(box.state / "config" / "history.jsonl")
    for what in ASKED:
        yield f"agent/{what}.json", lambda what=what: _json(_asked(box.socket, what))  # type: ignore[misc]
    yield "agent/metrics.txt", lambda: _metrics(box.socket.parent)
    yield "outbox.json", lambda: _json(read_numbers(box.state / "outbox"))
    yield "files.txt", lambda: "\n".join(_files(box.state))
    yield "journal.txt", _journal


def collected(box: Box) -> tuple[dict[str, str], dict[str, str]]:
    """({name: text}, {name: why it is missing}); nothing with a secret in it."""
    secrets = frozenset(secret for path in (box.site, *extra_files(box.site)) for secret in _secrets_in(path))
    texts: dict[str, str] = {}
    missing: dict[str, str] = {}
    for name, make in parts(box):
        try:
            text = without_secrets(make()[:MOST_BYTES], secrets)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            missing[name] = str(error)
            continue
        if found := leaks(text, secrets):
            missing[name] = f"holds {', '.join(found)}"
        else:
            texts[name] = text
    return texts, missing


def packed(texts: dict[str, str]) -> bytes:
    """A tar, compressed by zstd."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for name, text in texts.items():
            data = text.encode()
            entry = tarfile.TarInfo(f"rsu-bundle/{name}")
            entry.size, entry.mtime, entry.mode = len(data), round(time.time()), 0o600
            tar.addfile(entry, io.BytesIO(data))
    return zstandard.ZstdCompressor(level=LEVEL).compress(plain.getvalue())


def _about() -> dict[str, Any]:
    packages = sorted((each.metadata["Name"], each.version) for each in distributions())
    return {
        "version": __version__,
        "made_utc_s": round(time.time(), 3),
        "python": sys.version,
        "platform": platform.platform(),
        "machine": platform.machine(),
        "packages": dict(packages),
    }


def _secrets_in(path: Path) -> frozenset[str]:
    try:
        return secrets_of(path.read_text(errors="replace"))
    except OSError:
        return frozenset()


def _asked(socket: Path, what: str) -> dict[str, Any]:
    told = peek(socket, what)
    if told is None:
        raise OSError("the agent does not answer")
    return told


def _metrics(run: Path) -> str:
    port = int((run / "metrics.port").read_text())
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return str(answer.read(MOST_BYTES).decode())


def _files(state: Path) -> Iterator[str]:
    """Names and sizes of what the agent keeps, and how full its disk is."""
    usage = shutil.disk_usage(state)
    yield f"disk: {usage.used} of {usage.total} bytes used"
    for count, path in enumerate(sorted(state.rglob("*"))):
        if count >= MOST_FILES:
            yield f"... more than {MOST_FILES}"
            return
        if path.is_file():
            told = path.stat()
            yield f"{told.st_size:>12} {round(told.st_mtime)} {path.relative_to(state)}"


def _journal() -> str:
    journalctl = shutil.which("journalctl")
    if journalctl is None:
        raise OSError("there is no journalctl here")
    command = [journalctl, "--unit=rsu-agent*", "--since=-24h", "--no-pager", "--output=short-iso", "--quiet"]
    done = subprocess.run(command, capture_output=True, timeout=JOURNAL_S, check=False)
    if done.returncode:
        raise OSError(done.stderr.decode(errors="replace").strip()[:200] or "journalctl failed")
    return done.stdout[-MOST_BYTES:].decode(errors="replace")


def _text(path: Path) -> str:
    with path.open(errors="replace") as file:
        return file.read(MOST_BYTES)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)[:MOST_BYTES]
