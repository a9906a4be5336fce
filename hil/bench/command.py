"""The verb `rsu bench`: every benchmark, or one, each as an object with where and when it was measured."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from hil.bench.air import air
from hil.bench.calibration import calibration
from hil.bench.camera_watch import camera_watch
from hil.bench.codec import codec
from hil.bench.demo import demo
from hil.bench.detector import detector
from hil.bench.fleet import ingest_and_fleet
from hil.bench.fusion.command import fusion
from hil.bench.fusion.given import ALL, Given
from hil.bench.lanes import lanes
from hil.bench.operator_nets import operator
from hil.bench.outbox import outbox
from hil.bench.perception import perception
from hil.bench.prediction import prediction
from hil.bench.signals import CHANGES, signals
from hil.bench.spat import spat
from hil.bench.spat_latency import spat_latency
from hil.bench.tracker import tracker
from hil.demo import provenance
from hil.processes import RigFailure, ended_by_signals
from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import print_json, stop

TABLE: dict[str, Callable[[int], dict[str, Any]]] = {
    "codec": codec,
    "spat": spat,
    "tracker": tracker,
    "fusion": fusion,
    "calibration": calibration,
    "camera-watch": camera_watch,
    "detector": detector,
    "operator": operator,
    "perception": perception,
    "outbox": outbox,
    "ingest": ingest_and_fleet,
    "demo": demo,
    "signals": signals,
    "spat-latency": spat_latency,
    "prediction": prediction,
    "air": air,
    "lanes": lanes,
}
# The bounds of speed: benchmark -> figure -> the most it may be; and of how many samples.
MOST: dict[str, dict[str, float]] = {
    "signals": {"report_to_radio_p99_ms": 20.0, "lamp_to_radio_p99_ms": 200.0},
    "spat-latency": {"p50_ms": 1.5, "p99_ms": 5.0, "lamp_p99_ms": 150.0},
    "prediction": {
        "creep_max_s": 0.05,
        "moves_p99_s": 0.1,
        "pinball_ratio": 1.0,
        "fixed_day_s": 120.0,
        "blocked": 0,
    },
    "codec": {"import_ms": 100.0},
    "detector": {
        "pipeline_ratio": 1.2,
        "fp32_ms": 12.0,
        "int8_ms": 6.0,
        "four_cameras_percent_of_core": 60.0,
    },
    "perception": {"capture_to_track_p95_ms": 120.0},
    "tracker": {"update_100_ms": 1.0, "growth_exponent": 1.5},
    "fusion": {
        "fused.position_rmse_m": 0.30,
        "fused.gospa": 9.0,
        "gospa_over_best_single": 0.75,
        "lost.camera_s": 2.0,
        "lost.radar_s": 2.0,
    },
    "calibration": {"ratio": 1.15},
    "lanes": {"true.flow_wrong": 0, "true.queue_error_max": 1, "true.lanes_delay_over": 0},
    "air": {"jitter_p999_ms": 10.0, "core_cpu_percent": 5.0},
    "outbox": {"append_p99_ms": 5.0, "hi_p99_ms": 1000.0, "rss_growth_mb": 20.0},
    "ingest": {
        "fleet.lag_p99_s": 2.0,
        "fleet.cores_at_2000": 1.0,
        "fleet.cost_ratio_10000_100": 1.2,
        "fleet.return_s": 600.0,
        "fleet.return_hi_p99_s": 5.0,
    },
}
LEAST: dict[str, dict[str, float]] = {
    "ingest": {"postgres_per_s": 5000.0, "fleet.sites": 1000},
    "signals": {"changes": CHANGES},
    "outbox": {"drain_per_s": 3000.0},
    "tracker": {"ratio_stonesoup": 100.0, "ratio_fastest_peer": 3.0},
    "spat-latency": {"changes": CHANGES},
    "prediction": {"coverage": 0.99, "coverage_fixed": 0.999},
    "fusion": {"fused.mota": 0.92, "fused.idf1": 0.85, "vulnerable_first_1s": 0.98},
    "codec": {"spat.refresh_ratio": 12.0}
    | {f"{name}.encode_ratio": 8.0 for name in ("spat", "map", "rsm", "spatem", "mapem")}
    | {f"{name}.decode_ratio": 4.0 for name in ("spat", "map", "rsm", "spatem", "mapem")},
}
LOOPS = 200_000
SUMO_USAGE = "a scenario of your own: rsu bench --only fusion --sumo FILE.sumocfg [--junction ID]"
OUT = Path("build/bench.json")
CARRIED = ("seed", "commit", "cpu", "seconds", "machine")


def loop_ns() -> float:
    """A fixed reference loop, best of five: nanoseconds a turn; a slow host shows here."""
    best = float("inf")
    for _ in range(5):
        began, value = time.perf_counter_ns(), 0
        for n in range(LOOPS):
            value = (value * 31 + n) & 0xFFFF
        best = min(best, (time.perf_counter_ns() - began) / LOOPS)
    return round(best, 2)


def measured(name: str, seed: int, given: Given | None = None) -> dict[str, Any]:
    """One benchmark's object; given: of `fusion` on somebody's own scenario."""
    began_s = time.monotonic()
    figures = TABLE[name](seed) if given is None else fusion(seed, given=given)
    figures = {**figures, "missed": [*figures.get("missed", []), *over(name, figures)]}
    seconds = round(time.monotonic() - began_s, 3)
    return {**figures, "seed": seed, **provenance(), "seconds": seconds, "machine": {"loop_ns": loop_ns()}}


def measured_or_why(name: str, seed: int) -> dict[str, Any]:
    """As `measured`; of a benchmark that cannot run here, an object that says why as what it has missed."""
    began_s = time.monotonic()
    try:
        return measured(name, seed)
    except RigFailure as failure:
        seconds = round(time.monotonic() - began_s, 3)
        missed, machine = [f"not measured: {failure}"], {"loop_ns": loop_ns()}
        return {"missed": missed, "seed": seed, **provenance(), "seconds": seconds, "machine": machine}


def over(name: str, figures: dict[str, Any]) -> list[str]:
    """Bounds of a benchmark that are not met, in words; what could not be measured is not met.

    Figures say themselves which bounds do not apply (`unjudged`).
    """
    found = []
    unjudged = figures.get("unjudged", ())
    for key, most in MOST.get(name, {}).items():
        value = _figure(figures, key)
        if not {key, ALL}.intersection(unjudged) and (value is None or value > most):
            found.append(f"{key} {value} > {most:g}")
    for key, least in LEAST.get(name, {}).items():
        value = _figure(figures, key)
        if not {key, ALL}.intersection(unjudged) and (value is None or value < least):
            found.append(f"{key} {value} < {least:g}")
    return found


def _figure(figures: dict[str, Any], key: str) -> float | None:
    """The figure of a key whose dots mean nesting."""
    value: Any = figures
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, (int, float)) else None


def bench(
    only: Annotated[str, typer.Option(help="One benchmark: its object alone on the last line.")] = "",
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 1,
    sumo: Annotated[Path | None, typer.Option(help="With --only fusion: a SUMO scenario (.sumocfg).")] = None,
    junction: Annotated[str, typer.Option(help="Its junction; else the biggest with lights.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on one line.")] = False,
) -> None:
    """Measure this machine, about an hour in all; without --only also writes build/bench.json.

    Ends with status 1 when a bound of speed is missed.

    Example: rsu bench --only outbox
    """
    if only and only not in TABLE:
        stop(Exit.USAGE, f"{only}: no such benchmark; there are {', '.join(TABLE)}", as_json=as_json)
    if (sumo or junction) and (only != "fusion" or sumo is None):
        stop(Exit.USAGE, SUMO_USAGE, as_json=as_json)
    given = None if sumo is None else Given(sumo, junction)
    results = {}
    try:
        with ended_by_signals():
            for name in [only] if only else TABLE:
                if not as_json:
                    typer.echo(f"{name} ...", err=True)
                results[name] = measured(name, seed, given) if only else measured_or_why(name, seed)
    except ModuleNotFoundError as missing:
        stop(Exit.FAILED, f"{missing}: pip install 'rsu-agent[dev]'", as_json=as_json)
    except RigFailure as failure:
        stop(Exit.FAILED, str(failure), as_json=as_json)
    if not only:
        OUT.parent.mkdir(parents=True, exist_ok=True)
        OUT.write_text(json.dumps(results, indent=1) + "\n")
    if only or as_json:
        print_json(results[only] if only else results)
    else:
        for name, figures in results.items():
            typer.echo("\n".join(table(name, figures)))
    missed = [f"{name}: {words}" for name, figures in results.items() for words in figures["missed"]]
    for words in missed:
        typer.echo(f"missed: {words}", err=True)
    if missed:
        raise typer.Exit(int(Exit.FAILED))


def table(name: str, figures: dict[str, Any]) -> list[str]:
    """A benchmark for people: a line a figure."""
    plain = {key: value for key, value in figures.items() if key not in (*CARRIED, "missed")}
    return [f"{name}  ({figures['seconds']:.0f} s)"] + [
        f"  {key:<34} {value}" for key, value in plain.items()
    ]
