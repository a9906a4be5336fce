"""Bytes and the instant they were taken from a line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Received:
    """arrived_s: monotonic instant at which the last of these bytes was in our hands."""

    data: bytes
    arrived_s: float
