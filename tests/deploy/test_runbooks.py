"""Every alert has its page and every page its alert; pages name only verbs that the command has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from installing import ROOT
from ruamel.yaml import YAML

from rsu_agent.cli.main import add_other_verbs, app
from rsu_agent.cli.reference import leaves

PAGES = {path.stem: path for path in (ROOT / "docs/runbooks").glob("*.md") if path.stem != "README"}
RULES = {
    rule["alert"]: rule
    for path in (ROOT / "deploy/prometheus").glob("*.yml")
    for group in YAML(typ="safe").load(path.read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
}
ENGLISH = ("**What it means.**", "**How sure.**", "**Look first**", "**Do**", "**Call.**")
CHINESE = ("**含义。**", "**把握。**", "**先看**", "**处置**", "**何时找谁。**")
TYPED = re.compile(r"(?<![\w./-])rsu((?: [a-z][a-z-]*)+)")


add_other_verbs()
VERBS = {path.removeprefix("rsu ") for path, _ in leaves(typer.main.get_command(app), "rsu")}


def commands(text: str) -> set[str]:
    """What a page lets people type, without the command's own name."""
    code = "\n".join(re.findall(r"```(?:\w*)\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text))
    return {found.strip() for found in TYPED.findall(code)}


def is_verb(typed: str) -> bool:
    """Whether these words begin with a verb: what follows may be an argument."""
    words = typed.split()
    return any(" ".join(words[:length]) in VERBS for length in range(1, len(words) + 1))


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    assert PAGES.keys() == RULES.keys()
    listed = re.findall(r"^\| \[(\w+)\]", (ROOT / "docs/runbooks/README.md").read_text(), re.MULTILINE)
    assert sorted(listed) == listed
    assert set(listed) == RULES.keys()


@pytest.mark.parametrize("alert", RULES)
def test_a_rule_leads_to_its_page_and_both_agree_how_bad_it_is(alert: str) -> None:
    assert RULES[alert]["annotations"]["runbook"] == f"docs/runbooks/{alert}.md"
    assert f"`{RULES[alert]['labels']['severity']}`" in PAGES[alert].read_text().splitlines()[2]


@pytest.mark.parametrize("alert", PAGES)
def test_a_page_says_in_both_languages_what_how_sure_where_to_look_what_to_do_and_whom_to_call(
    alert: str,
) -> None:
    english, _, chinese = PAGES[alert].read_text().partition("\n## 中文\n")
    for text, parts in ((english, ENGLISH), (chinese, CHINESE)):
        places = [text.index(part) for part in parts]
        assert places == sorted(places)
        assert commands(text), "nothing to type"
    assert commands(english) >= commands(chinese)


@pytest.mark.parametrize("alert", PAGES)
def test_what_a_page_lets_people_type_is_a_verb(alert: str) -> None:
    assert {typed for typed in commands(PAGES[alert].read_text()) if not is_verb(typed)} == set()


def test_a_verb_that_is_none_is_found_out(tmp_path: Path) -> None:
    page = "type `rsu kalibrate heads` or\n```\nrsu config got x\nrsu status -w\n```\n"
    assert {typed for typed in commands(page) if not is_verb(typed)} == {"kalibrate heads", "config got x"}
