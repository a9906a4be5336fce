"""RSMP messages: JSON, each ended by a form feed. What leaves is built here, and none of it commands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

END = b"\x0c"
LARGEST_BYTES = 65_536
MESSAGE_TYPE = "rSMsg"


class Reader:
    """Bytes in, messages out: a dict for a JSON object, a word for anything else."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._skipping = False

    def receive(self, data: bytes) -> Iterator[dict[str, Any] | str]:
        """Take what the connection has brought. Words: long, json or object."""
        *whole, rest = data.split(END)
        for part in whole:
            text = bytes(self._held + part)
            self._held.clear()
            if self._skipping:
                self._skipping = False
            elif text.strip():
                yield _read(text) if len(text) <= LARGEST_BYTES else "long"
        if not self._skipping:
            self._held += rest
        if len(self._held) > LARGEST_BYTES:
            self._held.clear()
            self._skipping = True
            yield "long"


def _read(text: bytes) -> dict[str, Any] | str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return "json"
    return value if isinstance(value, dict) else "object"


def packed(message: Mapping[str, Any]) -> bytes:
    """A message as it leaves."""
    return json.dumps({"mType": MESSAGE_TYPE, **message}, separators=(",", ":")).encode() + END


def acknowledged(message_id: str) -> bytes:
    """MessageAck."""
    return packed({"type": "MessageAck", "oMId": message_id})


def not_acknowledged(message_id: str, reason: str) -> bytes:
    """MessageNotAck."""
    return packed({"type": "MessageNotAck", "oMId": message_id, "rea": reason})


def version(message_id: str, versions: Sequence[str], sites: Sequence[str], sxl: str) -> bytes:
    """Version, in answer to the site's."""
    return packed(
        {
            "type": "Version",
            "mId": message_id,
            "RSMP": [{"vers": each} for each in versions],
            "siteId": [{"sId": each} for each in sites],
            "SXL": sxl,
        }
    )


def watchdog(message_id: str, stamp: str) -> bytes:
    """Watchdog."""
    return packed({"type": "Watchdog", "mId": message_id, "wTs": stamp})


def subscription(
    message_id: str, component: str, code: str, names: Sequence[str], rate_s: int, *, on_change: bool | None
) -> bytes:
    """StatusSubscribe for values of one status. on_change None: a version before 3.1.5 lacks the field."""
    more = {} if on_change is None else {"sOc": on_change}
    return packed(
        {
            "type": "StatusSubscribe",
            "mId": message_id,
            "ntsOId": "",
            "xNId": "",
            "cId": component,
            "sS": [{"sCI": code, "n": name, "uRt": str(rate_s), **more} for name in names],
        }
    )
