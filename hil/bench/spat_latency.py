"""From report to radio with no senses beside: controller, core and vehicle, on a fast and a slow line."""

from __future__ import annotations

from typing import Any

from hil.bench.signals import CHANGES, signals

SLOW_CHANGES = 300


def spat_latency(seed: int, changes: int = CHANGES, slow_changes: int = SLOW_CHANGES) -> dict[str, Any]:
    """Milliseconds: p50 and p99 from a report's last byte, lamp p99 at 115200 baud and at 9600."""
    fast, slow = _on(115_200, seed, changes), _on(9600, seed, slow_changes)
    return {
        "p50_ms": fast["report_to_radio_p50_ms"],
        "p99_ms": fast["report_to_radio_p99_ms"],
        "lamp_p99_ms": fast["lamp_to_radio_p99_ms"],
        "lamp_9600_p99_ms": slow["lamp_to_radio_p99_ms"],
        "changes": fast["changes"],
        "changes_9600": slow["changes"],
        **{name: fast[name] for name in ("cpu_percent_of_core", "rss_mb", "wrong_colour_ms", "valid_share")},
    }


def _on(baud: int, seed: int, changes: int) -> dict[str, Any]:
    """The crossing without its road, the controller on a line so fast."""
    return signals(seed, changes, baud=baud, senses=False)
