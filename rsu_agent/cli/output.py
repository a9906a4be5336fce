"""What verbs print: one JSON object on one line, or words for people; errors go to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import typer

from rsu_agent.cli.exits import Exit, code_of
from rsu_agent.settings.language import because


def print_json(value: Any) -> None:
    """One object, one line, alone on stdout."""
    print(json.dumps(value, ensure_ascii=False, separators=(",", ":")), flush=True)


def stop(code: Exit, text: str, *, as_json: bool = False, **fields: Any) -> NoReturn:
    """End with words on stderr, and with `--json` an object on stdout too."""
    if as_json:
        print_json({"error": text, **fields})
    print(text, file=sys.stderr, flush=True)
    raise typer.Exit(int(code))


def tried(act: Callable[[], Any], refusal: type[Exception], as_json: bool) -> Any:
    """What an act gives; a refusal, or the system's, ends the program with words."""
    try:
        return act()
    except refusal as refused:
        stop(Exit.USAGE, str(refused), as_json=as_json)
    except OSError as error:
        stop(code_of(error), f"{error.filename or ''}: {because(error)}", as_json=as_json)


def plain() -> bool:
    """Whether to print without colour or movement: not a terminal, or a simple one."""
    return not sys.stdout.isatty() or os.environ.get("TERM") == "dumb" or "NO_COLOR" in os.environ
