"""Trouble with a device: the only failure that is met by trying again."""

from __future__ import annotations


class DeviceLost(Exception):
    """A device cannot be used now; back off and open it again.

    reason: a stable lower-case word, also the metric label (`missing`, `permission`, `busy`, `silent`,
    `garbled`, `refused`, `closed`, `timeout`, `frozen`, `late`, `ended`); hint: what a technician does next.
    """

    def __init__(self, reason: str, detail: str = "", hint: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.hint = hint
