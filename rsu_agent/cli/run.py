"""`rsu run`: check the site file, then become the parent process."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from rsu_agent.cli.exits import Exit, code_of
from rsu_agent.cli.output import stop
from rsu_agent.settings.explain import SiteInvalid
from rsu_agent.settings.generations import Generations, Refused
from rsu_agent.settings.language import because, say
from rsu_agent.settings.read import read_site


def run(
    site: Annotated[Path, typer.Argument(help="The site file.", show_default=False)] = Path(
        "/etc/rsu-agent/site.yaml"
    ),
    state: Annotated[
        Path | None, typer.Option(help="Folder for what must survive (outbox, recordings).")
    ] = None,
    run_dir: Annotated[Path | None, typer.Option("--run", help="Folder for sockets.")] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="Leave a process out: senses or uplink. May be repeated.")
    ] = None,
) -> None:
    """Run the agent for one crossing until told to stop.

    Example: rsu run /etc/rsu-agent/site.yaml
    """
    state, run_dir = _made(state or state_folder(), "--state"), _made(run_dir or _run(), "--run")
    _go_back(state)
    try:
        read_site(site)
    except SiteInvalid as invalid:
        stop(Exit.INVALID, str(invalid))
    except LookupError as error:
        stop(Exit.FAILED, str(error))
    arguments = ["--site", str(site), "--state", str(state), "--run", str(run_dir)]
    for name in without or ():
        arguments += ["--without", name]
    os.execv(sys.executable, [sys.executable, "-m", "rsu_agent.runtime.main", *arguments])


def _go_back(state: Path) -> None:
    """A change of the site file that nobody has confirmed does not outlive the agent."""
    try:
        gone = Generations(state / "config").revert(say("the agent was started"))
    except (Refused, OSError) as error:
        stop(Exit.FAILED, say("a change of the site file waits and cannot go back: {error}", error=error))
    if gone is not None:
        print(
            say("generation {new} was not confirmed: {old} is in place again", new=gone.new, old=gone.old),
            file=sys.stderr,
        )


def state_folder() -> Path:
    """Where the agent keeps its state unless told otherwise."""
    given = os.environ.get("STATE_DIRECTORY") or os.environ.get("XDG_STATE_HOME")
    if os.environ.get("STATE_DIRECTORY"):
        return Path(os.environ["STATE_DIRECTORY"])
    if given:
        return Path(given) / "rsu-agent"
    return Path("/var/lib/rsu-agent") if os.geteuid() == 0 else Path.home() / ".local/state/rsu-agent"


def _made(folder: Path, option: str) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        stop(
            code_of(error),
            say(
                "{folder}: cannot be made ({strerror}); name another folder with {option}",
                folder=folder,
                strerror=because(error),
                option=option,
            ),
        )
    return folder


def _run() -> Path:
    if directory := os.environ.get("RUNTIME_DIRECTORY"):
        return Path(directory)
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(runtime) / "rsu-agent"
    return Path("/run/rsu-agent")
