"""Reading a leap-seconds.list (IERS, NIST, tzdata): TAI minus UTC, until when it is known. Pure."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from itertools import pairwise

NTP_EPOCH_S = 2_208_988_800  # from 1900 to the Unix epoch of 1970
NUMBER = "([0-9]{1,12})"
UPDATED = re.compile(rf"^#\$[ \t]*{NUMBER}[ \t]*\r?$", re.MULTILINE)
EXPIRES = re.compile(rf"^#@[ \t]*{NUMBER}[ \t]*\r?$", re.MULTILINE)
HASH = re.compile(r"^#h((?:[ \t]+[0-9a-fA-F]{1,8}){5})[ \t]*\r?$", re.MULTILINE)
CHANGE = re.compile(rf"^{NUMBER}[ \t]+([0-9]{{1,4}})[ \t]*(?:#.*)?$")


class LeapFileFault(ValueError):
    """A file that is not to be used.

    reason: `no_update`, `no_expiry`, `no_hash`, `wrong_hash`, `no_entry`, `bad_entry` or `out_of_order`.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class LeapFile:
    """expires_utc_s: after it the file knows nothing. changes: (UTC, TAI minus UTC from then on), both s."""

    expires_utc_s: float
    changes: tuple[tuple[float, int], ...]

    def tai_minus_utc_s(self, utc_s: float) -> int | None:
        """TAI minus UTC at that instant; None: before the first entry, or the file has expired."""
        if utc_s >= self.expires_utc_s:
            return None
        return next((offset_s for from_s, offset_s in reversed(self.changes) if from_s <= utc_s), None)


def read_leap_file(text: str) -> LeapFile:
    """The content of the file, its hash checked. Raises LeapFileFault.

    The hash is the SHA-1 of the digits of update, expiry and every entry, without any spaces.
    """
    updated, expires = _only(UPDATED, text, "no_update"), _only(EXPIRES, text, "no_expiry")
    entries = [_entry(line) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not entries:
        raise LeapFileFault("no_entry")
    words = [int(word, 16) for word in _only(HASH, text, "no_hash").split()]
    hashed = hashlib.sha1("".join([updated, expires, *map("".join, entries)]).encode(), usedforsecurity=False)
    if b"".join(word.to_bytes(4, "big") for word in words) != hashed.digest():
        raise LeapFileFault("wrong_hash")
    changes = tuple((float(int(at) - NTP_EPOCH_S), int(offset)) for at, offset in entries)
    if any(earlier[0] >= later[0] for earlier, later in pairwise(changes)):
        raise LeapFileFault("out_of_order")
    return LeapFile(float(int(expires) - NTP_EPOCH_S), changes)


def _only(pattern: re.Pattern[str], text: str, reason: str) -> str:
    found = pattern.findall(text)
    if len(found) != 1:
        raise LeapFileFault(reason, f"{len(found)} such lines")
    return str(found[0])


def _entry(line: str) -> tuple[str, str]:
    entry = CHANGE.match(line)
    if entry is None:
        raise LeapFileFault("bad_entry", line[:60])
    return entry.group(1), entry.group(2)
