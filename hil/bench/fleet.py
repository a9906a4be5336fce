"""Fleets of 143 to 10,000 simulated poles at one receiver: how late, at what cost, how soon all are back."""

from __future__ import annotations

from typing import Any

from hil.bench.ingest import ingest
from hil.fleet.plan import Plan
from hil.fleet.run import simulate
from hil.fleet.tally import worst
from hil.postgres import INITDB

LIVE, LIVE_S = 1000, 40.0
MANY, FEW, COST_S = 10_000, 100, 60.0
RATE_PER_S = 2000
RETURNING, DAY, RETURN_LIFE_S = 143, 1900, 20.0  # a day of envelopes at the product's default windows


def ingest_and_fleet(seed: int) -> dict[str, Any]:
    """The receiver's rates, and the group `fleet`; what of truth the fleet has missed is missed here."""
    figures, group = ingest(seed), fleet(seed)
    return {**figures, "fleet": group, "missed": group.pop("missed")}


def fleet(seed: int) -> dict[str, Any]:
    """Into PostgreSQL where there is one.

    lag_p99_s: of the worse lane, from an envelope's stamp to the acknowledgement; the low lane's records wait
    up to 5 s on the pole before that (`lag_record_p99_s`). cores_at_2000: the receiver's own CPU an envelope,
    times 2,000. cost_ratio_10000_100: at 10,000 sites over at 100, both sending 2,000 envelopes a second.
    """
    postgres = INITDB is not None
    live = simulate(Plan(LIVE, LIVE_S, seed, light=True, postgres=postgres))
    many = simulate(Plan(MANY, COST_S, seed, light=True, postgres=postgres))
    few = simulate(Plan(FEW, COST_S / 2, seed, pace=MANY / FEW, light=True, postgres=postgres))
    back = simulate(Plan(RETURNING, RETURN_LIFE_S, seed, backlog=DAY, light=False, postgres=postgres))
    runs = {"live": live, "many": many, "few": few, "back": back}
    return {"postgres": postgres, **judged(runs), "runs": runs}


def judged(runs: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The figures with bounds, and what of truth any run has missed."""
    live, many, few, back = (runs[name] for name in ("live", "many", "few", "back"))
    costs = many["cpu_us_per_envelope"], few["cpu_us_per_envelope"]
    return {
        "sites": live["sites"],
        "lag_p99_s": worst(live["sealed_p99_s"].values()),
        "lag_record_p99_s": live["lag_p99_s"],
        "cores_at_2000": None if costs[0] is None else round(costs[0] * RATE_PER_S / 1e6, 3),
        "envelopes_per_s": many["envelopes_per_s"],
        "cpu_us_10000": costs[0],
        "cpu_us_100": costs[1],
        "cost_ratio_10000_100": round(costs[0] / costs[1], 3) if costs[0] and costs[1] else None,
        "return_sites": back["sites"],
        "return_s": back["return_s"],
        "return_hi_p99_s": back["return_hi_p99_s"],
        "missed": [f"fleet {name}: {words}" for name, run in runs.items() for words in run["missed"]],
    }
