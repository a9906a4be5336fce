"""Manual pages made from the command line itself: `rsu.1`, and one for each verb."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from rsu_agent.cli.reference import MEANING, leaves
from rsu_agent.version import __version__

FILES = (
    ("/etc/rsu-agent/site.yaml", "the site file; rsu config list --doc tells every key"),
    ("/var/lib/rsu-agent", "outbox, recordings, generations of the site file"),
    ("/run/rsu-agent/ctl.sock", "the control socket that the verbs ask"),
)


def pages(app: typer.Typer) -> dict[str, str]:
    """File name -> text in man(7)'s language."""
    root = typer.main.get_command(app)
    verbs = sorted(root.commands.items())  # type: ignore[attr-defined]
    made = {"rsu.1": "".join(_root(root, verbs))}
    for name, verb in verbs:
        made[f"rsu-{name}.1"] = "".join(_page(name, verb))
    return made


def _root(root: Any, verbs: list[tuple[str, Any]]) -> Iterator[str]:
    yield _title("rsu", root.help)
    yield ".SH SYNOPSIS\n.B rsu\n.I VERB\n[\n.I OPTION\n\\&...\n]\n.SH VERBS\n"
    for name, verb in verbs:
        yield f".TP\n.BR rsu\\-{_text(name)} (1)\n{_text(_first(verb.help))}\n"
    yield ".SH EXIT STATUS\n"
    for code, meaning in MEANING.items():
        yield f".TP\n.B {int(code)}\n{_text(meaning)}\n"
    yield ".SH FILES\n"
    for path, what in FILES:
        yield f".TP\n.I {_text(path)}\n{_text(what)}\n"


def _page(name: str, verb: Any) -> Iterator[str]:
    yield _title(f"rsu-{name}", verb.help)
    if not hasattr(verb, "commands"):
        yield ".SH SYNOPSIS\n" + _synopsis(f"rsu {name}", verb)
        yield ".SH DESCRIPTION\n" + _paragraphs(verb.help) + "".join(_options(verb))
    else:
        yield ".SH SYNOPSIS\n" + f".B rsu {_text(name)}\n.I VERB\n"
        for path, child in leaves(verb, f"rsu {name}"):
            yield f".SH {_text(path)}\n{_synopsis(path, child)}.PP\n{_paragraphs(child.help)}"
            yield "".join(_options(child))
    yield ".SH SEE ALSO\n.BR rsu (1)\n"


def _title(name: str, text: str | None) -> str:
    what = _text(_first(text)).rstrip(".")
    return f'.TH {_text(name.upper())} 1 "" "rsu-agent {__version__}"\n.SH NAME\n{_text(name)} \\- {what}\n'


def _synopsis(path: str, verb: Any) -> str:
    words = [f".B {_text(path)}\n"]
    for parameter in verb.params:
        if parameter.param_type_name == "argument":
            name = (parameter.metavar or parameter.name or "").upper()
            words.append(f".I {_text(name)}\n" if parameter.required else f"[\n.I {_text(name)}\n]\n")
    return "".join(words) + "[\n.I OPTION\n\\&...\n]\n"


def _options(verb: Any) -> Iterator[str]:
    for parameter in verb.params:
        if parameter.name == "help":
            continue
        names = [*parameter.opts, *getattr(parameter, "secondary_opts", [])]
        shown = ", ".join(names) if parameter.param_type_name == "option" else names[0].upper()
        yield f".TP\n.B {_text(shown)}\n{_text(getattr(parameter, 'help', None) or '')}\n"


def _paragraphs(text: str | None) -> str:
    return ".PP\n".join(f"{_text(' '.join(each.split()))}\n" for each in (text or "").split("\n\n"))


def _first(text: str | None) -> str:
    return " ".join((text or "").strip().split("\n\n")[0].split())


def _text(text: str) -> str:
    """Any text as roff that means just that."""
    told = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return f"\\&{told}" if told.startswith((".", "\\(aq")) else told
