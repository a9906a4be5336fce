"""`rsu config check`: every fault at once, each as file:line:column: path: reason, and exit status 3."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from speaking import one_object, rsu
from typer.testing import CliRunner

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.main import app
from rsu_agent.ports.assets import asset
from rsu_agent.settings.parts import LARGEST_SITE_BYTES

GOOD = asset("config/virtual.yaml").read_text()
LINE = re.compile(
    r"^(?P<file>.+):(?P<line>\d+):(?P<column>\d+): (?P<path>\S+): (?P<reason>.+?)(?: \(see \d+:\d+\))?$"
)


def check(site: Path, *options: str) -> Any:
    return CliRunner().invoke(app, ["config", "check", str(site), *options])


def told(tmp_path: Path, text: str | bytes) -> list[dict[str, str]]:
    """The faults of a file of this text, as a person reads them; the object must say the same."""
    site = tmp_path / "site.yaml"
    site.write_bytes(text if isinstance(text, bytes) else text.encode())
    words, as_json = check(site), check(site, "--json")
    assert words.exit_code == as_json.exit_code, words.output
    assert as_json.stdout.count("\n") == 1
    told = json.loads(as_json.stdout)
    rows = [LINE.match(line) for line in words.stdout.splitlines()]
    if told["valid"]:
        assert words.exit_code == Exit.OK
        return []
    assert words.exit_code == Exit.INVALID
    found = [row.groupdict() for row in rows if row]
    assert len(found) == len(rows), words.stdout
    assert found == [{key: str(fault[key]) for key in found[0]} for fault in told["faults"]]
    last = (text if isinstance(text, bytes) else text.encode()).count(b"\n") + 1
    assert all(1 <= int(row["line"]) <= last and int(row["column"]) >= 1 for row in found)
    return found


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) >= 1
    return GOOD.replace(old, new, 1)


def at(text: str, piece: str) -> tuple[str, str]:
    """Line and column, from 1, of a piece of text."""
    before = text[: text.index(piece)]
    return str(before.count("\n") + 1), str(len(before) - before.rfind("\n"))


@pytest.mark.parametrize(
    ("old", "new", "where", "path", "reason"),
    [
        ("  baud: 115200", "  boud: 115200", "boud", "controller.boud", "did you mean baud?"),
        ("  baud: 115200", "  baud: 5", "5\n  role", "controller.baud", "must be at least 1200, not 5"),
        ("role: master", "role: Master", "Master", "controller.role", "did you mean master?"),
        ("driver: gbt20999", "driver: gbt2099", "gbt2099", "controller.driver", "did you mean gbt20999?"),
        (
            "driver: chrony,",
            "driver: chronie,",
            "chronie",
            "time.driver",
            "no driver 'chronie'; did you mean",
        ),
        ("driver: mjpeg_http", "driver: mjpeg", "mjpeg\n", "cameras.0.driver", "did you mean mjpeg_http?"),
        ("id: virtual-12", "id: 12", "12,", "site.id", "must be text"),
        ("id: virtual-12", "id: !x y", "!x y", "site.id", "the tag !x means nothing here"),
        ("x_east_m: -16.0", "x_east_m: .nan", ".nan", "cameras.0.pose.x_east_m", "finite number"),
        ("    7: [11]", "    7: [11, 10]", "10]\n    101", "signals.phases.7.1", "stands in phase 6 too"),
        ("    7: [11]", "    seven: [11]", "seven", "signals.phases.seven", "must be a whole number"),
        ("name: radar-south-west", "name: south-west", "south-west\n    data", "radars.0.name", "another"),
        ("covers: [N, E]", "covers: [N, X]", "X]", "cameras.0.field.covers.1", "no such arm: X"),
        ("crossings/virtual", "crossings/none", "crossings/none", "crossing.file", "neither beside"),
        ("crossings/virtual.geojson", "crossings", "crossings\n", "crossing.file", "cannot be read"),
        ("controller:\n", "controller:\n  baud: 9600\n", "baud: 115200", "(yaml)", "baud stands here twice"),
        ("  baud", "\tbaud", "\tbaud", "(yaml)", "a tab stands here"),
    ],
)
def test_a_fault_is_told_at_its_place(
    old: str, new: str, where: str, path: str, reason: str, tmp_path: Path
) -> None:
    text = changed(old, new)
    (fault,) = told(tmp_path, text)
    assert (fault["line"], fault["column"]) == at(text, where)
    assert fault["path"] == path
    assert reason in fault["reason"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# 只有注释\n",
        "- a\n",
        "a: [",
        "\x00",
        "a: b\nc",
        "{" * 5000,
        "[" * 5000,
        "a: &a [*a]",
        b"\xff\xfe\xfa",
    ],
)
def test_what_is_no_site_file_is_told_in_one_line_each(text: str | bytes, tmp_path: Path) -> None:
    assert told(tmp_path, text)


def test_a_file_that_would_fill_memory_is_refused_unread(tmp_path: Path) -> None:
    (fault,) = told(tmp_path, b"#" * (LARGEST_SITE_BYTES + 1))
    assert "is larger than" in fault["reason"]


def test_chinese_comments_and_a_byte_order_mark_do_no_harm(tmp_path: Path) -> None:
    assert told(tmp_path, "\ufeff# 深圳坪山路口\n" + GOOD) == []
    text = "# 深圳坪山路口\n" + changed("  baud: 115200", "  波特率: 115200")
    (fault,) = told(tmp_path, text)
    assert (fault["path"], (fault["line"], fault["column"])) == ("controller.波特率", at(text, "波特率"))


def test_a_long_wrong_value_does_not_fill_the_screen(tmp_path: Path) -> None:
    (fault,) = told(tmp_path, changed("virtual-12", "v" * 100_000))
    assert len(fault["reason"]) < 300


def test_a_broken_crossing_and_broken_keys_are_told_together(tmp_path: Path) -> None:
    whole = json.loads(asset("config/crossings/virtual.geojson").read_text())
    whole["features"][1]["properties"]["width_m"] = -1
    whole["features"].append({"properties": {"kind": "lnae"}})
    (tmp_path / "c.geojson").write_text(json.dumps(whole))
    text = changed("crossings/virtual.geojson", "c.geojson").replace("baud: 115200", "baud: 5")
    found = told(tmp_path, text)
    reasons = " ".join(fault["reason"] for fault in found)
    assert {fault["path"] for fault in found} == {"crossing.file", "controller.baud"}
    assert "width_m" in reasons
    assert "did you mean lane?" in reasons


def test_the_command_itself_ends_with_3_and_says_nothing_was_changed(tmp_path: Path) -> None:
    site = tmp_path / "none.yaml"
    done = rsu("config", "check", site)
    assert done.returncode == Exit.INVALID
    assert done.stdout == f"{site}:1:1: (file): cannot be read: No such file or directory\n"
    assert "nothing was changed" in done.stderr
    assert one_object(rsu("config", "check", site, "--json"))["valid"] is False


def test_run_refuses_what_check_refuses(tmp_path: Path) -> None:
    done = rsu("run", tmp_path / "none.yaml")
    assert (done.returncode, done.stdout) == (Exit.INVALID, "")
    assert "cannot be read" in done.stderr


def test_run_says_which_folder_it_cannot_make(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = rsu("run", asset("config/virtual.yaml"), "--state", tmp_path / "file" / "state")
    assert done.returncode == Exit.FAILED
    assert "name another folder with --state" in done.stderr


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(0, len(GOOD)), length=st.integers(0, 40), put=st.text(max_size=12))
def test_any_damage_is_valid_or_told_and_never_a_crash(
    start: int, length: int, put: str, tmp_path: Path
) -> None:
    site = tmp_path / "site.yaml"
    site.write_bytes((GOOD[:start] + put + GOOD[start + length :]).encode("utf-8", "surrogatepass"))
    done = check(site, "--json")
    assert done.exit_code in (Exit.OK, Exit.INVALID), done.exception
    assert bool(json.loads(done.stdout)["faults"]) == (done.exit_code == Exit.INVALID)
