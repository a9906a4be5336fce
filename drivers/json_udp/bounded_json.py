"""JSON from a stranger: bounded in size, depth and digits before anything is built of it."""

from __future__ import annotations

import json
import math
import re
from typing import Any

LARGEST_BYTES = 65_507  # of a UDP datagram
DEEPEST = 16
LONGEST_NUMBER = 32

# A string without end is matched to the document's end: sought anew at each quote it would cost its square
_MARKS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)


class Refused(ValueError):
    """Not taken; the text is a word: size, depth or json."""


def loads(data: bytes) -> Any:
    """The value of a document. Raises Refused."""
    if len(data) > LARGEST_BYTES:
        raise Refused("size")
    if _too_deep(data):
        raise Refused("depth")
    try:
        return json.loads(
            data.decode("utf-8-sig"), parse_constant=_no_number, parse_int=_whole, parse_float=_real
        )
    except (ValueError, RecursionError):
        raise Refused("json") from None


def number(value: Any) -> float | None:
    """A finite number, in quotes or not; None: something else."""
    if isinstance(value, str):
        if len(value) > LONGEST_NUMBER or "_" in value:
            return None
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _too_deep(data: bytes) -> bool:
    depth = 0
    for mark in _MARKS.finditer(data):
        first = mark[0][0]
        if first in b"[{":
            depth += 1
            if depth > DEEPEST:
                return True
        elif first in b"]}":
            depth -= 1
    return False


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is no number")


def _whole(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise ValueError("a number too long")
    return int(digits)


def _real(digits: str) -> float:
    if len(digits) > LONGEST_NUMBER:
        raise ValueError("a number too long")
    return float(digits)
