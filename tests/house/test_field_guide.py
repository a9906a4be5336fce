"""What the guides of the field let people type exists: verbs and options; both languages say the same."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from rsu_agent.cli.main import add_other_verbs, app
from rsu_agent.cli.reference import leaves

GUIDE = Path(__file__).parents[2] / "docs" / "guide"
PAGES = {language: (GUIDE / f"field.{language}.md").read_text() for language in ("en", "zh")}
add_other_verbs()
VERBS: dict[str, Any] = dict(leaves(typer.main.get_command(app), "rsu"))


def typed(text: str) -> list[list[str]]:
    """Every command line of `rsu` in a page's code."""
    blocks = [line for block in re.findall(r"```\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    lines = [*blocks, *re.findall(r"`([^`\n]+)`", text)]
    found = [re.sub(r"\s#.*", "", line).strip() for line in lines]
    return [shlex.split(line) for line in found if re.match(r"rsu [a-z]", line)]


def wrong(words: list[str]) -> str:
    """What is wrong with a command line; nothing where it is good."""
    verb = next((" ".join(words[:n]) for n in range(len(words), 1, -1) if " ".join(words[:n]) in VERBS), "")
    if not verb:
        return f"{' '.join(words)}: no such verb"
    known = {option for parameter in VERBS[verb].params for option in parameter.opts}
    strange = [word for word in words if word.startswith("-") and not re.fullmatch(r"-\d.*", word)]
    return "".join(f"{verb} has no {option}" for option in strange if option not in known)


@pytest.mark.parametrize("language", PAGES)
def test_every_command_of_the_field_guide_is_a_verb_with_these_options(language: str) -> None:
    commands = typed(PAGES[language])
    assert len(commands) > 20
    assert [fault for words in commands if (fault := wrong(words))] == []


def test_a_verb_or_an_option_that_is_none_is_found_out() -> None:
    assert "no such verb" in wrong(["rsu", "calibrat", "camera"])
    assert wrong(["rsu", "record", "--lost", "10m"]) == "rsu record has no --lost"
    assert wrong(["rsu", "record", "--last", "10m"]) == ""


def test_both_languages_have_the_same_steps_commands_and_pictures() -> None:
    english, chinese = PAGES["en"], PAGES["zh"]
    for pattern in (r"^#+ (\d\.)?", r"^\| \d+ \|", r"^\d\. "):
        marks = [re.findall(pattern, text, re.MULTILINE) for text in (english, chinese)]
        assert marks[0] == marks[1]
    verbs = [sorted({" ".join(words[1:3]) for words in typed(text)}) for text in (english, chinese)]
    assert verbs[0] == verbs[1]
    shown = [re.findall(r"field/(\w+)\.(en|zh)\.svg", text) for text in (english, chinese)]
    assert [name for name, _ in shown[0]] == [name for name, _ in shown[1]]
    assert [{language for _, language in each} for each in shown] == [{"en"}, {"zh"}]


def test_the_terminal_s_pictures_are_small_and_load_nothing() -> None:
    pictures = sorted((GUIDE.parent / "pictures" / "field").glob("*.svg"))
    assert len(pictures) == 10
    for path in pictures:
        text = path.read_text()
        assert len(text) < 16_000
        assert not re.search(r"(?:href|url)\s*[=(]\s*[\"']?https?:|@import|@font-face", text)
