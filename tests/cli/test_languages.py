"""Both languages: every sentence has its translation, placeholders are the same, no screen grows too wide."""

from __future__ import annotations

import json
import os
import re
import string
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po

from rsu_agent.cli import catalogue
from rsu_agent.cli.status import columns, one_line, screen
from rsu_agent.cli.words import COLOURS, CONTROLS, HAZARDS, REASONS
from rsu_agent.outlets.guard_table import TABLE
from rsu_agent.settings.language import OURS, because, say, spoken
from rsu_agent.world.hazard import HazardKind
from rsu_agent.world.signal import Colour, Control
from tests.web.made_up import LIVE, MadeUpAgent, agent_at

RSU = Path(sys.executable).with_name("rsu")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def rsu(*words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONIOENCODING": "utf-8", **more}
    return subprocess.run(
        [str(RSU), *map(str, words)], capture_output=True, text=True, timeout=120, check=False, env=env
    )


@pytest.fixture
def chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OURS, "zh_CN.UTF-8")


def test_every_sentence_is_translated_and_the_catalogue_is_up_to_date() -> None:
    assert catalogue.main(check=True) == 0


def test_a_translation_has_the_placeholders_of_its_sentence_and_no_other() -> None:
    path = catalogue.catalogue_file("zh_CN")
    for message in read_po(path.open("rb"), locale="zh_CN"):
        if message.id and "{" in message.id:
            assert placeholders(message.string) == placeholders(message.id), message.id


def placeholders(text: str) -> set[tuple[str, str, str]]:
    return {
        (name, form or "", change or "")
        for _, name, form, change in string.Formatter().parse(text)
        if name is not None
    }


def test_the_words_that_the_agent_uses_are_all_known() -> None:
    assert set(CONTROLS) == {each.value for each in Control}
    assert set(HAZARDS) == {each.value for each in HazardKind}
    assert set(COLOURS) == {each.value for each in Colour}
    assert {row.cause for row in TABLE} <= set(REASONS)


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh_CN"),
        ({"LANG": "zh_TW.UTF-8"}, "zh_CN"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "C"}, "en"),
        ({}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "zh_CN"),
        ({"LANG": "zh_CN.UTF-8", OURS: "en"}, "en"),
        ({"LANG": "C", OURS: "zh-CN"}, "zh_CN"),
        ({"LANG": "no such locale"}, "en"),
    ],
)
def test_the_language_is_the_one_that_is_asked_for(
    environment: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (OURS, "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert spoken() == language


def test_a_terminal_that_cannot_show_chinese_gets_english() -> None:
    done = rsu("status", "-h", **{OURS: "zh_CN"}, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "Show how the agent is" in done.stdout


@pytest.mark.usefixtures("chinese")
def test_a_value_that_is_missing_or_braces_in_a_value_break_nothing() -> None:
    assert say("{file}: valid", file="a{b}c") == "a{b}c：有效"
    assert say("a sentence of nobody {x}", x=1) == "a sentence of nobody 1"
    assert say("") == ""
    with pytest.raises(KeyError):
        say("{file}: valid", other="x")


@pytest.mark.usefixtures("chinese")
def test_what_the_system_says_most_is_said_in_chinese_too(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        (tmp_path / "none").read_text()
    assert because(caught.value) == "没有这个文件或文件夹"
    assert because(OSError("odd")) == "odd"


def test_help_is_chinese_down_to_the_last_option_and_examples_stay_as_they_are_typed() -> None:
    done = rsu("config", "set", "-h", **{OURS: "zh"}, COLUMNS="100")
    said = done.stdout
    assert "把一个值写入站点文件" in said
    assert "示例: rsu config set" in said
    assert not re.search(r"\b(Show this|Options|Arguments|The site file)\b", said)


def test_a_wrong_command_line_is_told_in_chinese_and_json_keeps_its_keys() -> None:
    done = rsu("nonsense", **{OURS: "zh"})
    assert done.returncode == 2
    assert "没有命令" in done.stderr
    plain, told = (
        json.loads(rsu("config", "check", "/dev/null", "--json", **{OURS: each}).stdout)
        for each in ("en", "zh")
    )
    assert [set(fault) for fault in plain["faults"]] == [set(fault) for fault in told["faults"]]
    assert CHINESE.search(told["faults"][0]["reason"])
    assert not CHINESE.search(plain["faults"][0]["reason"])


@pytest.mark.usefixtures("chinese")
def test_the_screen_of_forty_columns_is_chinese_and_no_wider() -> None:
    made: dict[str, Any] = {**LIVE, "users": 3}
    for reason in ("", *REASONS):
        made["spat"] = {**LIVE["spat"], "valid": not reason, "reason": reason or None}
        made["devices"] = [{**each, "reason": reason or "ok"} for each in LIVE["devices"]]
        lines = [line for line, _ in screen(made)]
        assert all(columns(line) <= 40 for line in lines)
        assert sum(bool(CHINESE.search(line)) for line in lines) >= len(lines) - 1
        assert CHINESE.search(one_line(made))


def test_status_and_doctor_say_the_same_in_both_languages(tmp_path: Path) -> None:
    with agent_at(tmp_path / "ctl.sock", MadeUpAgent()):
        for verb in ("status", "doctor"):
            told = [
                rsu(verb, "--socket", tmp_path / "ctl.sock", **{OURS: language}) for language in ("en", "zh")
            ]
            english, other = (done.stdout.splitlines() for done in told)
            assert told[0].returncode == told[1].returncode
            assert len(english) == len(other)
            assert not any(map(CHINESE.search, english))
            assert sum(bool(CHINESE.search(line)) for line in other) >= len(other) - 1
