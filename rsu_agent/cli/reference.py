"""Reference pages made from the code by `make generate`: every verb, every setting; a check holds them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from rsu_agent.cli.exits import Exit
from rsu_agent.settings.model import site_model

MADE = "<!-- made by `make generate`: do not edit -->\n"
MEANING = {
    Exit.OK: "done",
    Exit.FAILED: "failed while running",
    Exit.USAGE: "the command line is wrong",
    Exit.INVALID: "the configuration is invalid",
    Exit.CHECK_FAILED: "a check failed",
    Exit.UNREACHABLE: "the agent does not answer",
    Exit.TEMPORARY: "not now: try again",
    Exit.PERMISSION: "not allowed",
}
LIMITS = {
    "minimum": ">=",
    "maximum": "<=",
    "exclusiveMinimum": ">",
    "exclusiveMaximum": "<",
    "pattern": "like",
}


def cli_page(app: typer.Typer) -> str:
    """Every verb with its arguments and options, and the exit codes."""
    lines = [MADE, "# The command `rsu`\n"]
    for path, command in _verbs(typer.main.get_command(app), "rsu"):
        lines.append(f"## `{path}`\n\n{(command.help or '').strip()}\n")
        rows = [_parameter(parameter) for parameter in command.params if parameter.name != "help"]
        if rows:
            lines += ["| argument or option | what it is |\n|---|---|", *rows, ""]
    lines.append("## Exit codes\n\n| code | meaning |\n|---|---|")
    lines += [f"| {int(code)} | {meaning} |" for code, meaning in MEANING.items()]
    return "\n".join(lines) + "\n"


def _verbs(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
        return
    for name, child in sorted(children.items()):
        yield from _verbs(child, f"{path} {name}")


def _parameter(parameter: Any) -> str:
    names = ", ".join(f"`{name}`" for name in [*parameter.opts, *getattr(parameter, "secondary_opts", [])])
    return f"| {names} | {(getattr(parameter, 'help', None) or '').replace('|', ' or ')} |"


def settings_page() -> str:
    """Every key of the site file with unit, limits, default and a sentence in both languages."""
    schema = site_model().model_json_schema()
    lines = [MADE, "# The site file\n", "A key without a default must be given.\n"]
    for name, entry in schema["properties"].items():
        models = list(_models(entry, schema))
        caption = entry.get("description") or models[0][1].get("description", "")
        lines.append(f"## `{name}`\n\n{caption} {entry.get('zh', '')}\n")
        for title, model in models:
            lines += [f"{title}\n"] if title else []
            lines += ["| key | type | unit | limits | default | meaning |\n|---|---|---|---|---|---|"]
            lines += list(_keys(model, schema, ""))
            lines.append("")
    return "\n".join(lines) + "\n"


def _models(entry: dict[str, Any], schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects that an entry may hold; variants are told apart by their driver."""
    if "items" in entry:
        entry = entry["items"]
    for option in entry.get("oneOf") or entry.get("anyOf") or [entry]:
        if "$ref" in option:
            model = schema["$defs"][option["$ref"].rsplit("/", 1)[-1]]
            driver = model["properties"].get("driver", {}).get("const")
            yield (f"Driver `{driver}`" if driver else ""), model


def _keys(model: dict[str, Any], schema: dict[str, Any], before: str) -> Iterator[str]:
    for name, entry in model["properties"].items():
        inner = [found for _, found in _models(entry, schema)]
        if inner and "properties" in inner[0]:
            yield from _keys(inner[0], schema, f"{before}{name}.")
            continue
        options = entry.get("anyOf", [entry])
        kinds = " or ".join(str(option.get("type", option.get("const", "any"))) for option in options)
        limits = [
            f"{sign} {option[key]}" for option in options for key, sign in LIMITS.items() if key in option
        ]
        default = f"`{entry['default']}`" if "default" in entry else "**required**"
        if "const" in entry:
            kinds, default = f"`{entry['const']}`", ""
        choice = ", ".join(map(str, entry.get("enum", ())))
        cells = (
            f"`{before}{name}`",
            choice or kinds,
            entry.get("unit") or "",
            " ".join(limits).replace("|", "\\|"),
            default,
            f"{entry.get('description', '')} {entry.get('zh', '')}".strip(),
        )
        yield "| " + " | ".join(cells) + " |"
