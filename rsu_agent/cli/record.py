"""`rsu record`: the last minutes of the always-on ring, copied into one MCAP file."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import print_json, stop
from rsu_agent.cli.run import state_folder
from rsu_agent.ports.recording import DROPPED, TORN, Entry, Recording, RecordingFile
from rsu_agent.runtime.beginning import START
from rsu_agent.runtime.replay import COPY, NEEDED
from rsu_agent.settings.language import say

UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0}
PROGRESS_ENTRIES = 5000


@dataclass(slots=True)
class Plan:
    """Where the copied minutes begin: entry numbers, and the monotonic second."""

    entries: int
    first: int
    from_s: float
    start: int | None


def record(
    out: Annotated[Path, typer.Option("--out", help="The MCAP file to write.")],
    last: Annotated[str, typer.Option(help="How much: 90s, 10m, 2h.")] = "10m",
    state: Annotated[Path | None, typer.Option(help="The agent's state folder.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on one line.")] = False,
) -> None:
    """Copy the last minutes of the black box into one file, with the agent running or not.

    What `rsu replay --check` needs since the agent's start goes along where the ring still holds it.

    Example: rsu record --last 10m --out incident.mcap
    """
    seconds = _seconds(last)
    if seconds is None:
        stop(Exit.USAGE, say("--last {last}: say 90s, 10m or 2h", last=last), as_json=as_json)
    folder = (state or state_folder()) / "recordings"
    if out.exists():
        stop(Exit.FAILED, say("{out} exists already: name another file", out=out), as_json=as_json)
    if not out.absolute().parent.is_dir():
        stop(Exit.FAILED, say("{parent}: no such folder: make it first", parent=out.parent), as_json=as_json)
    part = out.with_name(out.name + ".part")
    try:
        with Recording(folder) as ring:
            plan = where_it_begins(ring.entries(), seconds)
            if plan is None:
                text = say("{folder}: the ring is empty yet; try again soon", folder=folder)
                stop(Exit.FAILED, text, as_json=as_json)
            told = _copy(ring.entries(), plan, part)
        part.rename(out)
    except FileNotFoundError as error:
        hint = say("is --state right, and has the agent run here (recorder.size_mb above 0)?")
        stop(Exit.FAILED, f"{error}; {hint}", as_json=as_json)
    except OSError as error:
        part.unlink(missing_ok=True)
        stop(Exit.FAILED, say("{out}: cannot be written: {error}", out=out, error=error), as_json=as_json)
    except KeyboardInterrupt:
        part.unlink(missing_ok=True)
        raise typer.Exit(130) from None
    told = {"file": str(out), "bytes": out.stat().st_size, **told}
    if as_json:
        print_json(told)
    else:
        of = {"entries": told["entries"], "seconds": told["seconds"], "mb": told["bytes"] / 1e6}
        typer.echo(say("{out}: {entries} entries of {seconds:.1f} s, {mb:.1f} MB", out=out, **of))


def _seconds(text: str) -> float | None:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    return float(found[1]) * UNITS_S[found[2]] if found and float(found[1]) > 0 else None


def where_it_begins(entries: Iterable[Entry], seconds: float) -> Plan | None:
    """The last so many seconds; after a restart of the machine (its seconds begin anew) not farther back."""
    stamps: list[tuple[int, float]] = []  # since the machine's last start
    starts: list[int] = []
    count = 0
    for number, entry in enumerate(entries):
        count = number + 1
        if entry.topic == TORN:
            continue
        if entry.topic == START:
            starts.append(number)
            if stamps and entry.at_s < stamps[-1][1] - 1.0:
                stamps.clear()
        stamps.append((number, entry.at_s))
    if not stamps:
        return None
    newest_s = max(at_s for _, at_s in stamps)
    first, _ = next(stamp for stamp in stamps if stamp[1] >= newest_s - seconds)
    from_s = max(newest_s - seconds, stamps[0][1])
    return Plan(count, first, from_s, max((number for number in starts if number <= first), default=None))


def chosen(entries: Iterable[Entry], plan: Plan) -> Iterator[Entry]:
    """What is copied: everything of the window, and of its agent's life before it what replay needs."""
    yield Entry(COPY, plan.from_s, {"from_s": plan.from_s})
    torn: Entry | None = None
    for number, entry in enumerate(entries):
        if number < (plan.first if plan.start is None else plan.start):
            continue
        if entry.topic == TORN:
            torn = entry
            continue
        if torn is not None and entry.topic != START:  # else it was the end of an agent's life
            yield Entry(DROPPED, torn.at_s, {"count": 0, **torn.value})
        torn = None
        if number >= plan.first or entry.topic in NEEDED:
            yield entry


def _copy(entries: Iterable[Entry], plan: Plan, path: Path) -> dict[str, Any]:
    written, newest_s = 0, plan.from_s
    file = RecordingFile(path)
    try:
        for entry in chosen(entries, plan):
            file.add(entry)
            written, newest_s = written + 1, max(newest_s, entry.at_s)
            if written % PROGRESS_ENTRIES == 0 and sys.stderr.isatty():
                print(
                    say("\r{written} entries of at most {entries} ", written=written, entries=plan.entries),
                    end="",
                    file=sys.stderr,
                    flush=True,
                )
        file.close()
    except BaseException:
        file.give_up()
        raise
    if sys.stderr.isatty():
        print("\r" + " " * 50 + "\r", end="", file=sys.stderr, flush=True)
    return {
        "entries": written,
        "seconds": round(newest_s - plan.from_s, 3),
        "checkable": plan.start is not None,
    }
