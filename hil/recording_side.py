"""What the scorer takes from the product's own recording: which frame each fusion cycle included."""

from __future__ import annotations

from pathlib import Path

from rsu_agent.ports.recording import read_recording


def fused_frames(state: Path) -> list[tuple[float, dict[str, int]]]:
    """(instant of the cycle on the monotonic clock, frame number by camera) of every recorded scene."""
    try:
        entries = list(read_recording(state / "recordings"))
    except FileNotFoundError:  # a site that records nothing
        return []
    return [(entry.at_s, entry.value["frames"]) for entry in entries if entry.topic == "/scene"]
