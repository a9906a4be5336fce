"""The minutes around an instant, sealed: air record, the ring's slice, map, versions, signatures."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import platform
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rsu_agent.outlets.air_chain import HEAD, head_text, key_name
from rsu_agent.outlets.air_store import all_lines
from rsu_agent.outlets.site_key import public_pem
from rsu_agent.ports.recording import BEGUN, START, TORN, Entry, Recording, RecordingFile
from rsu_agent.runtime.replay import COPY
from rsu_agent.runtime.story import LATE_S, on_utc
from rsu_agent.version import __version__

FOLDER = "evidence"
SUMS, SUMS_SIGNED = "SHA256SUMS", "SHA256SUMS.sig"
AIR, HEAD_TEXT, HEAD_SIGNED, PUBLIC, ABOUT = "air.jsonl", "head.txt", "head.sig", "site.pub", "about.json"
RING, CROSSING, README = "ring.mcap", "crossing.geojson", "README.txt"
HOW = f"""Evidence of a roadside agent. To check it with nothing but this folder and the site's public key
(site.pub, which you should have from elsewhere, too):

  sha256sum -c {SUMS}
  openssl pkeyutl -verify -pubin -inkey {PUBLIC} -rawin -in {SUMS} -sigfile {SUMS_SIGNED}
  openssl pkeyutl -verify -pubin -inkey {PUBLIC} -rawin -in {HEAD_TEXT} -sigfile {HEAD_SIGNED}

{AIR} is the record of what changed on air; `prev` in each line is the SHA-256 of the line before it.
{HEAD_TEXT} is the text that the site signed at the time: its last two lines are the number and the SHA-256 of
a line of {AIR}. `rsu evidence verify FILE --key site.pub` does all of this and says what it proves.
"""


@dataclass(frozen=True, slots=True)
class Window:
    """UTC seconds."""

    at_s: float
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class Sources:
    """Where things lie. site, crossing: None or not there: left out, and said."""

    air: Path
    ring: Path
    site: Path | None
    crossing: Path | None


def sealed(window: Window, sources: Sources, key: Ed25519PrivateKey, made_utc_s: float) -> tuple[bytes, Any]:
    """(the tar, what it is about). Raises OSError; ValueError where the air record has nothing of it."""
    lines = list(air_slice(all_lines(sources.air), window))
    if not lines:
        raise ValueError("the air record has nothing of these minutes")
    parts = {AIR: b"".join(line + b"\n" for line in lines), PUBLIC: public_pem(key.public_key())}
    head = _head(lines)
    if head is not None:
        parts[HEAD_TEXT], parts[HEAD_SIGNED] = head
    missing: dict[str, str] = {}
    ring = ring_slice(sources.ring, window)
    if ring is None:
        missing[RING] = "the ring has forgotten these minutes, or never had them"
    else:
        parts[RING] = ring
    _file(parts, missing, CROSSING, sources.crossing)
    about = _about(window, lines, key, made_utc_s, sources, missing)
    parts[ABOUT] = (json.dumps(about, ensure_ascii=False, indent=1) + "\n").encode()
    parts[README] = HOW.encode()
    return packed(parts, key, made_utc_s), about | {"parts": sorted(parts)}


def packed(parts: dict[str, bytes], key: Ed25519PrivateKey, made_utc_s: float) -> bytes:
    """A tar of all parts, the list of their digests, and the list's signature."""
    sums = "".join(f"{hashlib.sha256(parts[name]).hexdigest()}  {name}\n" for name in sorted(parts)).encode()
    whole = parts | {SUMS: sums, SUMS_SIGNED: key.sign(sums)}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in sorted(whole):
            entry = tarfile.TarInfo(f"{FOLDER}/{name}")
            entry.size, entry.mtime, entry.mode = len(whole[name]), round(made_utc_s), 0o644
            tar.addfile(entry, io.BytesIO(whole[name]))
    return out.getvalue()


def air_slice(lines: Iterator[bytes], window: Window) -> Iterator[bytes]:
    """From the last signed head before the window to the first one after it; without a gap."""
    before: list[bytes] = []
    within = False
    for line in lines:
        value = _value(line)
        utc_s = value.get("utc_s", 0.0)
        if not within and utc_s < window.from_s:
            if value.get("k") == HEAD:
                before.clear()
            before.append(line)
            continue
        if not within:
            if utc_s > window.to_s and not before:
                return
            within = True
            yield from before
        yield line
        if utc_s > window.to_s and value.get("k") == HEAD:
            return
    if not within and before and window.from_s - _value(before[-1]).get("utc_s", 0.0) < _STANDS_S:
        yield from before


_STANDS_S = 86_400.0  # a crossing that tells no change for a day has none: what stood before is the evidence


def _value(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _head(lines: list[bytes]) -> tuple[bytes, bytes] | None:
    """The last signature that covers a line of the slice: its text, and its bytes."""
    for line in reversed(lines[1:]):
        value = _value(line)
        if value.get("k") == HEAD:
            text = head_text(value["site"], value["n"] - 1, value["prev"])
            return text, base64.b64decode(value["sig"])
    return None


def ring_slice(folder: Path, window: Window) -> bytes | None:
    """The black box's entries of the window as one MCAP file; None: it has none of them."""
    try:
        with Recording(folder, window.from_s - 1) as ring:
            chosen = list(_chosen(ring.entries(), window))
    except FileNotFoundError:
        return None
    if not chosen:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / RING
        file = RecordingFile(path)
        for entry in chosen:
            file.add(entry)
        file.close()
        return path.read_bytes()


def _chosen(entries: Iterable[Entry], window: Window) -> Iterator[Entry]:
    start: Entry | None = None
    begun = False
    for utc_s, entry in on_utc(entries):
        if entry.topic in (START, BEGUN):
            start = entry
        if utc_s is not None and utc_s > window.to_s + LATE_S:
            return
        if utc_s is None or entry.topic == TORN or not window.from_s <= utc_s <= window.to_s:
            continue
        if not begun:
            begun = True
            yield Entry(COPY, entry.at_s, {"from_s": entry.at_s})
            if start is not None and start is not entry:
                began_s = start.value.get("began_s", start.at_s)
                yield Entry(BEGUN, entry.at_s, start.value | {"began_s": began_s})
        yield entry


def _file(parts: dict[str, bytes], missing: dict[str, str], name: str, path: Path | None) -> None:
    try:
        if path is None:
            raise FileNotFoundError("not named")
        parts[name] = path.read_bytes()
    except OSError as error:
        missing[name] = error.strerror or str(error)


def _about(
    window: Window,
    lines: list[bytes],
    key: Ed25519PrivateKey,
    made_utc_s: float,
    sources: Sources,
    missing: dict[str, str],
) -> dict[str, Any]:
    values = [_value(line) for line in lines]
    begins = [value for value in values if value.get("k") == "begin"]
    site_file = None
    if sources.site is not None and sources.site.is_file():
        site_file = hashlib.sha256(sources.site.read_bytes()).hexdigest()
    return {
        "format": 1,
        "site": next((value["site"] for value in values if "site" in value), None),
        "at_utc_s": window.at_s,
        "from_utc_s": window.from_s,
        "to_utc_s": window.to_s,
        "made_utc_s": round(made_utc_s, 3),
        "version": __version__,
        "python": platform.python_version(),
        "site_file_sha256": site_file,
        "begins": begins,
        "clock": [value for value in values if value.get("k") == "clock"],
        "lines": len(lines),
        "first": values[0].get("n"),
        "last": values[-1].get("n"),
        "key": key_name(key.public_key()),
        "missing": missing,
    }
