"""The command line's own words in the person's language: help of verbs, arguments and options."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import typer

from rsu_agent.settings.language import later, say

HELP_OPTIONS = ("-h", "--help")
EXAMPLE = re.compile(r"(Examples?):\s")  # what is typed is typed the same in every language
EXAMPLES = {"Example": later("Example"), "Examples": later("Examples")}
SHOW_HELP = later("Show this message and exit.")


def translate(command: Any) -> None:
    """Put every help text below a command into the person's language, in place."""
    for each in below(command):
        each.help = in_paragraphs(each.help, say)
        if getattr(each, "short_help", None):
            each.short_help = in_paragraphs(each.short_help, say)
        for parameter in each.params:
            if getattr(parameter, "help", None):
                parameter.help = say(parameter.help)
        asking = typer.Context(each, help_option_names=list(HELP_OPTIONS))
        if (option := each.get_help_option(asking)) is not None:
            option.help = say(SHOW_HELP)


def texts(command: Any) -> Iterator[str]:
    """Every text that `translate` would ask for."""
    asked: list[str] = []

    def note(text: str) -> str:
        asked.append(text)
        return text

    for each in below(command):
        in_paragraphs(each.help, note)
        in_paragraphs(getattr(each, "short_help", None), note)
        asked += [text for parameter in each.params if (text := getattr(parameter, "help", None))]
    yield from dict.fromkeys(asked)


def below(command: Any) -> Iterator[Any]:
    """A command and every verb below it."""
    yield command
    for _, child in sorted(getattr(command, "commands", {}).items()):
        yield from below(child)


def in_paragraphs(text: str | None, said: Callable[[str], str]) -> str | None:
    """A help text with each paragraph said; examples keep their lines, only the word before is said."""
    if not text:
        return text
    told = []
    for paragraph in text.strip().split("\n\n"):
        if found := EXAMPLE.match(paragraph.strip()):
            told.append(said(EXAMPLES[found[1]]) + paragraph.strip()[len(found[1]) :])
        else:
            told.append(said(" ".join(paragraph.split())))
    return "\n\n".join(told)
