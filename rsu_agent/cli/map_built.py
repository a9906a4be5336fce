"""The frames of a crossing's MAP in each set, for `rsu map build` and `export`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.map_subject import Given
from rsu_agent.cli.output import stop
from rsu_agent.messages.csae53.units import Counts
from rsu_agent.messages.moment import Instant
from rsu_agent.messages.standards import set_of
from rsu_agent.outlets.message_sets import MESSAGE_SETS
from rsu_agent.settings.language import because, say

SETS = {set_of(standard): standard for standard in MESSAGE_SETS}


def built(taken: Given, standard: str, *, as_json: bool) -> dict[str, list[bytes]]:
    """Set -> its frames, of one set or of all that can be; what cannot ends the command, with sizes."""
    if standard and standard not in SETS:
        stop(
            Exit.USAGE,
            say("--set {standard}: one of {sets}", standard=standard, sets=", ".join(SETS)),
            as_json=as_json,
        )
    names = [SETS[standard]] if standard else list(taken.sets)
    if not taken.speech.phases and not set(names) <= set(taken.sets):
        stop(Exit.USAGE, say("T/CSAE 53 needs the site file: its phases are there"), as_json=as_json)
    frames = {}
    for name in names:
        said = replace(taken.speech, standard=name)
        try:
            maker = MESSAGE_SETS[name].map(said, taken.crossing, Counts())
            frames[name] = maker.frames(Instant(0.0, None))
        except ValueError as error:
            stop(Exit.CHECK_FAILED, f"{name}: {error}", as_json=as_json)
    return frames


def write(folder: Path, frames: dict[str, list[bytes]], *, as_json: bool) -> dict[tuple[str, int], str]:
    """Each frame as a file of its bytes; (set, layer) -> its name."""
    files = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, parts in frames.items():
            for number, frame in enumerate(parts, 1):
                path = folder / (f"map-{name}-{number}.uper" if len(parts) > 1 else f"map-{name}.uper")
                path.write_bytes(frame)
                files[name, number] = str(path)
    except OSError as error:
        stop(Exit.FAILED, f"{error.filename}: {because(error)}", as_json=as_json)
    return files
