"""Whether a sealed file is what it says: digests, signatures, the chain. Nothing is unpacked."""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from rsu_agent.outlets.air_chain import Walked, head_text, key_name, walk
from rsu_agent.outlets.site_key import read_public
from rsu_agent.runtime.evidence_sealed import (
    ABOUT,
    AIR,
    FOLDER,
    HEAD_SIGNED,
    HEAD_TEXT,
    PUBLIC,
    SUMS,
    SUMS_SIGNED,
)

MOST_BYTES = 1 << 30
UNLISTED = {SUMS, SUMS_SIGNED}


@dataclass(slots=True)
class Proof:
    """What was found. own_key: no other key was given than the one inside."""

    own_key: bool
    key: str | None = None
    sealed: bool = False
    chain: Walked | None = None
    span: tuple[float, float] | None = None  # UTC seconds of the first and the last line
    about: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Nothing is wrong."""
        return not self.faults


def checked(path: Path, key: Ed25519PublicKey | None) -> Proof:
    """Check a sealed file. key: the site's, from elsewhere; None = the one inside. Raises OSError."""
    proof = Proof(key is None)
    parts = _parts(path, proof)
    public = key or _enclosed(parts, proof)
    if key is not None and PUBLIC in parts:
        inside = _enclosed(parts, proof)
        if inside is not None and inside.public_bytes_raw() != key.public_bytes_raw():
            proof.faults.append(f"{PUBLIC} inside is another key than the one given")
    _digests(parts, proof)
    if public is None:
        return proof
    proof.key = key_name(public)
    proof.sealed = _signed(parts, public, SUMS, SUMS_SIGNED, proof)
    proof.chain = walk(parts.get(AIR, b"").splitlines(), public)
    proof.faults += [f"{AIR}: {fault}" for fault in proof.chain.faults]
    if not proof.chain.lines:
        proof.faults.append(f"{AIR}: is empty or missing")
    proof.span = _span(parts.get(AIR, b"").splitlines())
    if HEAD_TEXT in parts:
        _signed(parts, public, HEAD_TEXT, HEAD_SIGNED, proof)
        _same_head(parts[HEAD_TEXT], proof)
    try:
        proof.about = json.loads(parts[ABOUT])
    except (KeyError, ValueError) as error:
        proof.faults.append(f"{ABOUT}: cannot be read ({error})")
    return proof


def _parts(path: Path, proof: Proof) -> dict[str, bytes]:
    parts: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r:") as tar:
            for entry in tar:
                name = entry.name.removeprefix(f"{FOLDER}/")
                if not entry.isfile() or "/" in name or name in parts or entry.size > MOST_BYTES:
                    proof.faults.append(f"{entry.name}: does not belong here")
                    continue
                stream = tar.extractfile(entry)
                parts[name] = b"" if stream is None else stream.read()
    except (tarfile.TarError, EOFError) as error:
        proof.faults.append(f"no whole tar: {error}")
    return parts


def _enclosed(parts: dict[str, bytes], proof: Proof) -> Ed25519PublicKey | None:
    try:
        return read_public(parts[PUBLIC])
    except (KeyError, ValueError):
        proof.faults.append(f"{PUBLIC}: missing, or no key")
        return None


def _digests(parts: dict[str, bytes], proof: Proof) -> None:
    listed: dict[str, str] = {}
    for line in parts.get(SUMS, b"").decode(errors="replace").splitlines():
        found = re.fullmatch(r"([0-9a-f]{64})  (\S+)", line)
        if found is None:
            proof.faults.append(f"{SUMS}: a line that is none")
        else:
            listed[found[2]] = found[1]
    for name in sorted(listed.keys() | parts.keys() - UNLISTED):
        if name not in parts:
            proof.faults.append(f"{name}: is missing")
        elif name not in listed:
            proof.faults.append(f"{name}: is not in {SUMS}")
        elif hashlib.sha256(parts[name]).hexdigest() != listed[name]:
            proof.faults.append(f"{name}: has been changed")


def _signed(parts: dict[str, bytes], key: Ed25519PublicKey, name: str, signature: str, proof: Proof) -> bool:
    try:
        key.verify(parts[signature], parts[name])
    except (KeyError, InvalidSignature):
        proof.faults.append(f"{signature}: does not sign {name} with this key")
        return False
    return True


def _span(lines: list[bytes]) -> tuple[float, float] | None:
    try:
        return json.loads(lines[0])["utc_s"], json.loads(lines[-1])["utc_s"]
    except (IndexError, KeyError, TypeError, ValueError):
        return None


def _same_head(text: bytes, proof: Proof) -> None:
    chain = proof.chain
    if chain is None or chain.signed_to is None or chain.signed_name is None or chain.site is None:
        proof.faults.append(f"{HEAD_TEXT}: signs nothing in {AIR}")
    elif text != head_text(chain.site, chain.signed_to, chain.signed_name):
        proof.faults.append(f"{HEAD_TEXT}: is not the last signature in {AIR}")
