"""Several runs judged as one: of bounds of time the best counts, of bounds of truth the worst."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from hil.score.bounds import BOUNDS, Bound, figure, missed, put


def judged(results: Sequence[dict[str, Any]], seconds: float) -> dict[str, Any]:
    """The figures of the first run with every bounded one chosen from all; `missed` and `runs` are added."""
    chosen = copy.deepcopy(results[0])
    for bound in BOUNDS:
        put(chosen, bound.path, pick(bound, [figure(result, bound.path) for result in results]))
    chosen["missed"] = missed(chosen, seconds)
    if len(results) > 1:
        chosen["runs"] = list(results)
    return chosen


def pick(bound: Bound, values: Sequence[Any]) -> Any:
    """The value that counts: what was not measured is the worst of all."""
    choose = min if bound.kind == "time" else max
    return choose(values, key=lambda value: badness(bound, value))


def badness(bound: Bound, value: Any) -> float:
    """How far a figure is on the wrong side of its bound (negative: within); infinite when it is null."""
    if value is None:
        return float("inf")
    sides = []
    if bound.least is not None:
        sides.append(bound.least - value)
    if bound.most is not None:
        sides.append(value - bound.most)
    return float(max(sides))


def readable(figures: Mapping[str, Any]) -> list[str]:
    """The figures as lines for people: name, figure, what it must reach, and what is missed."""
    bounds = {bound.path: bound for bound in BOUNDS}
    wrong = {line.split()[0] for line in figures.get("missed", ())}
    lines = []
    for section, values in figures.items():
        if not isinstance(values, Mapping):
            continue
        for name, value in values.items():
            path = f"{section}.{name}"
            asked = _asked(bounds[path]) if path in bounds else ""
            mark = "MISSED" if path in wrong else "ok" if asked and value is not None else ""
            lines.append(f"{path:<36} {_shown(value):>12}  {asked:<12} {mark}".rstrip())
    return lines


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return str(len(value))
    return "-" if value is None else str(value)


def _asked(bound: Bound) -> str:
    if bound.least is not None and bound.most is not None:
        both = f"{bound.least:g} to {bound.most:g}"
        return f"= {bound.least:g}" if bound.least == bound.most else both
    return f">= {bound.least:g}" if bound.least is not None else f"<= {bound.most:g}"
