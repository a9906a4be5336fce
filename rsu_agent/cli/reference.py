"""Reference pages made from the code by `make generate`: every verb, every setting; a check holds them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from rsu_agent.cli.exits import Exit
from rsu_agent.settings.described import Described, described, variants
from rsu_agent.settings.model import site_model

MADE = "<!-- made by `make generate`: do not edit -->\n"
MEANING = {
    Exit.OK: "done",
    Exit.FAILED: "failed while running",
    Exit.USAGE: "the command line is wrong",
    Exit.INVALID: "the configuration is invalid",
    Exit.CHECK_FAILED: "a check failed",
    Exit.UNREACHABLE: "the agent does not answer",
    Exit.REVERTED: "the change has gone back",
    Exit.DIFFERS: "there are differences (`rsu config diff`)",
    Exit.TEMPORARY: "not now: try again",
    Exit.PERMISSION: "not allowed",
}


def cli_page(app: typer.Typer) -> str:
    """Every verb with its arguments and options, and the exit codes."""
    lines = [MADE, "# The command `rsu`\n"]
    for path, command in leaves(typer.main.get_command(app), "rsu"):
        lines.append(f"## `{path}`\n\n{(command.help or '').strip()}\n")
        rows = [_parameter(parameter) for parameter in command.params if parameter.name != "help"]
        if rows:
            lines += ["| argument or option | what it is |\n|---|---|", *rows, ""]
    lines.append("## Exit codes\n\n| code | meaning |\n|---|---|")
    lines += [f"| {int(code)} | {meaning} |" for code, meaning in MEANING.items()]
    return "\n".join(lines) + "\n"


def leaves(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """(as it is typed, the verb) of everything below a command that can be run."""
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
        return
    for name, child in sorted(children.items()):
        yield from leaves(child, f"{path} {name}")


def _parameter(parameter: Any) -> str:
    names = ", ".join(f"`{name}`" for name in [*parameter.opts, *getattr(parameter, "secondary_opts", [])])
    return f"| {names} | {(getattr(parameter, 'help', None) or '').replace('|', ' or ')} |"


def settings_page() -> str:
    """Every key of the site file with unit, limits, default and a sentence in both languages."""
    schema = site_model().model_json_schema()
    lines = [MADE, "# The site file\n", "A key without a default must be given.\n"]
    rows = list(described())
    for name, entry in schema["properties"].items():
        models = list(variants(entry, schema))
        caption = entry.get("description") or models[0][1].get("description", "")
        lines.append(f"## `{name}`\n\n{caption} {entry.get('zh', '')}\n")
        star = ".*" if "items" in entry else ""
        for driver, _ in models:
            lines += [f"Driver `{driver}`\n"] if driver else []
            lines += ["| key | type | unit | limits | default | meaning |\n|---|---|---|---|---|---|"]
            mine = [row for row in rows if row.path.split(".")[0] == name and row.driver == driver]
            lines += [_row(row, f"{name}{star}.") for row in mine]
            lines.append("")
    return "\n".join(lines) + "\n"


def _row(row: Described, before: str) -> str:
    is_fixed = row.path == f"{before}driver"
    kind = f"`{row.kind}`" if is_fixed and row.driver else row.kind
    default = "**required**" if row.default is None else f"`{row.default}`"
    limits = row.limits.replace("|", "\\|")
    meaning = f"{row.en} {row.zh}".strip()
    cells = (
        f"`{row.path.removeprefix(before)}`",
        kind,
        row.unit,
        limits,
        "" if is_fixed else default,
        meaning,
    )
    return "| " + " | ".join(cells) + " |"
