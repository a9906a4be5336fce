"""The benchmarks say what they measured, where and when."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from hil.bench.command import OUT, TABLE, bench

APP = typer.Typer()
APP.command()(bench)
CARRIED = {"seed", "commit", "cpu", "seconds", "machine"}


@pytest.mark.parametrize("name", TABLE)
def test_one_benchmark_is_one_object_on_the_last_line(name: str) -> None:
    result = CliRunner().invoke(APP, ["--only", name, "--seed", "7"])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout.splitlines()[-1])
    assert figures.keys() > CARRIED
    assert figures["seed"] == 7
    assert figures["machine"]["loop_ns"] > 0
    assert figures["ratio"] > 0


def test_all_of_them_are_written_by_name(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(APP, [])
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / OUT).read_text()).keys() == TABLE.keys()


def test_a_name_that_is_none_is_a_usage_error_that_lists_them() -> None:
    result = CliRunner().invoke(APP, ["--only", "nothing"])
    assert result.exit_code == 2
    assert "outbox" in result.stderr
