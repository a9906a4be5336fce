"""From bytes under a topic to an envelope that may be stored, or to a dead letter that says why not."""

from __future__ import annotations

import io
import json
import math
import re
from typing import Any

import msgpack
import zstandard

from rsu_agent.district.facts import as_json
from rsu_agent.district.sink import DeadLetter, SiteState, Taken
from rsu_agent.ports.envelope import (
    MAGIC,
    SCHEMA,
    BadEnvelope,
    Envelope,
    envelope_identity,
    envelope_of,
    unpack_map,
)

TOPIC_PARTS = 6
MOST_KEPT = 4096  # bytes of a dead letter
MOST_SEQ = 1 << 62  # the next number must still be a number of the database
HEAD = 1024  # bytes of an envelope that hold its identity
HEAD_WINDOW = 8 << 20  # of a frame that is only looked into; an honest one is far smaller
MOST_TEXT = 200
LARGEST_STATE = 64 << 10
NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # what PostgreSQL has no place for


def read(topic: str, payload: bytes) -> Taken | DeadLetter:
    """One message of .../up/{lane}."""
    parts = topic.split("/")
    if len(parts) != TOPIC_PARTS or parts[4] != "up" or not 0 < len(parts[3]) <= 64:
        return _dead(topic, payload, "strange_topic", "")
    prefix = "/".join(parts[:4])
    try:
        taken = _taken(prefix, payload)
        if taken.envelope.site != parts[3] or taken.envelope.lane != parts[5]:
            raise BadEnvelope("misdirected", "topic and envelope disagree", _identity(taken.envelope))
    except BadEnvelope as bad:
        identity = bad.identity or head_identity(payload)
        if identity is not None and (identity[1] != parts[5] or identity[2] >= MOST_SEQ):
            identity = None
        return _dead(topic, payload, bad.code, str(bad), prefix, identity)
    return taken


def read_state(topic: str, payload: bytes) -> SiteState | None:
    """One message of .../state: JSON or msgpack; None under a topic of another shape."""
    parts = topic.split("/")
    if len(parts) != TOPIC_PARTS - 1 or not 0 < len(parts[3]) <= 64 or not 0 < len(parts[2]) <= 64:
        return None
    body: Any = {}
    if len(payload) <= LARGEST_STATE:
        try:
            body = json.loads(payload) if payload[:1] == b"{" else msgpack.unpackb(payload)
            if not isinstance(body, dict) or "\\u0000" in as_json(body):
                body = {}
        except (ValueError, TypeError, RecursionError, msgpack.exceptions.UnpackException):
            body = {}
    return SiteState(parts[2], parts[3], body)


def head_identity(payload: bytes) -> tuple[int, str, int] | None:
    """(epoch, lane, seq) from the first bytes of what is too big, cut short or spoilt further on."""
    head, told = payload[:HEAD], dict[Any, Any]()
    try:
        if head[:4] == MAGIC:
            head = (
                zstandard.ZstdDecompressor(max_window_size=HEAD_WINDOW)
                .stream_reader(io.BytesIO(payload))
                .read(HEAD)
            )
        reader = msgpack.Unpacker(io.BytesIO(head), max_buffer_size=HEAD)
        for _ in range(min(reader.read_map_header(), 16)):
            key = reader.unpack()
            if key == "r":
                break
            told[key] = reader.unpack()
    except (ValueError, TypeError, zstandard.ZstdError, msgpack.exceptions.UnpackException):
        pass  # what was read before may be enough
    return envelope_identity(told)


def _taken(prefix: str, payload: bytes) -> Taken:
    value = unpack_map(payload)
    version = value.get("v")
    if isinstance(version, int) and version > SCHEMA:
        return _foreign(prefix, payload, value, version)
    envelope = envelope_of(value)
    identity = _identity(envelope)
    finite = envelope.clock_bound_s is None or math.isfinite(envelope.clock_bound_s)
    if envelope.seq >= MOST_SEQ or "\0" in envelope.site or not finite:
        raise BadEnvelope("invalid", "number, name or clock bound", identity)
    try:
        bodies = tuple(map(as_json, envelope.records))
    except (ValueError, TypeError, RecursionError) as error:
        raise BadEnvelope("invalid", str(error), identity) from None
    if any("\\u0000" in body and NUL.search(body) for body in bodies):
        raise BadEnvelope("invalid", "a text with NUL", identity)
    return Taken(prefix, envelope, bodies)


def _foreign(prefix: str, payload: bytes, value: dict[str, Any], version: int) -> Taken:
    """A version that came after this receiver: its identity is all that is read of it."""
    identity = envelope_identity(value)
    site, utc_us = value.get("s"), value.get("t")
    if identity is None or identity[2] >= MOST_SEQ or not isinstance(site, str) or not 0 < version < 1 << 31:
        raise BadEnvelope("version", f"schema {version}", identity)
    epoch, lane, seq = identity
    known_us = utc_us if isinstance(utc_us, int) and 0 <= utc_us < 1 << 62 else 0
    return Taken(prefix, Envelope(site, epoch, lane, seq, known_us, (), version=version), raw=payload)


def _identity(envelope: Envelope) -> tuple[int, str, int]:
    return envelope.epoch, envelope.lane, envelope.seq


def _dead(
    topic: str,
    payload: bytes,
    reason: str,
    detail: str,
    prefix: str | None = None,
    identity: tuple[int, str, int] | None = None,
) -> DeadLetter:
    topic, detail = (text.replace("\0", "")[:MOST_TEXT] for text in (topic, detail))
    return DeadLetter(topic, reason, detail, payload[:MOST_KEPT], len(payload), prefix, identity)
