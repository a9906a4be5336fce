"""A disk that is full though the outbox is not: a reserve gives way, and what is held becomes the quota."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path

from rsu_agent.outlets.outbox_file import pages
from rsu_agent.outlets.outbox_lane import Lane

log = logging.getLogger(__name__)
RESERVE_SHARE = 64  # of the quota: small, as a simulated fleet has a thousand on one disk
LARGEST_RESERVE = 1 << 20  # bytes: as much as a -wal file
TRY_S = 60.0  # how soon after a full disk the quota is tried again
FAULTS = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)


class Disk:
    """The folder's reserve file, and whether the disk takes anything."""

    def __init__(self, folder: Path, quota_bytes: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._reserve = folder / "reserve"
        self.reserve_bytes = min(LARGEST_RESERVE, quota_bytes // RESERVE_SHARE)
        self.refused = False
        self._gave_way_s: float | None = None
        self._keep_reserve()

    def at_fault(self, error: sqlite3.OperationalError) -> bool:
        """Whether the disk is to blame, so that trying again may help; not a lock, not damage."""
        return error.sqlite_errorcode & 0xFF in FAULTS

    @property
    def gave_way(self) -> bool:
        """Whether the lanes keep to what they have."""
        return self._gave_way_s is not None

    def refuse(self, error: sqlite3.OperationalError) -> None:
        """Nothing can be stored."""
        if not self.refused:
            log.error("the disk takes nothing: %s", error)
        self.refused = True

    def give_way(self, lane: Lane) -> bool:
        """Another has filled the disk: free the reserve, so that the -wal file can be written back, and let
        the lane live in what it holds. False when that is no help."""
        self._reserve.unlink(missing_ok=True)
        self._gave_way_s = time.monotonic()
        try:
            lane.limit_to_present()
        except sqlite3.OperationalError as error:
            self.refuse(error)
            return False
        log.warning("the disk is full: a lane keeps to what it has")
        return True

    def took(self, lanes: Mapping[str, Lane], shares: Mapping[str, int]) -> None:
        """Something was stored; a while after a full disk the lanes may grow again."""
        self.refused = False
        if self._gave_way_s is None or time.monotonic() - self._gave_way_s < TRY_S:
            return
        self._gave_way_s = time.monotonic()
        if self._keep_reserve():
            self._gave_way_s = None
            for name, lane in lanes.items():
                lane.limit(pages(shares[name])[0])

    def _keep_reserve(self) -> bool:
        """Written and not only sized: a hole reserves nothing."""
        try:
            if not self._reserve.exists() or self._reserve.stat().st_size < self.reserve_bytes:
                with self._reserve.open("wb") as file:
                    file.write(os.urandom(self.reserve_bytes))
                    os.fsync(file.fileno())
        except OSError as error:
            log.warning("no reserve on the disk: %s", error)
            self._reserve.unlink(missing_ok=True)
            return False
        return True
