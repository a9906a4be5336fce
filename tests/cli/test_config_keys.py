"""`rsu config list | show | get | set | unset | diff`, as somebody types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.main import app
from rsu_agent.ports.assets import asset
from rsu_agent.settings.described import described, secret_keys


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(asset("config/virtual.yaml").read_text())
    return path


def rsu(*arguments: Any, **environment: str) -> Any:
    return CliRunner(env=environment).invoke(app, ["config", *map(str, arguments)])


def test_every_key_is_told_in_both_languages_with_what_it_may_be() -> None:
    rows = list(described())
    assert len({(each.path, each.driver) for each in rows}) == len(rows) > 300
    assert [each.path for each in rows if not (each.en and each.zh)] == []
    english = rsu("list", "uplink.quota_mb", "--doc", RSU_LANG="en").stdout
    assert english == (
        "uplink.quota_mb\n    Disk for the outbox.\n    integer · MB · >= 8 <= 65536 · default 512\n"
    )
    assert "待发箱磁盘配额。" in rsu("list", "uplink.quota_mb", "--doc", RSU_LANG="zh_CN").stdout
    told = json.loads(rsu("list", "cameras.*.pose", "--json").stdout)
    assert {"path", "unit", "default", "en", "zh"} <= told["keys"][0].keys()
    assert rsu("list", "nothing.").exit_code == Exit.USAGE


def test_a_value_is_read_written_and_taken_away_again(site: Path) -> None:
    before = site.read_text()
    assert rsu("get", "uplink.quota_mb", "--site", site).stdout == "512\n"
    written = rsu("set", "uplink.quota_mb", "1024", "--site", site)
    assert written.exit_code == Exit.OK
    assert "until it is started again" in written.stdout
    assert (
        rsu("get", "uplink.quota_mb", "--site", site, "--json").stdout
        == '{"key":"uplink.quota_mb","value":1024}\n'
    )
    assert rsu("set", "cameras.south-west.latency_ms", "35", "--site", site).exit_code == Exit.OK
    assert json.loads(rsu("get", "cameras.0.latency_ms", "--site", site, "--json").stdout)["value"] == 35
    assert rsu("set", "cameras.south-west.latency_ms", "0", "--site", site).exit_code == Exit.OK
    after = site.read_text()
    assert after.replace(", quota_mb: 1024}", "}") == before


def test_nothing_wrong_gets_into_the_file(site: Path) -> None:
    before = site.read_text()
    wrong = rsu("set", "uplink.quota_mb", "3", "--site", site)
    assert wrong.exit_code == Exit.INVALID
    assert "uplink.quota_mb" in wrong.stdout
    assert rsu("set", "cameras.east.latency_ms", "3", "--site", site).exit_code == Exit.USAGE
    assert rsu("get", "radio.standrd", "--site", site).exit_code == Exit.USAGE
    assert rsu("unset", "crossing.file", "--site", site).exit_code == Exit.INVALID
    assert rsu("unset", "crossing.fle", "--site", site).exit_code == Exit.USAGE
    assert rsu("get", "radio", "--site", site.with_name("none.yaml")).exit_code == Exit.INVALID
    assert site.read_text() == before


def test_passwords_are_shown_nowhere(site: Path) -> None:
    assert {"password", "community"} <= secret_keys()
    text = site.read_text()
    site.write_text(
        text.replace(
            "    latency_ms: 0\n", "    latency_ms: 0\n    user: me\n    password: credential:geheim\n", 1
        )
    )
    other = site.with_name("other.yaml")
    other.write_text(
        site.read_text().replace("password: credential:geheim", "password: credential:other-geheim")
    )
    for shown in (
        rsu("show", "--site", site),
        rsu("show", "--site", site, "--json"),
        rsu("get", "cameras.south-west", "--site", site),
        rsu("get", "cameras.south-west.password", "--site", site),
        rsu("diff", other, "--site", site),
        rsu("set", "cameras.south-west.url", "http://me:geheim@x/", "--site", site),
    ):
        assert "geheim" not in shown.output
        assert "***" in shown.output
    assert "uplink.quota_mb = 512  # default\n" in rsu("show", "--site", site).stdout


def test_what_another_file_would_change_is_told_and_the_exit_status_says_whether(site: Path) -> None:
    other = site.with_name("other.yaml")
    other.write_text(site.read_text())
    same = rsu("diff", other, "--site", site)
    assert (same.exit_code, same.stdout) == (Exit.OK, "the same values\n")
    assert rsu("set", "cameras.south-west.pose.yaw_deg", "44", "--site", other).exit_code == Exit.OK
    differs = rsu("diff", other, "--site", site)
    assert (differs.exit_code, differs.stdout) == (
        Exit.DIFFERS,
        "cameras.south-west.pose.yaw_deg: 45.0 -> 44.0\n",
    )
    told = json.loads(rsu("diff", other, "--site", site, "--json").stdout)
    assert told == {"changes": [{"key": "cameras.south-west.pose.yaw_deg", "was": 45.0, "is": 44.0}]}
