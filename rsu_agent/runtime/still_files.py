"""Names of the files of stills, which say when they were made: after seven days they are deleted."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

KEPT = timedelta(days=7)
NAME = re.compile(r"^[a-z0-9-]{1,40}-(?P<made>\d{8}T\d{6}Z)\.png$")
STAMP = "%Y%m%dT%H%M%SZ"


def still_name(camera: str, now: datetime) -> str:
    """The file of a still that is made now (UTC)."""
    return f"{camera}-{now.strftime(STAMP)}.png"


def expires(now: datetime) -> str:
    """When a still that is made now is over, in the same writing as in its name."""
    return (now + KEPT).strftime(STAMP)


def expire(folder: Path, now: datetime) -> int:
    """Delete the stills that are over; how many. Files of other names are left alone."""
    gone = 0
    for path in folder.glob("*.png"):
        if expired(path.name, now):
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def expired(name: str, now: datetime) -> bool:
    """Whether a file's name is that of a still of ours whose seven days are over."""
    match = NAME.match(name)
    if match is None:
        return False
    try:
        return now >= datetime.strptime(match["made"], STAMP).replace(tzinfo=UTC) + KEPT
    except ValueError:
        return False
