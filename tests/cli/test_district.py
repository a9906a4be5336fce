"""`rsu district`: what it says of the sites, what it writes, what it says when nobody answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from rsu_agent.cli.district import screen
from rsu_agent.cli.exits import Exit
from rsu_agent.cli.main import app
from rsu_agent.district.facts import utc
from rsu_agent.district.store import SqliteSink
from rsu_agent.ports.envelope import Envelope
from tests.district.made import NOW_US, envelope
from tests.district.receiving import district

SITE: dict[str, Any] = {"site": "a", "health": "ok", "age_s": 3.0, "missing": 0}


def test_the_worst_sites_come_first_within_the_width_of_a_telephone() -> None:
    sites = [
        SITE,
        SITE | {"site": "坪山大道与中山大道交叉口东北角", "health": "lost", "age_s": 300.0, "missing": 7},
        SITE | {"site": "c", "health": "silent", "age_s": None},
    ]
    lines = screen({"sites": sites})
    assert lines[0] == "3 sites: 1 ok · 1 lost · 1 silent"
    assert [line[0] for line in lines[1:]] == ["·", "○", "●"]
    assert "5 min 7 missing" in lines[2]
    assert "never" in lines[1]
    assert max(map(cell_len, lines)) <= 44


def test_nobody_and_trouble_are_said() -> None:
    assert screen({"sites": []}) == ["no site has said anything yet"]
    assert "away" in screen({"sites": [SITE], "trouble": "away"})[1]


def test_the_status_of_a_running_district(tmp_path: Path) -> None:
    database = str(tmp_path / "d.sqlite")
    store = SqliteSink(Path(database))
    store.commit([envelope(1)], NOW_US)
    store.close()
    with district(tmp_path, database) as running:
        for _ in range(100):
            said = CliRunner().invoke(app, ["district", "status", "--api", running.api, "--json"])
            if said.exit_code == 0:
                break
    assert [site["site"] for site in json.loads(said.stdout)["sites"]] == ["site-1"]


def test_a_district_that_does_not_answer_is_said_with_what_to_do() -> None:
    said = CliRunner().invoke(app, ["district", "status", "--api", "http://127.0.0.1:9/", "--json"])
    assert said.exit_code == Exit.UNREACHABLE
    assert "rsu district run" in json.loads(said.stdout)["error"]


def test_an_export_is_told_and_read_back(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    store = SqliteSink(tmp_path / "d.sqlite")
    store.commit([Envelope("a", 1, "lo", 1, NOW_US, ({"k": "hb", "t": NOW_US, "up": 5, "ok": 3},))], NOW_US)
    store.close()
    day = str(utc(NOW_US).date())
    arguments = ["--from", day, "--out", str(tmp_path / "out"), "--database", str(tmp_path / "d.sqlite")]
    said = CliRunner().invoke(app, ["district", "export", *arguments, "--json"])
    told = json.loads(said.stdout)
    assert (told["rows"], told["files"]) == (1, [str(tmp_path / "out" / "hb" / f"{day}.parquet")])
    assert pq.read_table(tmp_path / "out" / "hb").to_pylist()[0]["up"] == 5


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--from", "yesterday"], Exit.USAGE),
        (["--from", "2026-02-02", "--to", "2026-02-01"], Exit.USAGE),
        (["--database", "/nowhere/d.sqlite"], Exit.UNREACHABLE),
    ],
)
def test_an_export_that_cannot_be_says_why(tmp_path: Path, arguments: list[str], code: Exit) -> None:
    said = CliRunner().invoke(app, ["district", "export", "--out", str(tmp_path), *arguments, "--json"])
    assert said.exit_code == code
    assert json.loads(said.stdout)["error"]
