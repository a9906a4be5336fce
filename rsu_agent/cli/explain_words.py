"""An explained instant in words, in 40 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from rsu_agent.cli import words
from rsu_agent.settings.language import later, say
from rsu_agent.settings.moments import clock_shown

WIDTH = 40
MOST_HELD = 8
MOST_RAW = 48  # bytes of the line that are shown
COLOURS = {**words.COLOURS, "unavailable": later("unavailable")}
ENDS_FROM = {
    "countdown": later("the controller's own countdown"),
    "plan": later("plan {plan} and what it was seen to do"),
    "history": later("what was seen before"),
}


def in_words(value: dict[str, Any]) -> list[str]:
    """Lines of at most 40 columns."""
    return [line for text, depth in _texts(value) for line in _wrapped(text, depth)]


def message_words(at: str, value: dict[str, Any]) -> list[str]:
    """Another message than SPAT: when it left, and its bytes read."""
    texts = [at, say("{kind} sent {age:.2f} s before", kind=value["kind"], age=value["age_s"])]
    lines = [line for text in texts for line in _wrapped(text, 0)]
    return [*lines, *_tree(value["value"], 1)]


def colour_word(colour: str | None) -> str:
    """A colour as people say it."""
    return say("nothing") if colour is None else say(COLOURS[colour]) if colour in COLOURS else colour


def _wrapped(text: str, depth: int) -> list[str]:
    pad = "  " * depth
    return textwrap.wrap(text, WIDTH, initial_indent=pad, subsequent_indent=pad + "  ") or [""]


def _tree(value: Any, depth: int) -> Iterator[str]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in pairs:
        if isinstance(inner, (dict, list)):
            yield from _wrapped(f"{name}:", depth)
            yield from _tree(inner, min(depth + 1, 8))
        else:
            yield from _wrapped(f"{name}: {inner}", depth)


def _texts(value: dict[str, Any]) -> Iterator[tuple[str, int]]:
    yield f"{value['at']}", 0
    yield f"{value['site']}  {value['standard']}", 0
    air = value["on_air"]
    if air is None:
        yield say("on air: nothing of the signals"), 0
    else:
        size = len(air["hex"]) // 2
        yield (
            say(
                "on air: {kind}, sent {age:.2f} s before, {size} bytes",
                kind=air["kind"],
                age=air["age_s"],
                size=size,
            ),
            0,
        )
    if value["valid"]:
        yield say("it was valid: nothing was in doubt"), 0
    else:
        yield say("it said nothing: {why}", why=value["why"] or "?"), 0
    if value["clock_trusted"] is False:
        yield say("our clock was not trusted then: no time of it was on air"), 0
    for row in value["groups"]:
        yield from _group(row)
    yield from _held(value)
    for each in value["hazards"]:
        state = say("ended") if each["ended"] else say("began")
        yield f"{clock_shown(each['utc_s'])} {each['kind']} {state}: {each['why']}", 0
    for tear in value["torn"]:
        yield say("the recording is torn: {file}: {why}", **tear), 0


def _group(row: dict[str, Any]) -> Iterator[tuple[str, int]]:
    lamps = ", ".join(map(str, row["lamps"]))
    told = colour_word(row["told"])
    yield say("{number} (lamps {lamps}): {told}", number=row["number"], lamps=lamps, told=told), 0
    if row["ends_in_s"] is not None:
        at = clock_shown(row["ends_utc_s"])
        yield say("until {at}, {seconds:.1f} s on", at=at, seconds=row["ends_in_s"]), 1
    elif row["least_s"] is not None or row["most_s"] is not None:
        yield say("ends in {least} to {most} s", least=row["least_s"], most=row["most_s"]), 1
    elif row["told"] is not None:
        yield say("no end was told"), 1
    for each in row["controller"]:
        yield from _controller(each, with_end=row["ends_in_s"] is not None)
    for lamp, each in row["cameras"].items():
        yield _camera(lamp, each), 1


def _controller(each: dict[str, Any], *, with_end: bool) -> Iterator[tuple[str, int]]:
    if each["colour"] is None:
        yield say("controller: no report of lamp {lamp}", lamp=each["lamp"]), 1
        return
    yield (
        say(
            "controller: lamp {lamp} {colour} at {at}, {age:.2f} s before",
            lamp=each["lamp"],
            colour=colour_word(each["colour"]),
            at=clock_shown(each["utc_s"]),
            age=each["age_s"],
        ),
        1,
    )
    if with_end:
        basis = say(ENDS_FROM[each["ends_from"]], plan=each["plan"])
        yield say("the end rests on {basis}", basis=basis), 2
    mode = say("mode {mode}, plan {plan}, stage {stage}", **{k: each[k] for k in ("mode", "plan", "stage")})
    yield mode, 2
    if each["raw"]:
        data = bytes.fromhex(each["raw"])
        more = "" if len(data) <= MOST_RAW else f" ... {len(data)}"
        yield say("bytes: {raw}", raw=data[:MOST_RAW].hex(" ") + more), 2


def _camera(lamp: str, each: dict[str, Any]) -> str:
    if each["sees"] is None:
        text = say("camera: no view of lamp {lamp} then", lamp=lamp)
    else:
        verdict = {True: say("agrees"), False: say("DISAGREES"), None: say("no opinion")}[each["agrees"]]
        text = say(
            "camera {camera}: lamp {lamp} {sees}, {verdict}",
            camera=each["camera"],
            lamp=lamp,
            sees=colour_word(each["sees"]),
            verdict=verdict,
        )
    return text + (", " + say("contradicted: nothing is told of it") if each["contradicted"] else "")


def _held(value: dict[str, Any]) -> Iterator[tuple[str, int]]:
    held = value["held"]
    if not held:
        yield say("nothing was held back around it"), 0
        return
    yield say("held back within 10 s: {count}", count=len(held)), 0
    last = None
    shown = 0
    for each in held:
        what = each["kind"], each["reason"], each["detail"]
        if what == last or shown >= MOST_HELD:
            continue
        last, shown = what, shown + 1
        yield f"{clock_shown(each['utc_s'])} {each['kind']}: {each['reason']} {each['detail']}".rstrip(), 1
