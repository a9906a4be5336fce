"""The chain of the air record: each line names the digest of the one before; heads are signed. Pure.

A line is one JSON object in UTF-8. `prev` is the SHA-256 of the line before it, without its line feed, so
that `sha256sum` can follow the chain. A line of kind `head` signs the line before it (Ed25519).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

NOTHING = "0" * 64  # what the first line of all names
HEAD = "head"
MOST_FAULTS = 20


def digest(line: bytes) -> str:
    """The name of a line."""
    return hashlib.sha256(line).hexdigest()


def head_text(site: str, number: int, name: str) -> bytes:
    """What is signed: three lines of text and a caption."""
    return f"rsu-agent air record\n{site}\n{number}\n{name}\n".encode()


def key_name(key: Ed25519PublicKey) -> str:
    """A short name of a public key."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


@dataclass(slots=True)
class Chain:
    """Where the next line is added."""

    number: int = 0
    name: str = NOTHING

    def add(self, kind: str, utc_s: float, **value: Any) -> bytes:
        """The next line, without line feed."""
        told = {"n": self.number + 1, "prev": self.name, "utc_s": round(utc_s, 3), "k": kind, **value}
        line = json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        self.number, self.name = self.number + 1, digest(line)
        return line

    def head(self, utc_s: float, site: str, key: Ed25519PrivateKey) -> bytes:
        """A line that signs everything before it."""
        signature = key.sign(head_text(site, self.number, self.name))
        return self.add(
            HEAD,
            utc_s,
            site=site,
            key=key_name(key.public_key()),
            sig=base64.b64encode(signature).decode(),
        )


@dataclass(slots=True)
class Walked:
    """What a walk along the chain found. signed_to: the last line that a good signature covers."""

    lines: int = 0
    first: int | None = None
    last: int | None = None
    name: str = NOTHING
    heads: int = 0
    signed_to: int | None = None
    signed_name: str | None = None
    signature: str | None = None
    site: str | None = None
    faults: list[str] = field(default_factory=list)

    @property
    def unsigned(self) -> int:
        """Lines behind the last signature, without the signatures themselves."""
        covered = 0 if self.signed_to is None or self.first is None else self.signed_to - self.first + 2
        return max(0, self.lines - covered)

    def fault(self, text: str) -> None:
        """Take note of one."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(text)


def walk(lines: Iterable[bytes], key: Ed25519PublicKey | None) -> Walked:
    """Follow the chain; the first line may name one that is not there (a slice, or forgotten days)."""
    found = Walked()
    before: str | None = None
    for line in lines:
        found.lines += 1
        try:
            value = json.loads(line)
            number, prev, kind = int(value["n"]), str(value["prev"]), value["k"]
        except (ValueError, KeyError, TypeError):
            found.fault(f"line {found.lines}: cannot be read")
            before, found.last = digest(line), None if found.last is None else found.last + 1
            continue
        if found.first is None:
            found.first = number
            if number == 1 and prev != NOTHING:
                found.fault("line 1 names one before it")
        elif number != (found.last or 0) + 1:
            found.fault(f"line {number}: comes after {found.last}")
        if before is not None and prev != before:
            found.fault(f"line {number}: the line before it is not the one it names")
        if kind == HEAD:
            _head(found, value, number, prev, key)
        before, found.last = digest(line), number
    found.name = before or NOTHING
    return found


def _head(found: Walked, value: dict[str, Any], number: int, prev: str, key: Ed25519PublicKey | None) -> None:
    found.heads += 1
    if found.lines == 1:
        return  # it signs a line that is not in this slice
    if key is None:
        return
    try:
        site, signature = str(value["site"]), str(value["sig"])
        if found.site not in (None, site):
            found.fault(f"line {number}: signed for {site}")
        key.verify(base64.b64decode(signature, validate=True), head_text(site, number - 1, prev))
    except (InvalidSignature, ValueError, KeyError, TypeError):
        found.fault(f"line {number}: the signature is not good")
        return
    found.site, found.signed_to, found.signed_name = site, number - 1, prev
    found.signature = signature
