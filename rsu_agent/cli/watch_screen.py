"""The live screen of `rsu watch signals`: what is decoded, and the bytes it was read from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain
from math import ceil

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from rsu_agent.cli.watch_lines import NO_RAW, counts, facts, left_words, printable
from rsu_agent.cli.words import COLOURS, CONTROLS, reason_said
from rsu_agent.runtime.watch_signals import Raw
from rsu_agent.runtime.watched_signals import Shining, WatchedSignals
from rsu_agent.settings.language import later, say
from rsu_agent.world.signal import Colour

WIDE = 80  # columns from which two panes fit side by side
RULE = " │ "
LEAST_RAW_COLUMNS = 28  # of the right pane: time and six bytes
LEAST_RAW_ROWS = 4  # of the lower pane: 24 groups and these fit a telephone of 40 x 24
GROUP_COLUMNS = 32  # as `_group` makes them
TIGHT_COLUMNS = 19  # two beside each other on forty columns
QUIET = {"faults": "none", "alarms": "none", "preempt": "no", "priority": "no", "fault_flash": "no"}
NAMES = {
    "faults": later("faults"),
    "alarms": later("alarms"),
    "preempt": later("preempt"),
    "priority": later("priority"),
    "fault_flash": later("fault flash"),
}
ARROWS = {"in": "←", "out": "→"}
BLOCKS: dict[Colour, tuple[tuple[str, str], tuple[str, str]]] = {  # two characters with a style each
    Colour.UNKNOWN: (("?", "magenta"), ("?", "magenta")),
    Colour.DARK: (("·", ""), ("·", "")),
    Colour.RED: (("█", "red"), ("█", "red")),
    Colour.RED_FLASH: (("▒", "red"), ("▒", "red")),
    Colour.RED_YELLOW: (("█", "red"), ("█", "yellow")),
    Colour.GREEN: (("█", "green"), ("█", "green")),
    Colour.GREEN_FLASH: (("▒", "green"), ("▒", "green")),
    Colour.YELLOW: (("█", "yellow"), ("█", "yellow")),
    Colour.YELLOW_FLASH: (("▒", "yellow"), ("▒", "yellow")),
}


class Screen:
    """Draws `watched` on any size of terminal. title: which site and line; seconds count from start_s."""

    def __init__(self, watched: WatchedSignals, title: str, start_s: float) -> None:
        self._watched, self._title, self._start_s = watched, title, start_s

    def rows(self, now_s: float, columns: int, rows: int) -> list[Text]:
        """At most so many rows, none wider than so many columns."""
        title = Text.assemble((f"{now_s - self._start_s:.0f} s ", ""), (self._title, "bold"))
        drawn = [title]
        if columns >= WIDE:
            drawn += self._beside(now_s, columns, rows - 1)
        else:
            drawn += self._stacked(now_s, columns, rows - 1)
        for row in drawn:
            row.truncate(columns)
        return drawn[: max(1, rows)]

    def _beside(self, now_s: float, columns: int, rows: int) -> Iterator[Text]:
        room = columns - len(RULE) - LEAST_RAW_COLUMNS
        half = min(room, max(GROUP_COLUMNS, columns // 2 - len(RULE)))
        others = len(_wrapped(chain(self._line(now_s), self._state(now_s)), half))
        groups, wide = self._groups(now_s, room, rows - others)
        wide = max(wide, half)
        left = [*_wrapped(self._line(now_s), wide), *groups, *_wrapped(self._state(now_s), wide)]
        right = self._bytes(columns - wide - len(RULE), rows)
        for n in range(min(rows, max(len(left), len(right)))):
            row = left[n] if n < len(left) else Text()
            row.truncate(wide, pad=True)
            yield Text.assemble(row, (RULE, "dim"), right[n] if n < len(right) else "")

    def _stacked(self, now_s: float, columns: int, rows: int) -> Iterator[Text]:
        line, state = _wrapped(self._line(now_s), columns), _wrapped(self._state(now_s), columns)
        most = max(0, rows - LEAST_RAW_ROWS - 1)  # one for the rule
        groups, _ = self._groups(now_s, columns, most - len(line) - len(state))
        above = [*line, *groups, *state][:most]
        yield from above
        yield Text("─" * columns, "dim")
        yield from self._bytes(columns, rows - len(above) - 1)

    def _groups(self, now_s: float, columns: int, rows: int) -> tuple[list[Text], int]:
        """The groups, roomy if they fit, and how wide they are; at least two rows of them."""
        groups, rows = sorted(self._watched.groups.items()), max(2, rows)
        draw, wide = (_group, GROUP_COLUMNS)
        beside = max(1, ceil(len(groups) / rows))
        if beside * (wide + 1) - 1 > columns:
            draw, wide = (_tight, TIGHT_COLUMNS)
            beside = min(beside, max(1, (columns + 1) // (wide + 1)))
        shown = groups if len(groups) <= beside * rows else groups[: beside * (rows - 1)]
        cells = [_filled(draw(*each, now_s), wide) for each in shown]
        deep = ceil(len(cells) / beside)
        made = [Text(" ").join(cells[n::deep]) for n in range(deep)]
        if self._watched.old(now_s):
            for row in made:
                row.stylize("dim")
        if hidden := len(groups) - len(shown):
            made.append(Text(say("+{hidden} groups: make the window taller", hidden=hidden), "yellow"))
        return made, beside * (wide + 1) - 1

    def _state(self, now_s: float) -> Iterator[Text]:
        said = facts(self._watched, now_s)
        control = say(CONTROLS.get(said.get("control", ""), said.get("control", "")))
        mode = [say("mode {mode}", mode=control)] if control else []
        plan = [say("plan {plan}", plan=said["plan"])] if "plan" in said else []
        if mode or plan:
            yield Text("  ".join(mode + plan))
        if "stage" in said:
            yield Text(say("stage {stage}", stage=said["stage"]))
        if calm := [
            say("{name} none", name=say(NAMES[name]))
            for name in ("faults", "alarms")
            if said.get(name) == "none"
        ]:
            yield Text("  ".join(calm))
        for name, quiet in QUIET.items():
            if said.get(name, quiet) != quiet:
                yield Text(f"{say(NAMES[name])} {said[name]}", "bold red")
        if (period_s := self._watched.period_s()) is not None:
            yield Text(say("a report every {period_s:.2f} s", period_s=period_s))
        if counted := counts(self._watched):
            yield Text("  ".join(f"{name} {count}" for name, count in counted.items()), "dim")

    def _line(self, now_s: float) -> Iterator[Text]:
        """How the line is, where it is not simply well."""
        watched = self._watched
        if (lost := watched.lost) is not None:
            yield Text(say("LINE LOST: {reason}", reason=reason_said(lost.reason)), "bold red")
            yield Text(printable(lost.detail))
            yield Text(lost.hint, "yellow")
            yield Text(say("it is opened again by itself; Ctrl-C ends"))
        elif watched.opened is None:
            yield Text(say("opening ..."))
        elif not watched.groups:
            yield Text(say("open; no colours yet ..."), "yellow")
        if watched.old(now_s):
            yield Text(say("OLD: no colours for {age_s:.0f} s", age_s=watched.age_s(now_s)), "bold red")

    def _bytes(self, columns: int, rows: int) -> list[Text]:
        """The newest bytes, the last at the bottom."""
        if self._watched.opened is not None and not self._watched.opened.raw:
            return _wrapped([Text(NO_RAW, "yellow")], columns)[: max(0, rows)]
        drawn: list[Text] = []
        for raw in self._watched.raw.newest_first():
            if len(drawn) >= rows:
                break
            drawn = self._piece(raw, columns) + drawn
        return drawn[max(0, len(drawn) - rows) :] if rows > 0 else []

    def _piece(self, raw: Raw, columns: int) -> list[Text]:
        head = f"{ARROWS[raw.direction]} {raw.at_s - self._start_s:.3f} "
        style = "cyan" if raw.direction == "out" else ""
        fit = max(1, (columns - len(head) + 1) // 3)
        parts = [raw.data[at : at + fit].hex(" ").upper() for at in range(0, len(raw.data), fit)]
        return [Text((head if n == 0 else " " * len(head)) + part, style) for n, part in enumerate(parts)]


def _group(group: int, shining: Shining, now_s: float) -> Text:
    word = say(COLOURS[shining.colour])
    left = left_words(shining, now_s)
    row = Text(f"{group:>3} ").append_text(_block(shining.colour, 2))
    row.append(f" {_padded(word, 12)} {_shone(shining, now_s):>6}")
    return row.append(f" -{left}" if left else "", "bold")


def _tight(group: int, shining: Shining, now_s: float) -> Text:
    """Without room for both, the seconds left come before those it has shone."""
    left = left_words(shining, now_s)
    row = Text(f"{group:>2}").append_text(_block(shining.colour, 1))
    return row.append(
        f"{_padded(say(COLOURS[shining.colour]), 12)}{'-' + left if left else _shone(shining, now_s)}"
    )


def _shone(shining: Shining, now_s: float) -> str:
    """Seconds that the colour has shone; > where its beginning was not seen."""
    return f"{'' if shining.begun else '>'}{max(0.0, now_s - shining.since_s):.0f}s"


def _padded(word: str, wide: int) -> str:
    return word + " " * (wide - cell_len(word))


def _block(colour: Colour, wide: int) -> Text:
    return Text.assemble(*BLOCKS[colour][:wide])


def _filled(cell: Text, wide: int) -> Text:
    cell.truncate(wide, pad=True)
    return cell


def _wrapped(rows: Iterable[Text], columns: int) -> list[Text]:
    """At words where it can, else anywhere: a port's name may be longer than the pane."""
    return [part for row in rows if row.plain for part in row.wrap(_console(), columns)]


@cache
def _console() -> Console:
    return Console()  # of it wrapping needs the width of a tab
