"""The page of metrics, made from the code: every metric with type, labels, unit and what it is."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric

import rsu_agent
from rsu_agent.cli.reference import MADE

ROOT = Path(rsu_agent.__file__).parent
UNITS = {  # the last word of a name -> its unit
    "seconds": "s",
    "bytes": "bytes",
    "ratio": "share, 0 to 1",
    "pixels": "pixels",
    "valid": "0 or 1",
    "connected": "0 or 1",
    "skew": "versions",
    "records": "records",
    "envelopes": "envelopes",
    "messages": "messages",
    "vehicles": "vehicles",
    "outboxes": "outboxes",
    "sites": "sites",
    "line": "line number",
    "writing": "0 or 1",
    "letters": "messages",
    "stream": "messages",
}
HEAD = """# Metrics

The agent serves them at `metrics.host:metrics.port` of the site file (`/metrics`), all of its processes on
one page; the district's receiver beside its read API. A metric's labels are closed sets: the number of series
does not grow with time. Dashboards: `deploy/grafana`; alerts: `deploy/prometheus`, each with
[a page of its own](../runbooks/README.md).
"""


@dataclass(frozen=True, slots=True)
class Told:
    """One metric. name: as it stands on the page."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str
    module: str

    @property
    def unit(self) -> str:
        """By the name's last word; a counter counts what the word before `total` says."""
        word = self.name.removesuffix("_total").rpartition("_")[2]
        return UNITS.get(word, "count" if self.kind == "counter" else word)


def metrics_page() -> str:
    """Every metric of the agent, then of the district."""
    lines = [MADE, HEAD]
    for title, mine in (("The agent", of_the_agent()), ("The district", of_the_district())):
        lines += [f"## {title}\n", "| metric | type | labels | unit | what it is | measured in |"]
        lines += ["|---|---|---|---|---|---|", *map(_row, mine), ""]
    return "\n".join(lines)


def of_the_agent() -> list[Told]:
    """Those of the modules that the agent's processes load."""
    found = {told.name: told for module in _modules() for told in _in(module)}
    return sorted(found.values(), key=lambda told: told.name)


def of_the_district() -> list[Told]:
    """Those of a receiver that has counted something, and of one site."""
    from rsu_agent.district import metrics

    site = dict.fromkeys([key for key, _ in (*metrics.GAUGES.values(), *metrics.TOTALS.values())], 1)
    tail = _OneSite([site | {"site": "", "health": "ok"}])
    collector = metrics.collector(tail, {"envelopes": 1}, {"unreadable": 1}, 1)
    return sorted(_families(collector.collect(), "district/metrics.py"), key=lambda told: told.name)


@dataclass(frozen=True)
class _OneSite:
    sites: list[dict[str, Any]]
    looked_us: int = 1


def _modules() -> Iterator[Any]:
    for found in pkgutil.walk_packages([str(ROOT)], "rsu_agent."):
        path = ROOT.joinpath(*found.name.split(".")[1:]).with_suffix(".py")
        is_ours = not found.name.startswith(("rsu_agent.district", "rsu_agent.cli"))
        if is_ours and path.is_file() and "prometheus_client" in path.read_text():
            yield importlib.import_module(found.name)


def _in(module: Any) -> Iterator[Told]:
    place = module.__name__.removeprefix("rsu_agent.").replace(".", "/") + ".py"
    for value in vars(module).values():
        if isinstance(value, MetricWrapperBase):
            (family,) = value.describe()
            total = "_total" if family.type == "counter" else ""
            labels = tuple(value._labelnames)  # the library tells them in no other way
            yield Told(family.name + total, family.type, labels, family.documentation, place)
        elif type(value).__module__ == module.__name__ and hasattr(value, "describe"):  # a collector of ours
            yield from _families(value.describe(), place)


def _families(families: Iterable[Metric], place: str) -> Iterator[Told]:
    for family in families:
        total = "_total" if family.type == "counter" else ""
        labels = tuple(getattr(family, "_labelnames", ()))
        yield Told(family.name + total, family.type, labels, family.documentation, place)


def _row(told: Told) -> str:
    labels = ", ".join(f"`{label}`" for label in told.labels)
    return f"| `{told.name}` | {told.kind} | {labels} | {told.unit} | {told.help} | `{told.module}` |"
