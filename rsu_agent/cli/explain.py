"""`rsu explain`: why a message said what it said at one instant, in words, as JSON, as a picture."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from rsu_agent.cli.exits import Exit, code_of
from rsu_agent.cli.explain_words import in_words, message_words
from rsu_agent.cli.output import print_json, stop
from rsu_agent.cli.run import state_folder
from rsu_agent.ports.recording import Recording
from rsu_agent.runtime.explained import AFTER_S, BEFORE_S, KINDS, explained, message, rules_of
from rsu_agent.runtime.story import Story, story
from rsu_agent.settings.language import because, say
from rsu_agent.settings.moments import FORMS, instant_of, shown
from rsu_agent.wire.uper import Malformed


def explain(
    time_: Annotated[str, typer.Argument(metavar="TIME", help="14:03:22, a date and time, -5m, now.")],
    recording: Annotated[
        Path | None, typer.Argument(help="An MCAP file; none = the running box's ring.")
    ] = None,
    group: Annotated[int | None, typer.Option("--group", help="Only this lamp group.")] = None,
    kind: Annotated[
        str | None, typer.Option("--message", help="Another message that was on air: MAP, RSM, RSI, ...")
    ] = None,
    picture: Annotated[Path | None, typer.Option("--picture", help="SVG file to draw.")] = None,
    state: Annotated[Path | None, typer.Option(help="The agent's state folder.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on one line.")] = False,
) -> None:
    """Say why the air carried what it carried: controller, cameras, plan, guard, and what was held back.

    Examples: rsu explain 14:03:22 · rsu explain -5m --group 3 --picture why.svg ·
    rsu explain 2026-11-27T14:03:22+08:00 incident.mcap --json
    """
    try:
        at_s = instant_of(time_, time.time())
    except ValueError:
        stop(
            Exit.USAGE,
            say("{time}: not a time; write one of {forms}", time=time_, forms=FORMS),
            as_json=as_json,
            reason="usage",
        )
    told = _read(recording or (state or state_folder()) / "recordings", at_s, as_json=as_json)
    if kind is not None and kind.upper() not in KINDS:
        _message(told, at_s, kind.upper(), as_json=as_json)
        return
    value = {"at": shown(at_s), **explained(told, at_s, group)}
    if group is not None and not value["groups"]:
        stop(Exit.USAGE, say("lamp group {group} is not on air here", group=group), as_json=as_json)
    if picture is not None:
        from rsu_agent.cli.explain_picture import drawn

        try:
            picture.write_text(drawn(told, at_s, rules_of(told), group))
        except OSError as error:
            stop(code_of(error), f"{picture}: {because(error)}", as_json=as_json)
        value["picture"] = str(picture)
    if as_json:
        print_json(value)
    else:
        typer.echo("\n".join(in_words(value)))


def _read(path: Path, at_s: float, *, as_json: bool) -> Story:
    """What is told around the instant; stops where nothing is."""
    try:
        told = None
        with suppress(FileNotFoundError), Recording(path, at_s - BEFORE_S) as opened:
            told = story(opened.entries(), at_s - BEFORE_S, at_s + AFTER_S)
        if told is None or not told.ticks:  # a clock that was set since makes the files' own times wrong
            with Recording(path) as opened:
                told = story(opened.entries(), at_s - BEFORE_S, at_s + AFTER_S)
    except OSError as error:
        hint = say("is --state right, and has the agent run here (recorder.size_mb above 0)?")
        stop(code_of(error), f"{error.filename or path}: {because(error)}; {hint}", as_json=as_json)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if not any(utc_s <= at_s for utc_s, _ in told.ticks):
        reach = (
            say("nothing in it can be read")
            if told.first_s is None or told.last_s is None
            else say("it reaches from {first} to {last}", first=shown(told.first_s), last=shown(told.last_s))
        )
        stop(
            Exit.FAILED,
            say("{path} holds nothing of {at}; {reach}", path=path, at=shown(at_s), reach=reach),
            as_json=as_json,
            reason="not_recorded",
        )
    return told


def _message(told: Story, at_s: float, kind: str, *, as_json: bool) -> None:
    value: dict[str, Any] | None = message(told, at_s, kind)
    held = [each for each in told.air if not each.sent and each.kind == kind and each.utc_s <= at_s]
    if value is None:
        why = say("held back: {reason}", reason=held[-1].reason) if held else say("none was sent")
        stop(
            Exit.FAILED,
            say("no {kind} in the two minutes before {at}: {why}", kind=kind, at=shown(at_s), why=why),
            as_json=as_json,
            reason="not_on_air",
        )
    from rsu_agent.cli.told import read_object
    from rsu_agent.messages.recognise import recognise

    data = bytes.fromhex(value["hex"])
    try:
        value["value"] = read_object(recognise(data), len(data)).get("value")
    except Malformed as error:
        value["value"] = {"unreadable": str(error)}
    if as_json:
        print_json({"at": shown(at_s), **value})
    else:
        typer.echo("\n".join(message_words(shown(at_s), value)))
