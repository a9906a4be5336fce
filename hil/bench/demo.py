"""A minute of the whole product, as `rsu demo` scores it: rates, latencies, truth, sizes."""

from __future__ import annotations

from typing import Any

from hil.demo import demo_figures
from hil.rig import RigOptions

SECONDS = 60.0


def demo(seed: int, seconds: float = SECONDS) -> dict[str, Any]:
    """The demo's figures under dotted names; `missed` names every bound that was."""
    figures = demo_figures(seconds, RigOptions(seed=seed, page=False, metrics_port=0))
    flat = {
        f"{section}.{name}": value
        for section, values in figures.items()
        if isinstance(values, dict) and section != "machine"
        for name, value in values.items()
    }
    return {**flat, "missed": figures["missed"]}
