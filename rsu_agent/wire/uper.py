"""Run time of the generated codecs: what carries its length, what lies beyond extension markers (X.691)."""

from __future__ import annotations

from rsu_agent.wire.uper_fault import Malformed, explain

__all__ = ["Malformed", "explain"]

MOST_ADDITIONS = 64  # a "normally small number" in its short form (X.691 11.6)
TEXT_BITS = {"IA5String": 7, "NumericString": 4}
DIGITS = " 0123456789"  # a NumericString's characters by their index


def read_bits(data: bytes, at: int, width: int) -> int:
    """`width` bits from bit `at`; `data` carries zero bytes beyond its end."""
    end = at + width
    return int.from_bytes(data[at >> 3 : (end + 7) >> 3], "big") >> (-end & 7) & ((1 << width) - 1)


def small(data: bytes, at: int) -> tuple[int, int]:
    """A normally small number and the position after it."""
    if read_bits(data, at, 1):
        raise Malformed("extension", "number beyond 63")
    return read_bits(data, at + 1, 6), at + 7


def length(data: bytes, at: int) -> tuple[int, int]:
    """A length determinant (X.691 11.9) and the position after it; fragments are refused."""
    first = read_bits(data, at, 8)
    if first < 0x80:
        return first, at + 8
    if first < 0xC0:
        return read_bits(data, at, 16) & 0x3FFF, at + 16
    raise Malformed("length", "fragmented")


def put_length(size: int) -> tuple[int, int]:
    """(integer, bits) of a length determinant."""
    if size >= 0x4000:
        raise Malformed
    return (size, 8) if size < 0x80 else (0x8000 | size, 16)


def open_type(data: bytes, at: int) -> tuple[bytes, int]:
    """The raw bytes of an open type and the position after them."""
    size, at = length(data, at)
    return _octets(data, at, size), at + 8 * size


def put_open(raw: bytes) -> tuple[int, int]:
    """(integer, bits) of raw bytes with their length."""
    head, width = put_length(len(raw))
    return head << 8 * len(raw) | int.from_bytes(raw, "big"), width + 8 * len(raw)


def _octets(data: bytes, at: int, size: int) -> bytes:
    if at + 8 * size > 8 * len(data):
        raise Malformed("length", f"{size} bytes announced, fewer follow")
    return read_bits(data, at, 8 * size).to_bytes(size, "big")


def additions(data: bytes, at: int) -> tuple[list[bytes | None], int]:
    """Extension additions of a SEQUENCE (X.691 19.7 to 19.9): raw bytes, None where one is absent."""
    count, at = small(data, at)
    present = read_bits(data, at, count + 1)
    at += count + 1
    found: list[bytes | None] = []
    for index in range(count, -1, -1):
        raw = None
        if present >> index & 1:
            raw, at = open_type(data, at)
        found.append(raw)
    return found, at


def put_additions(found: list[bytes | None]) -> tuple[int, int]:
    """(integer, bits) of extension additions as they were read."""
    if not 0 < len(found) <= MOST_ADDITIONS:
        raise Malformed
    a, n = len(found) - 1, 7
    for raw in found:
        a, n = a << 1 | (raw is not None), n + 1
    for raw in found:
        if raw is not None:
            m, k = put_open(raw)
            a, n = a << k | m, n + k
    return a, n


def alternative(data: bytes, at: int) -> tuple[tuple[str, bytes], int]:
    """An alternative of a CHOICE beyond its marker: ('ext:number', raw bytes)."""
    number, at = small(data, at)
    raw, at = open_type(data, at)
    return (f"ext:{number}", raw), at


def put_alternative(name: str, raw: bytes) -> tuple[int, int]:
    """(integer, bits), the extension bit among them, of an alternative handed over raw."""
    m, k = put_open(raw)
    return (1 << 7 | _number(name)) << k | m, 8 + k


def addition(data: bytes, at: int, later: tuple[str, ...]) -> tuple[str, int]:
    """A value of an ENUMERATED beyond its marker: its name, or 'ext:number' where we know none."""
    number, at = small(data, at)
    return later[number] if number < len(later) else f"ext:{number}", at


def put_addition(name: str, later: tuple[str, ...]) -> tuple[int, int]:
    """(integer, bits), the extension bit among them, of a value beyond the marker."""
    return 1 << 7 | (later.index(name) if name in later else _number(name)), 8


def _number(name: str) -> int:
    word, _, number = name.partition(":")
    if word != "ext" or not number.isdecimal() or int(number) >= MOST_ADDITIONS:
        raise Malformed
    return int(number)


def other_integer(data: bytes, at: int) -> tuple[int, int]:
    """A number outside an extensible range; `at` is behind the extension bit."""
    raw, at = open_type(data, at)
    return int.from_bytes(raw, "big", signed=True), at


def put_other_integer(value: int) -> tuple[int, int]:
    """(integer, bits), the extension bit among them, of a number outside an extensible range."""
    m, k = put_open(value.to_bytes((8 + (value + (value < 0)).bit_length()) // 8, "big", signed=True))
    return 1 << k | m, k + 1


def longer_list(data: bytes, at: int, low: int, high: int) -> tuple[int, int]:
    """The count of a list whose size is extensible."""
    if read_bits(data, at, 1):
        return length(data, at + 1)
    width = (high - low).bit_length()
    return read_bits(data, at + 1, width) + low, at + 1 + width


def put_longer_list(count: int) -> tuple[int, int]:
    """(integer, bits) of a count outside the root sizes."""
    m, k = put_length(count)
    return 1 << k | m, k + 1


def longer_bits(data: bytes, at: int) -> tuple[tuple[bytes, int], int]:
    """A BIT STRING of another size than its root's; `at` is behind the extension bit."""
    size, at = length(data, at)
    return _bits(data, at, size), at + size


def put_longer_bits(raw: bytes, size: int) -> tuple[int, int]:
    """(integer, bits), the extension bit among them."""
    if len(raw) != (size + 7) // 8:
        raise Malformed
    m, k = put_length(size)
    return (1 << k | m) << size | int.from_bytes(raw, "big") >> (-size & 7), 1 + k + size


def _bits(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    if at + size > 8 * len(data):
        raise Malformed("bit string", "ends too early")
    return (read_bits(data, at, size) << (-size & 7)).to_bytes((size + 7) // 8, "big"), size


def _size(data: bytes, at: int, low: int, high: int) -> tuple[int, int]:
    """A size within bounds, in the bits that the bounds need."""
    width = (high - low).bit_length()
    size = read_bits(data, at, width) + low
    if size > high:
        raise Malformed("length", f"{size} not in {low}..{high}")
    return size, at + width


def bits(data: bytes, at: int, low: int, high: int) -> tuple[tuple[bytes, int], int]:
    """A BIT STRING whose size varies."""
    size, at = _size(data, at, low, high)
    return _bits(data, at, size), at + size


def put_bits(value: tuple[bytes, int], low: int, high: int) -> tuple[int, int]:
    """(integer, bits) of a BIT STRING whose size varies."""
    raw, size = value
    if not low <= size <= high or len(raw) != (size + 7) // 8:
        raise Malformed
    return (size - low) << size | int.from_bytes(raw, "big") >> (-size & 7), (high - low).bit_length() + size


def octets(data: bytes, at: int, low: int, high: int) -> tuple[bytes, int]:
    """An OCTET STRING whose size varies."""
    size, at = _size(data, at, low, high)
    return _octets(data, at, size), at + 8 * size


def put_octets(value: bytes, low: int, high: int) -> tuple[int, int]:
    """(integer, bits) of an OCTET STRING whose size varies."""
    size = len(value)
    if not low <= size <= high:
        raise Malformed
    return (size - low) << 8 * size | int.from_bytes(value, "big"), (high - low).bit_length() + 8 * size


def text(data: bytes, at: int, kind: str, low: int, high: int) -> tuple[str, int]:
    """Text: 7 or 4 bits a character behind its count, or UTF-8 behind its length in bytes."""
    if kind == "UTF8String":
        raw, at = open_type(data, at)
        return _utf8(raw, low, high), at
    width = TEXT_BITS[kind]
    size, at = _size(data, at, low, high)
    if at + width * size > 8 * len(data):
        raise Malformed("text", "ends too early")
    codes = [read_bits(data, at + width * i, width) for i in range(size)]
    return "".join(map(chr, codes) if width == 7 else (DIGITS[code] for code in codes)), at + width * size


def _utf8(raw: bytes, low: int, high: int) -> str:
    try:
        value = raw.decode()
    except UnicodeDecodeError as error:
        raise Malformed("text", str(error)) from None
    if not low <= len(value) <= high:
        raise Malformed("text", f"{len(value)} characters not in {low}..{high}")
    return value


def put_text(value: str, kind: str, low: int, high: int) -> tuple[int, int]:
    """(integer, bits) of text. Raises Malformed, ValueError."""
    size = len(value)
    if not low <= size <= high:
        raise Malformed
    if kind == "UTF8String":
        return put_open(value.encode())
    width = TEXT_BITS[kind]
    a = size - low
    for code in value.encode("ascii") if width == 7 else map(DIGITS.index, value):
        a = a << width | code
    return a, (high - low).bit_length() + width * size
