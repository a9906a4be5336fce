"""Looking at a running agent, line by line in forty columns: lamps, road users, messages, uplink."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from rsu_agent.cli.status import SCREEN_COLUMNS, columns, cut
from rsu_agent.cli.words import COLOURS, HAZARDS, KINDS, reason_said
from rsu_agent.settings.language import later, say

Line = tuple[str, str]  # words, and their style
OLD_S = 1.0  # lamps, and messages by radio, that are older are not shown as the present
STYLES = {"red": "red", "red_flash": "red", "red_yellow": "yellow", "yellow": "yellow",
          "yellow_flash": "yellow", "green": "green", "green_flash": "green"}  # fmt: skip
SIGNS = {"red": "■", "red_flash": "□", "red_yellow": "◪", "yellow": "▲", "yellow_flash": "△",
         "green": "●", "green_flash": "○", "dark": "·", "unknown": "?"}  # fmt: skip
ARROWS = "↑↗→↘↓↙←↖"  # of a heading, clockwise from north
UPLINK = {  # what the uplink process tells of itself
    "backlog": later("waiting"),
    "acked": later("acknowledged"),
    "produced": later("made"),
    "dropped": later("given up, declared"),
    "sent": later("sent"),
    "resent": later("sent again"),
    "rtt_s": later("acknowledged after, s"),
}
HEX_BYTES = (SCREEN_COLUMNS - 2) // 3  # of a message in one row


def signals(state: dict[str, Any]) -> Iterator[Line]:
    """Every lamp group: colour, seconds to its end, and how sure that is."""
    spat, signal = state["spat"], state["signal"]
    age_s = signal["age_s"]
    old = age_s is None or age_s > OLD_S
    told = say("on air") if spat["valid"] else say("unavailable: {why}", why=reason_said(spat["reason"]))
    yield told, "green" if spat["valid"] else "bold red"
    if old:
        yield (
            (say("no lamps heard") if age_s is None else say("lamps {age:.0f} s old", age=age_s)),
            "bold red",
        )
    for group in signal["groups"]:
        colour = group["colour"]
        left = "" if group["end_in_s"] is None or old else f"{group['end_in_s']:>6.1f} s"
        sure = "" if group["confidence"] is None or old else f"{group['confidence']:>5.0%}"
        word = _padded(say(COLOURS.get(colour, colour)), 16)
        yield (
            f"{group['group']:>3} {SIGNS.get(colour, '?')} {word}{left:>9}{sure}",
            "dim" if old else STYLES.get(colour, ""),
        )


def tracks(state: dict[str, Any]) -> Iterator[Line]:
    """Every road user, the nearest to the middle of the crossing first."""
    users = sorted(state["users"], key=lambda user: math.hypot(user["x"], user["y"]))
    yield say("{count} road users; metres east and north", count=len(users)), "bold"
    for user in users:
        way = " " if user["heading"] is None else ARROWS[round(user["heading"] / 45) % 8]
        kind = _padded(say(KINDS.get(user["kind"], user["kind"])), 13)
        where = f"{user['x']:>7.1f}{user['y']:>7.1f}"
        yield f"{user['track']:>5} {kind}{where}{user['speed'] * 3.6:>4.0f}{way}", ""
    for hazard in state["hazards"]:
        kind = say(HAZARDS.get(hazard["kind"], hazard["kind"]))
        yield say("! {kind} for {seconds:.0f} s", kind=kind, seconds=hazard["for_s"]), "bold red"


def messages(told: dict[str, Any], *, whole: bool = False) -> Iterator[Line]:
    """The last message of each kind: its age, its size, its first bytes, or all of them."""
    if not told:
        yield say("nothing has been sent yet"), "bold red"
    for kind, message in sorted(told.items()):
        data, age_s = bytes.fromhex(message["hex"]), message["age_s"]
        name = message.get("message", kind)
        yield say("{name} {age:.1f} s ago, {size} bytes", name=name, age=age_s, size=len(data)), "bold"
        rows = [data[at : at + HEX_BYTES].hex(" ").upper() for at in range(0, len(data), HEX_BYTES)]
        yield from (("  " + row, "") for row in (rows if whole else rows[:1]))


def uplink(state: dict[str, Any]) -> Iterator[Line]:
    """What waits for the district, how old it is, and what was acknowledged."""
    told = state["uplink"]
    if not told:
        yield say("no uplink is configured or its process is not up"), "bold red"
        return
    up, why = bool(told.get("connected")), reason_said(told.get("reason"))
    yield (say("connected") if up else say("not connected: {why}", why=why)), "green" if up else "bold red"
    for name, label in UPLINK.items():
        if name in told:
            yield _padded(say(label), 25) + f"{_short(told[name]):>15}", ""


def _short(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else cut(str(value), 15)


def _padded(word: str, wide: int) -> str:
    return cut(word, wide) + " " * max(0, wide - columns(word))
