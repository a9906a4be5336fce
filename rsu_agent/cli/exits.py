"""Exit codes, the same for every verb (docs/reference/cli.md)."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What the exit status says."""

    OK = 0
    FAILED = 1
    USAGE = 2
    INVALID = 3
    CHECK_FAILED = 4
    UNREACHABLE = 5
    REVERTED = 6
    DIFFERS = 7
    TEMPORARY = 75
    PERMISSION = 77


def code_of(error: OSError) -> Exit:
    """What a refusal of the system ends with."""
    return Exit.PERMISSION if isinstance(error, PermissionError) else Exit.FAILED
