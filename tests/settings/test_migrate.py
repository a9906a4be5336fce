"""Site files of earlier versions: steps in order, comments kept, what is not ours to read is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ruamel.yaml.comments import CommentedMap
from typer.testing import CliRunner

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.main import app
from rsu_agent.ports.assets import asset
from rsu_agent.settings.explain import SiteInvalid
from rsu_agent.settings.migrate import FORM, STEPS, TooNew, migrated

OLD = "# 路口十二\nsite: {id: a}   # ours\nradio: {budget: 30}\n"


def renamed(tree: CommentedMap) -> list[str]:
    tree["radio"]["budget_kBps"] = tree["radio"].pop("budget")
    return ["radio.budget is radio.budget_kBps"]


def doubled(tree: CommentedMap) -> list[str]:
    tree["radio"]["budget_kBps"] *= 2
    return ["radio.budget_kBps counts both antennas"]


def test_steps_follow_one_another_and_comments_stay() -> None:
    text, changes = migrated(OLD.encode(), "x", {1: renamed, 2: doubled}, 3)
    assert changes == [
        "radio.budget is radio.budget_kBps",
        "radio.budget_kBps counts both antennas",
        "form: 1 -> 3",
    ]
    assert "# 路口十二" in text
    assert "# ours" in text
    assert "budget_kBps: 60" in text
    again, changes = migrated(text.encode(), "x", {1: renamed, 2: doubled}, 3)
    assert (again, changes) == (text, [])


def test_there_is_a_step_from_every_earlier_form() -> None:
    assert set(STEPS) == set(range(1, FORM))


def test_a_file_of_this_form_stays_byte_for_byte() -> None:
    data = asset("config/virtual.yaml").read_bytes()
    assert migrated(data, "x") == (data.decode(), [])
    assert migrated(b"\xef\xbb\xbf" + data, "x") == (data.decode(), [])


@pytest.mark.parametrize("form", ["2", "99", "true", "one", "1.5", "[1]"])
def test_a_form_that_is_not_known_is_refused(form: str) -> None:
    with pytest.raises(TooNew):
        migrated(f"form: {form}\nsite: {{id: a}}\n".encode(), "x")


def test_what_is_no_yaml_is_told_at_its_place() -> None:
    with pytest.raises(SiteInvalid, match="x:1:7"):
        migrated(b"site: {id: a\nradio: 1\n", "x")


def test_the_verb_says_that_nothing_is_to_do_and_touches_nothing(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_bytes(asset("config/virtual.yaml").read_bytes())
    before = site.stat().st_mtime_ns
    done = CliRunner().invoke(app, ["config", "migrate", str(site)])
    assert (done.exit_code, site.stat().st_mtime_ns) == (Exit.OK, before)
    shown = CliRunner().invoke(app, ["config", "migrate", str(site), "--dry-run"])
    assert shown.output == site.read_text()
    told = json.loads(CliRunner().invoke(app, ["config", "migrate", str(site), "--json"]).stdout)
    assert told == {"changes": [], "written": False, "text": None}


def test_the_verb_refuses_a_file_of_a_later_version_and_one_that_is_not_there(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("form: 7\n")
    done = CliRunner().invoke(app, ["config", "migrate", str(site), "--json"])
    assert (done.exit_code, json.loads(done.stdout)["reason"]) == (Exit.INVALID, "too_new")
    assert CliRunner().invoke(app, ["config", "migrate", str(tmp_path / "none")]).exit_code == Exit.FAILED
