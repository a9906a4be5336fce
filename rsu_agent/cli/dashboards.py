"""Grafana dashboards made from tables of panels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

SCHEMA = 38  # of Grafana 10's dashboards; later versions read it
WIDE, HIGH = 24, 8  # columns of Grafana's grid, rows of a panel
SOURCE = {"type": "prometheus", "uid": "${source}"}
SOURCE_CHOICE = {"name": "source", "label": "数据源 / Source", "type": "datasource", "query": "prometheus"}
GREEN, AMBER, RED = "green", "orange", "red"


@dataclass(frozen=True, slots=True)
class Panel:
    """One question. shows: (expression, how its series are called). warn, alarm: where colours change.

    kind: Grafana's. least: the alarm is below the bound, not above it. words: of the values 0 and 1.
    """

    zh: str
    en: str
    kind: str
    unit: str
    shows: tuple[tuple[str, str], ...]
    width: int = 8
    warn: float | None = None
    alarm: float | None = None
    least: bool = False
    words: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One file. metric, label: whose values there are to choose from; many: more than one at a time."""

    uid: str
    zh: str
    en: str
    metric: str
    label: str
    many: bool
    rows: tuple[tuple[str, str, tuple[Panel, ...]], ...]

    @property
    def mine(self) -> str:
        """What is chosen, in an expression."""
        return f'{self.label}{"=~" if self.many else "="}"${self.label}"'


def dashboard(of: Dashboard) -> str:
    """The file that Grafana takes in."""
    query = f"label_values({of.metric}, {of.label})"
    chosen = {
        "name": of.label,
        "label": "路口 / Crossing",
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": "choice"},
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "multi": of.many,
        "includeAll": of.many,
        "allValue": ".*" if of.many else None,
    }
    plain = {
        "uid": of.uid,
        "title": f"{of.zh} / {of.en}",
        "tags": ["rsu-agent"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "timezone": "browser",
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [SOURCE_CHOICE, chosen]},
        "panels": list(_panels(of)),
    }
    return json.dumps(plain, ensure_ascii=False, indent=1) + "\n"


def _panels(of: Dashboard) -> Iterator[dict[str, Any]]:
    number, top = 1, 0
    for zh, en, panels in of.rows:
        place = {"x": 0, "y": top, "w": WIDE, "h": 1}
        yield {"id": number, "type": "row", "title": f"{zh} / {en}", "gridPos": place, "panels": []}
        number, top, left = number + 1, top + 1, 0
        for panel in panels:
            if left + panel.width > WIDE:
                left, top = 0, top + HIGH
            yield _panel(panel, of.mine, number, {"x": left, "y": top, "w": panel.width, "h": HIGH})
            number, left = number + 1, left + panel.width
        top += HIGH


def _panel(panel: Panel, mine: str, number: int, place: dict[str, int]) -> dict[str, Any]:
    is_table = panel.kind in ("table", "bargauge", "stat")
    targets = [
        {
            "refId": "ABC"[nth],
            "datasource": SOURCE,
            "expr": expression.replace("MINE", mine),
            "legendFormat": called,
            "instant": is_table,
            "range": not is_table,
            "format": "table" if panel.kind == "table" else "time_series",
        }
        for nth, (expression, called) in enumerate(panel.shows)
    ]
    field = {"unit": panel.unit, "thresholds": _thresholds(panel), "mappings": _mappings(panel)}
    field["color"] = {"mode": "palette-classic" if panel.kind == "timeseries" else "thresholds"}
    return {
        "id": number,
        "type": panel.kind,
        "title": f"{panel.zh} / {panel.en}",
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": field, "overrides": []},
        "options": {"orientation": "horizontal"} if panel.kind == "bargauge" else {},
        "targets": targets,
    }


def _thresholds(panel: Panel) -> dict[str, Any]:
    bounds = [(panel.warn, AMBER), (panel.alarm, RED)]
    if panel.least:  # from below: red, then amber from the alarm on, then green
        bounds, first = [(panel.alarm, AMBER), (panel.warn, GREEN)], RED
    else:
        first = GREEN
    steps: list[dict[str, Any]] = [{"color": first, "value": None}]
    steps += [{"color": colour, "value": bound} for bound, colour in bounds if bound is not None]
    return {"mode": "absolute", "steps": steps}


def _mappings(panel: Panel) -> list[dict[str, Any]]:
    colours = (RED, GREEN)
    said = {str(n): {"text": text, "color": colours[n]} for n, text in enumerate(panel.words) if text}
    return [{"type": "value", "options": said}] if said else []
