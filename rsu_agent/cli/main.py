"""The command `rsu`: verbs of ours, and verbs that other packages add (`rsu_agent.commands`)."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points

import typer

from rsu_agent.cli.bundle import bundle
from rsu_agent.cli.calibrate import calibrate
from rsu_agent.cli.command import command
from rsu_agent.cli.config import config
from rsu_agent.cli.decode import decode
from rsu_agent.cli.district import district
from rsu_agent.cli.doctor import doctor
from rsu_agent.cli.evidence import evidence
from rsu_agent.cli.exits import Exit
from rsu_agent.cli.explain import explain
from rsu_agent.cli.guard import guard
from rsu_agent.cli.map import map_verbs
from rsu_agent.cli.model_check import model
from rsu_agent.cli.output import print_json, stop
from rsu_agent.cli.probe import probe
from rsu_agent.cli.record import record
from rsu_agent.cli.replay import replay
from rsu_agent.cli.run import run
from rsu_agent.cli.spoken import HELP_OPTIONS, translate
from rsu_agent.cli.status import status
from rsu_agent.cli.update import update
from rsu_agent.cli.user import user
from rsu_agent.cli.watch import watch
from rsu_agent.settings.language import say
from rsu_agent.version import __version__

GROUP = "rsu_agent.commands"
RIG_VERBS = ("demo", "hil", "bench")  # added by the rig; without it they say how to get it
RIG_VERBS_WITHIN = ("district.simulate",)  # the same, within a verb of ours

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": list(HELP_OPTIONS)},
    help="The agent of a connected intersection: what it says on air is witnessed.",
)
app.command()(run)
app.command()(status)
app.command()(doctor)
app.command()(bundle)
app.command()(record)
app.command()(replay)
app.command(context_settings={"ignore_unknown_options": True})(explain)  # -5m is a time
app.command()(decode)
app.command()(probe)
app.add_typer(config, name="config")
app.add_typer(map_verbs, name="map")
app.add_typer(guard, name="guard")
app.add_typer(watch, name="watch")
app.add_typer(evidence, name="evidence")
app.add_typer(calibrate, name="calibrate")
app.add_typer(model, name="model")
app.add_typer(district, name="district")
app.add_typer(command, name="command")
app.add_typer(user, name="user")
app.add_typer(update, name="update")
PLACES: dict[str, typer.Typer] = {"": app, "district": district}  # where other packages may add verbs


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def add_other_verbs(within: str = "") -> None:
    """Take in the verbs of other installed packages; those of an absent rig say how to get it.

    A name with a dot adds to a verb of ours: `district.simulate`. within: only those of this verb.
    """
    found = set()
    for entry in entry_points(group=GROUP):
        place, _, name = entry.name.rpartition(".")
        if (within and place != within) or place not in PLACES:
            continue
        try:
            verb = entry.load()
        except ImportError:
            continue  # the rig's own packages are not installed: told below
        found.add(entry.name)
        if isinstance(verb, typer.Typer):
            PLACES[place].add_typer(verb, name=name)
        else:
            PLACES[place].command(name=name)(verb)
    for full in (*RIG_VERBS, *RIG_VERBS_WITHIN):
        place, _, name = full.rpartition(".")
        if full not in found and (not within or place == within):
            PLACES[place].command(
                name=name,
                help="(needs the rig: pip install 'rsu-agent\\[rig]')",  # the backslash is for rich's markup
                context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
            )(_rig_is_missing)


def _own_verbs() -> set[str]:
    """The names of the verbs of this package."""
    commands = {each.callback.__name__ for each in app.registered_commands if each.callback is not None}
    return commands | {each.name for each in app.registered_groups if each.name}


def _rig_is_missing() -> None:
    as_json = "--json" in sys.argv
    stop(
        Exit.FAILED,
        say("the rig is not installed: pip install 'rsu-agent[rig]'"),
        as_json=as_json,
        reason="rig",
    )


def main() -> None:
    """Entry point. With `--json` a wrong command line is an object on stdout, too."""
    first = "".join(sys.argv[1:2])
    if first not in {"--version", *_own_verbs()}:  # a verb of ours does not wait for what it does not use
        add_other_verbs()
    elif first in PLACES:
        add_other_verbs(within=first)
    verbs = typer.main.get_command(app)
    translate(verbs)
    if "--json" not in sys.argv:
        verbs()
    try:
        sys.exit(verbs(standalone_mode=False))
    except typer.TyperException as wrong:
        text = str(getattr(wrong, "format_message", wrong.__str__)())  # says the parameter, too
        print_json({"error": text, "reason": "usage"})
        print(text, file=sys.stderr)
        sys.exit(int(Exit.USAGE))


if __name__ == "__main__":
    main()
