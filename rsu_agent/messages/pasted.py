"""Bytes out of what people paste: hex in any dress, base64, a line of a log, the text for RSU 4.1 radios."""

from __future__ import annotations

import base64
import binascii
import re

LEAST_BYTES = 4  # shorter runs of hex digits in a line are times, counters and words
WHOLE_BYTES = 12  # one word of so many is a message, not a group of a dump
HEX_RUN = re.compile(r"(?:0x)?[0-9A-Fa-f]{2}(?:[\s:,;]*(?:0x)?[0-9A-Fa-f]{2})*")
BASE64_RUN = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
SEPARATORS = re.compile(r"0x|[\s:,;]", re.IGNORECASE)
PAYLOAD = re.compile(r"^Payload=([0-9A-Fa-f]+)$", re.MULTILINE)


def candidates(text: str) -> list[bytes]:
    """The byte strings that the text may mean, the likeliest first; none if it holds none."""
    if payload := PAYLOAD.search(text):
        return [bytes.fromhex(payload.group(1))] if len(payload.group(1)) % 2 == 0 else []
    found = [raw for run in HEX_RUN.findall(text) if len(raw := _from_hex(run)) >= LEAST_BYTES]
    words = [raw for word in text.split() if len(raw := _from_hex(word)) >= LEAST_BYTES]
    packed = [raw for run in BASE64_RUN.findall(text) if len(raw := _from_base64(run)) >= LEAST_BYTES]
    whole = [raw for raw in words if len(raw) >= WHOLE_BYTES]  # a time of day before it is no part of it
    ordered = [sorted(some, key=len, reverse=True) for some in (whole, found, words, packed)]
    return list(dict.fromkeys(raw for some in ordered for raw in some))


def _from_hex(run: str) -> bytes:
    digits = SEPARATORS.sub("", run)
    try:
        return bytes.fromhex(digits)
    except ValueError:
        return b""


def _from_base64(run: str) -> bytes:
    whole = run.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(whole + "=" * (-len(whole) % 4), validate=True)
    except binascii.Error:
        return b""
