"""Which faults every virtual device knows; `rsu hil fault` and scenarios are checked against it."""

from __future__ import annotations

import difflib

COMMON = ("unplug", "replug", "silence", "garbage", "freeze", "kill")
FAULTS: dict[str, tuple[str, ...]] = {
    "controller": (
        *COMMON,
        "truncate",
        "no_end",
        "doubled_start",
        "bad_check",
        "cut_in_escape",
        "flood",
        "merge",
        "echo",
        "other_master",
        "replaced",
    ),
    "camera": (
        *COMMON,
        "black",
        "compression",
        "defocus",
        "delay",
        "dirt",
        "glare",
        "planted",
        "rain",
        "shift",
        "slow",
    ),
    "radar": (
        *COMMON,
        "cooked_tty",
        "drop_frame",
        "truncate",
        "bitflip",
        "length_lie",
        "stall",
        "reset",
        "clock_skew",
        "interference",
        "blocked",
        "reorder",
    ),
    "vehicle": COMMON,
    "talkers": (*COMMON, "flood", "ghost", "lie", "replay"),
    "time": (*COMMON, "unsynchronised", "step", "coast"),
    "district": COMMON,
}
FORMER = {"silent": "silence"}


def more(device: str) -> tuple[str, ...]:
    """What a device knows beyond the common six."""
    return tuple(name for name in FAULTS[device] if name not in COMMON)


def told() -> str:
    """The whole table in a sentence, for people who ask for help."""
    others = "; ".join(f"{device} {', '.join(more(device))}" for device in FAULTS if more(device))
    return f"Every device: {', '.join(COMMON)}. Some have more: {others}."


def checked(device: str, name: str) -> tuple[str, str]:
    """The device and the fault as the devices call it. Raises ValueError listing what is known."""
    if device not in FAULTS:
        raise ValueError(f"no device {device!r}{_near(device, tuple(FAULTS))}; devices: {', '.join(FAULTS)}")
    name = FORMER.get(name, name)
    known = FAULTS[device]
    if name not in known:
        raise ValueError(f"{device} has no fault {name!r}{_near(name, known)}; it has: {', '.join(known)}")
    return device, name


def _near(word: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(word, known, 1)
    return f", did you mean {near[0]!r}" if near else ""
