"""`rsu evidence`: the minutes around an instant sealed into one file that anyone can check."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from rsu_agent.cli.exits import Exit, code_of
from rsu_agent.cli.output import print_json, stop
from rsu_agent.cli.run import state_folder
from rsu_agent.settings.language import because, say
from rsu_agent.settings.moments import FORMS, instant_of, shown, span_of

evidence = typer.Typer(help="Seal the minutes around an accident; check such a file.", no_args_is_help=False)
READABLE_BY_OWNER = 0o600


@evidence.callback(invoke_without_command=True)
def seal(
    context: typer.Context,
    at: Annotated[str, typer.Option("--at", help="The instant: 14:03:22, a date and time, -5m.")] = "",
    out: Annotated[Path | None, typer.Option("--out", help="The tar file to write.")] = None,
    before: Annotated[str, typer.Option(help="How much before it.")] = "5m",
    after: Annotated[str, typer.Option(help="How much after it.")] = "5m",
    site: Annotated[Path, typer.Option("--site", help="The site file.")] = Path("/etc/rsu-agent/site.yaml"),
    state: Annotated[Path | None, typer.Option(help="The agent's state folder.")] = None,
    signing_key: Annotated[
        Path | None, typer.Option("--signing-key", help="The site's private key; none = the state folder's.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on one line.")] = False,
) -> None:
    """Seal what was on air, with reasons and witnesses, into one signed file. It holds no picture.

    Example: rsu evidence --at 14:03:22 --out accident.tar
    """
    if context.invoked_subcommand is not None:
        return
    if not at or out is None:
        stop(
            Exit.USAGE,
            say("say when and where to: rsu evidence --at 14:03:22 --out accident.tar"),
            as_json=as_json,
            reason="usage",
        )
    if out.exists():
        stop(Exit.FAILED, say("{out} exists already: name another file", out=out), as_json=as_json)
    from rsu_agent.runtime.evidence_sealed import Sources, Window, sealed

    at_s, before_s, after_s = _times(at, before, after, as_json=as_json)
    folder = state or state_folder()
    key = _key(signing_key, folder / "air", as_json=as_json)
    sources = Sources(folder / "air", folder / "recordings", site, _crossing(site))
    try:
        data, about = sealed(Window(at_s, at_s - before_s, at_s + after_s), sources, key, time.time())
        _written(out, data)
    except ValueError as error:
        stop(
            Exit.FAILED,
            say("{at}: {error}; is --state right?", at=shown(at_s), error=say(str(error))),
            as_json=as_json,
            reason="not_recorded",
        )
    except OSError as error:
        stop(code_of(error), f"{error.filename or out}: {because(error)}", as_json=as_json)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    told = {"file": str(out), "bytes": len(data), "at": shown(at_s), **about}
    print_json(told) if as_json else _print_sealed(told)


@evidence.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A file of rsu evidence.")],
    key: Annotated[
        Path | None, typer.Option("--key", help="The site's public key (PEM), from elsewhere than the file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on one line.")] = False,
) -> None:
    """Check a sealed file with nothing but itself and the site's key; say what it proves and what not.

    Exit status 4 when anything is wrong.

    Example: rsu evidence verify accident.tar --key site.pub
    """
    from rsu_agent.cli.evidence_words import proved
    from rsu_agent.outlets.site_key import read_public
    from rsu_agent.runtime.evidence_checked import checked

    try:
        public = None if key is None else read_public(key.read_bytes())
        proof = checked(file, public)
    except OSError as error:
        stop(code_of(error), f"{error.filename or file}: {because(error)}", as_json=as_json)
    except ValueError as error:
        stop(Exit.FAILED, say("{key}: no Ed25519 key: {error}", key=key, error=error), as_json=as_json)
    proves, not_proves = proved(proof)
    chain = proof.chain
    if as_json:
        print_json(
            {
                "good": proof.good,
                "faults": proof.faults,
                "key": proof.key,
                "own_key": proof.own_key,
                "lines": chain.lines if chain else 0,
                "signed_to": chain.signed_to if chain else None,
                "unsigned": chain.unsigned if chain else None,
                "about": proof.about,
                "proves": proves,
                "does_not_prove": not_proves,
            }
        )
    else:
        typer.echo(say("GOOD") if proof.good else say("NOT GOOD"))
        for fault in proof.faults:
            typer.echo(f"  {fault}")
        for title, texts in ((say("It proves:"), proves), (say("It does not prove:"), not_proves)):
            typer.echo("\n".join([title, *(f"  - {text}" for text in texts)]))
    if not proof.good:
        raise typer.Exit(int(Exit.CHECK_FAILED))


def _times(at: str, before: str, after: str, *, as_json: bool) -> tuple[float, float, float]:
    try:
        return instant_of(at, time.time()), span_of(before), span_of(after)
    except ValueError as error:
        stop(
            Exit.USAGE,
            say("{error}: not a time; write one of {forms}; spans: 90s, 5m", error=error, forms=FORMS),
            as_json=as_json,
            reason="usage",
        )


def _key(path: Path | None, folder: Path, *, as_json: bool) -> Any:
    from rsu_agent.outlets.site_key import existing_key, private_key

    try:
        return existing_key(folder) if path is None else private_key(path)
    except ValueError as error:
        stop(Exit.FAILED, str(error), as_json=as_json)
    except OSError as error:
        hint = say(
            "run it as root, or name the key with --signing-key; the agent makes one at its first start"
        )
        stop(code_of(error), f"{error.filename}: {because(error)}; {hint}", as_json=as_json)


def _crossing(site: Path) -> Path | None:
    """The crossing's file, as the site file names it."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return site.parent / str(YAML(typ="safe").load(site.read_text())["crossing"]["file"])
    except (OSError, YAMLError, KeyError, TypeError):
        return None


def _written(out: Path, data: bytes) -> None:
    """Whole or not at all, for its owner alone: it tells who drove where."""
    part = out.with_name(out.name + ".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, READABLE_BY_OWNER)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(out)


def _print_sealed(told: dict[str, Any]) -> None:
    typer.echo(
        say(
            "{file}: {at}, {lines} lines of the air record, {mb:.2f} MB, key {key}",
            mb=told["bytes"] / 1e6,
            **{name: told[name] for name in ("file", "at", "lines", "key")},
        )
    )
    for name, why in told["missing"].items():
        typer.echo(say("without {name}: {why}", name=name, why=say(why)))
    typer.echo(say("check it: rsu evidence verify {file} --key site.pub", file=told["file"]))
