"""Commands from the district, their answers and the chunks of files, as bytes: canonical msgpack, Ed25519.

A sealed command is {v, b, g}: b the body's bytes, g the signature over SIGNED_AS + b. The body is a map
{site, seq, not_before, expires, kind, args}, in msgpack's shortest forms with keys in the order of their
UTF-8 bytes: there is one way to write it, and another is refused.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

import msgpack
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

VERSION = 1
SIGNED_AS = b"rsu/1/command\x00"  # so that what was signed for something else is no command
SIGNATURE_BYTES = 64
LARGEST_COMMAND = 16 << 10  # bytes of a sealed command
LARGEST_CHUNK = 128 << 10  # bytes of a file in one chunk
LARGEST_MESSAGE = LARGEST_CHUNK + 256
DEEPEST = 6
KEYS = {"site", "seq", "not_before", "expires", "kind", "args"}


class BadCommand(ValueError):
    """Bytes that are no command; `code` is the refusal's."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code, self.detail = code, detail


@dataclass(frozen=True, slots=True)
class Command:
    """What a body says. not_before_us, expires_us: UTC microseconds."""

    site: str
    seq: int
    not_before_us: int
    expires_us: int
    kind: str
    args: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of an offered file. offer: seq of the command that offered it; index counts from 0."""

    offer: int
    index: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a command. result: done, accepted, staged, refused; code: `ok` or the refusal's."""

    seq: int
    result: str
    code: str
    utc_us: int
    detail: dict[str, Any] = field(default_factory=dict)


def body_of(command: Command) -> bytes:
    """The bytes that are signed."""
    return canonical(
        {
            "site": command.site,
            "seq": command.seq,
            "not_before": command.not_before_us,
            "expires": command.expires_us,
            "kind": command.kind,
            "args": command.args,
        }
    )


def seal(command: Command, key: Ed25519PrivateKey) -> bytes:
    """A command as the district sends it."""
    body = body_of(command)
    return bytes(msgpack.packb({"v": VERSION, "b": body, "g": key.sign(SIGNED_AS + body)}))


def unseal(data: bytes) -> tuple[bytes, bytes]:
    """(body, signature) of a sealed command. Raises BadCommand: oversized, malformed, version."""
    if len(data) > LARGEST_COMMAND:
        raise BadCommand("oversized", f"{len(data)} bytes")
    value = _map(data)
    if value.get("v") != VERSION:
        raise BadCommand("version", f"{value.get('v')!r:.20}")
    body, signature = value.get("b"), value.get("g")
    if not isinstance(body, bytes) or not isinstance(signature, bytes) or len(signature) != SIGNATURE_BYTES:
        raise BadCommand("malformed", "body or signature")
    return body, signature


def signed_by(key: Ed25519PublicKey, body: bytes, signature: bytes) -> bool:
    """Whether this key signed this body as a command."""
    try:
        key.verify(signature, SIGNED_AS + body)
    except InvalidSignature:
        return False
    return True


def read_body(body: bytes) -> Command:
    """What a body says. Raises BadCommand('malformed')."""
    value = _map(body)
    if set(value) != KEYS:
        raise BadCommand("malformed", "its keys")
    seq, begins, ends = (value[key] for key in ("seq", "not_before", "expires"))
    whole = all(type(number) is int and 0 <= number < 1 << 63 for number in (seq, begins, ends))
    words = all(isinstance(value[key], str) and 0 < len(value[key]) <= 64 for key in ("site", "kind"))
    if not whole or not words or seq == 0 or not isinstance(value["args"], dict):
        raise BadCommand("malformed", "a value of another type")
    try:
        again = canonical(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadCommand("malformed", str(error)) from None
    if again != body:
        raise BadCommand("malformed", "not in canonical form")
    return Command(value["site"], seq, begins, ends, value["kind"], value["args"])


def canonical(value: Any) -> bytes:
    """The one way to write a value. Raises ValueError for what cannot be written so."""
    return bytes(msgpack.packb(_ordered(value, DEEPEST)))


def _ordered(value: Any, depth: int) -> Any:
    match value:
        case None | bool() | int() | str() | bytes():
            return value
        case dict() if depth and all(isinstance(key, str) for key in value):
            return {key: _ordered(value[key], depth - 1) for key in sorted(value, key=str.encode)}
        case list() if depth:
            return [_ordered(item, depth - 1) for item in value]
    raise ValueError("too deep, or of a type that a command cannot hold")


def pack_chunk(chunk: Chunk) -> bytes:
    """A piece of a file as the district sends it."""
    return bytes(msgpack.packb({"v": VERSION, "o": chunk.offer, "i": chunk.index, "d": chunk.data}))


def read_chunk(data: bytes) -> Chunk | None:
    """The chunk in a message; None: it is no chunk. Raises BadCommand: oversized, malformed."""
    if len(data) > LARGEST_MESSAGE:
        raise BadCommand("oversized", f"{len(data)} bytes")
    value = _map(data)
    if "o" not in value:
        return None
    offer, index, piece = value["o"], value.get("i"), value.get("d")
    if type(offer) is not int or type(index) is not int or not isinstance(piece, bytes):
        raise BadCommand("malformed", "a chunk")
    if value.get("v") != VERSION or offer < 1 or index < 0:
        raise BadCommand("malformed", "a chunk")
    if len(piece) > LARGEST_CHUNK:
        raise BadCommand("oversized", f"{len(piece)} bytes")
    return Chunk(offer, index, piece)


def pack_answer(answer: Answer) -> bytes:
    """An answer's bytes."""
    value = {"v": VERSION, "q": answer.seq, "r": answer.result, "c": answer.code, "t": answer.utc_us}
    return bytes(msgpack.packb(value | {"d": answer.detail}))


def unpack_answer(data: bytes) -> Answer:
    """The reverse. Raises BadCommand."""
    value = _map(data)
    try:
        return Answer(int(value["q"]), str(value["r"]), str(value["c"]), int(value["t"]), dict(value["d"]))
    except (KeyError, TypeError, ValueError) as error:
        raise BadCommand("malformed", str(error)) from None


def public_key(text: str) -> Ed25519PublicKey:
    """From base64 of its 32 bytes, as the site file holds it. Raises ValueError."""
    return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))


def public_text(key: Ed25519PrivateKey) -> str:
    """What the site file holds for this district key."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def _map(data: bytes) -> dict[str, Any]:
    try:
        value = msgpack.unpackb(data, strict_map_key=True)
    except (ValueError, RecursionError, msgpack.exceptions.UnpackException) as error:
        raise BadCommand("malformed", str(error)) from None
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise BadCommand("malformed", "no map of names")
    return value
