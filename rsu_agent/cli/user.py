"""`rsu user`: who may log in on the page, in which role, and who did what there."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import print_json, stop, tried
from rsu_agent.settings.language import say
from rsu_agent.web.accounts import LEAST_LENGTH, ROLES, AccountRefused, Accounts, accounts_folder
from rsu_agent.web.audit import Audit

user = typer.Typer(no_args_is_help=True, help="Accounts of the technician's page.")
Name = Annotated[str, typer.Argument(help="Small letters, digits, dots and dashes.")]
Role = Annotated[str, typer.Option("--role", help=f"One of {', '.join(ROLES)}.")]
Stdin = Annotated[
    bool, typer.Option("--password-stdin", help="The first line of standard input is the password.")
]
State = Annotated[Path | None, typer.Option(help="The page's folder of accounts.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on one line.")]
BY = "rsu user"  # who it is in the audit


@user.command()
def add(
    name: Name, role: Role = "viewer", stdin: Stdin = False, state: State = None, as_json: Json = False
) -> None:
    """Make an account; its password is asked for, there is no default one.

    Example: rsu user add li --role technician
    """
    folder = state or accounts_folder()
    password = _password(stdin, as_json)
    _done(lambda: Accounts(folder).add(name, password, role), folder, f"added {name} as {role}", as_json)
    _told({"name": name, "role": role}, say("{name} may log in as {role}", name=name, role=role), as_json)


@user.command("list")
def list_accounts(state: State = None, as_json: Json = False) -> None:
    """Show the accounts and their roles.

    Example: rsu user list
    """
    names = _tried(Accounts(state or accounts_folder()).names, as_json)
    if as_json:
        print_json({"users": [{"name": name, "role": role} for name, role in names.items()]})
        return
    for name, role in names.items():
        typer.echo(f"{name:<32}  {role}")
    if not names:
        typer.echo(say("no account: rsu user add NAME --role technician makes one"))


@user.command()
def remove(name: Name, state: State = None, as_json: Json = False) -> None:
    """Remove an account; whoever is in with it is out at once.

    Example: rsu user remove li
    """
    folder = state or accounts_folder()
    _done(lambda: Accounts(folder).remove(name), folder, f"removed {name}", as_json)
    _told({"name": name}, say("{name} is no account any more", name=name), as_json)


@user.command()
def password(name: Name, stdin: Stdin = False, state: State = None, as_json: Json = False) -> None:
    """Set another password; whoever is in with the old one is out at once.

    Example: rsu user password li
    """
    folder = state or accounts_folder()
    new = _password(stdin, as_json)
    _done(lambda: Accounts(folder).set_password(name, new), folder, f"new password of {name}", as_json)
    _told({"name": name}, say("{name} has another password", name=name), as_json)


@user.command("role")
def set_role(
    name: Name,
    role: Annotated[str, typer.Argument(help=f"One of {', '.join(ROLES)}.")],
    state: State = None,
    as_json: Json = False,
) -> None:
    """Give an account another role, at once.

    Example: rsu user role li admin
    """
    folder = state or accounts_folder()
    _done(lambda: Accounts(folder).set_role(name, role), folder, f"{name} is {role}", as_json)
    _told({"name": name, "role": role}, say("{name} is {role} now", name=name, role=role), as_json)


@user.command()
def audit(
    last: Annotated[int, typer.Option("--last", help="So many lines, the newest last.", min=1)] = 50,
    state: State = None,
    as_json: Json = False,
) -> None:
    """Show who did what on the page and when.

    Example: rsu user audit --last 20
    """
    lines = _tried(lambda: Audit(state or accounts_folder()).lines(last), as_json)
    if as_json:
        print_json({"lines": lines})
        return
    for line in lines:
        at = datetime.fromtimestamp(line["utc_s"], UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        host = f"  [{line['host']}]" if "host" in line else ""
        typer.echo(f"{at}  {line['who']}: {line['what']}{host}")


def _password(stdin: bool, as_json: bool) -> str:
    """Of a person, twice; or of a pipe. Nobody else sees it: it is no argument."""
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        stop(Exit.USAGE, say("no terminal to ask at: give --password-stdin"), as_json=as_json)
    words = say("Password, {least} characters or more", least=LEAST_LENGTH)
    return str(typer.prompt(words, hide_input=True, confirmation_prompt=True, err=True))


def _done(act: Callable[[], None], folder: Path, what: str, as_json: bool) -> None:
    _tried(act, as_json)
    _tried(lambda: Audit(folder).write(BY, what), as_json)


def _tried(act: Callable[[], Any], as_json: bool) -> Any:
    return tried(act, AccountRefused, as_json)


def _told(told: dict[str, Any], words: str, as_json: bool) -> None:
    if as_json:
        print_json(told)
    else:
        typer.echo(words)
