"""What an expression of Prometheus asks for: its metrics, the labels it matches and those it groups by."""

from __future__ import annotations

import re
from dataclasses import dataclass

SELECTOR = re.compile(r"\b(rsu[_:][\w:]+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
GROUPED = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")
LEGEND = re.compile(r"{{\s*(?:\$labels\.)?(\w+)\s*}}")
OF_PROMETHEUS = {"instance", "job", "le"}  # put there by the scrape, and by histograms


@dataclass(frozen=True)
class Asked:
    """One metric of an expression: (label, how, value) of its matchers."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]


def asked(expression: str) -> list[Asked]:
    """Every metric that an expression names."""
    return [
        Asked(found[1], tuple(MATCHER.findall(found[2] or ""))) for found in SELECTOR.finditer(expression)
    ]


def grouped(expression: str) -> set[str]:
    """The labels that an expression groups by."""
    names = ",".join(found[1] for found in GROUPED.finditer(expression)).split(",")
    return {name.strip() for name in names if name.strip()}


def missing(expression: str, legend: str, series: dict[str, list[dict[str, str]]]) -> list[str]:
    """What an expression or the name of its series asks for and these series do not have."""
    wanted = asked(expression)
    absent = [each.metric for each in wanted if not series.get(each.metric)]
    labels: set[str] = set()
    for each in wanted:
        having = series.get(each.metric, [])
        labels |= {name for one in having for name in one}
        for name, how, value in each.matchers:
            absent += _unmatched(each.metric, name, how, value, having)
    named = grouped(expression) | set(LEGEND.findall(legend))
    return absent + [f"label {name} of {expression}" for name in named - labels - OF_PROMETHEUS]


def _unmatched(metric: str, name: str, how: str, value: str, having: list[dict[str, str]]) -> list[str]:
    values = {one[name] for one in having if name in one}
    if name in OF_PROMETHEUS or "$" in value:
        return [] if name in OF_PROMETHEUS or values else [f"{metric}{{{name}}}"]
    pattern = value if how in ("=~", "!~") else re.escape(value)
    return [] if any(re.fullmatch(pattern, each) for each in values) else [f"{metric}{{{name}{how}{value}}}"]
