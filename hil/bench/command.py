"""The verb `rsu bench`: every benchmark, or one, each as an object with where and when it was measured."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from hil.bench.codec import codec
from hil.bench.outbox import outbox
from hil.demo import provenance
from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import print_json, stop

TABLE: dict[str, Callable[[int], dict[str, Any]]] = {"codec": codec, "outbox": outbox}
LOOPS = 200_000
OUT = Path("build/bench.json")


def loop_ns() -> float:
    """A fixed reference loop, best of five: nanoseconds a turn; a slow host shows here."""
    best = float("inf")
    for _ in range(5):
        began, value = time.perf_counter_ns(), 0
        for n in range(LOOPS):
            value = (value * 31 + n) & 0xFFFF
        best = min(best, (time.perf_counter_ns() - began) / LOOPS)
    return round(best, 2)


def measured(name: str, seed: int) -> dict[str, Any]:
    """One benchmark's object."""
    began_s = time.monotonic()
    figures = TABLE[name](seed)
    seconds = round(time.monotonic() - began_s, 3)
    return {**figures, "seed": seed, **provenance(), "seconds": seconds, "machine": {"loop_ns": loop_ns()}}


def bench(
    only: Annotated[str, typer.Option(help="One benchmark: its object alone on the last line.")] = "",
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on one line.")] = False,
) -> None:
    """Measure this machine; without --only also writes build/bench.json.

    Example: rsu bench --only outbox
    """
    if only and only not in TABLE:
        stop(Exit.USAGE, f"{only}: no such benchmark; there are {', '.join(TABLE)}", as_json=as_json)
    try:
        results = {name: measured(name, seed) for name in ([only] if only else TABLE)}
    except ModuleNotFoundError as missing:
        stop(Exit.FAILED, f"{missing}: pip install 'rsu-agent[dev]'", as_json=as_json)
    if only:
        print_json(results[only])
        return
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(results, indent=1) + "\n")
    if as_json:
        print_json(results)
        return
    for name, figures in results.items():
        typer.echo(f"{name:<10} " + "  ".join(f"{key} {value}" for key, value in figures.items()))
