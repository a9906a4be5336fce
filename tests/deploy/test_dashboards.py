"""The dashboards ask for what a running crossing and its district really tell."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from expressions import asked, missing
from installing import ROOT
from living import garble, pole_page, read, series_of, until

from hil.rig import Rig
from rsu_agent.cli.dashboard_panels import DASHBOARDS
from rsu_agent.cli.dashboards import dashboard

FOLDER = ROOT / "deploy" / "grafana"
FILES = {name: json.loads((FOLDER / name).read_text()) for name in DASHBOARDS}
KINDS = {"row", "stat", "timeseries", "state-timeline", "table", "bargauge"}
promtool = pytest.mark.skipif(
    not shutil.which("promtool"), reason="promtool is missing: sudo apt install prometheus"
)


def targets(name: str) -> Iterator[tuple[str, str]]:
    """(expression, name of its series) of every panel."""
    for panel in FILES[name]["panels"]:
        for target in panel.get("targets", []):
            yield target["expr"], target["legendFormat"]


def spelled(expression: str) -> str:
    """Without the variables that only Grafana knows."""
    return expression.replace("$instance", "box:9464").replace("$site", ".*")


@pytest.mark.parametrize("name", DASHBOARDS)
def test_the_files_are_those_of_the_tables(name: str) -> None:
    assert (FOLDER / name).read_text() == dashboard(DASHBOARDS[name])


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_panel_has_a_place_of_its_own_and_a_title_in_both_languages(name: str) -> None:
    board = FILES[name]
    taken: set[tuple[int, int]] = set()
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for panel in board["panels"]:
        zh, _, en = panel["title"].rpartition(" / ")
        assert any("\u4e00" <= letter <= "\u9fff" for letter in zh) or "SPAT" in zh, panel["title"]
        assert en.isascii()
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells


@pytest.mark.parametrize("name", DASHBOARDS)
def test_the_data_source_is_chosen_and_no_panel_names_one(name: str) -> None:
    board = FILES[name]
    variables = {each["name"]: each for each in board["templating"]["list"]}
    assert variables["source"]["type"] == "datasource"
    for panel in board["panels"]:
        assert panel["type"] in KINDS
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == "${source}"
            assert panel["targets"]
        assert all(target["datasource"]["uid"] == "${source}" for target in panel.get("targets", []))
    used = {word for expression, _ in targets(name) for word in variables if f"${word}" in expression}
    assert used == variables.keys() - {"source"}


@promtool
@pytest.mark.parametrize("name", DASHBOARDS)
def test_promtool_reads_every_expression(name: str, tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": spelled(expression)}
        for number, (expression, _) in enumerate(targets(name))
    ]
    path = tmp_path / "rules.yml"
    path.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"SUCCESS: {len(rules)} rules found" in done.stdout


def unmet(name: str, page: str) -> list[str]:
    having = series_of(page)
    return [lack for expression, legend in targets(name) for lack in missing(expression, legend, having)]


@pytest.mark.real
def test_every_metric_and_label_of_the_pole_s_panels_is_on_a_running_agent_s_page(crossing: Rig) -> None:
    garble(crossing, True)
    until(lambda: 'what="garbled"' in pole_page(crossing), lambda: pole_page(crossing))
    garble(crossing, False)
    until(
        lambda: not unmet("pole.json", pole_page(crossing)), lambda: unmet("pole.json", pole_page(crossing))
    )


@pytest.mark.real
def test_every_metric_and_label_of_the_district_s_panels_is_on_its_page(district: str) -> None:
    until(lambda: not unmet("district.json", read(district)), lambda: unmet("district.json", read(district)))


@promtool
@pytest.mark.real
def test_promtool_finds_nothing_wrong_with_either_page(crossing: Rig, district: str) -> None:
    until(lambda: "rsu_uplink_round_trip_seconds" in pole_page(crossing), lambda: pole_page(crossing))
    for page in (pole_page(crossing), read(district)):
        done = subprocess.run(
            ["promtool", "check", "metrics"], input=page, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_what_is_not_told_is_found_out() -> None:
    series = {"rsu_outbox_records": [{"lane": "hi", "what": "queued"}]}
    assert missing('rsu_outbox_records{what="queued", instance="$instance"}', "{{lane}}", series) == []
    assert missing('rsu_outbox_records{what="gone"}', "", series) == ["rsu_outbox_records{what=gone}"]
    assert missing("sum by (lain) (rsu_outbox_records)", "", series) != []
    assert missing("rsu_outbox_records", "{{lain}}", series) != []
    assert missing("rate(rsu_no_such_total[5m])", "", series) == ["rsu_no_such_total"]
    assert missing('rsu_outbox_records{site=~"$site"}', "", series) == ["rsu_outbox_records{site}"]
    assert [each.metric for each in asked("rsu_a / rsu:b:rate5m{x='1'}")] == ["rsu_a", "rsu:b:rate5m"]
