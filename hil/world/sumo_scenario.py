"""A SUMO configuration of somebody's own (.sumocfg): what it names, its times, what it writes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

SAME = {
    "n": "net-file", "net": "net-file", "r": "route-files", "routes": "route-files", "a": "additional-files",
    "additional": "additional-files", "b": "begin", "e": "end",
}  # fmt: skip
NEEDED = ("net-file", "route-files", "additional-files")
WINDOW = "gui_only"
SIDEWAYS = ("lateral-resolution", "lanechange.duration")
SHOWN = ("gui-settings-file", "start", "quit-on-end", "game", "demo", "delay", "window-size", "window-pos")
LOGS = ("log", "message-log", "error-log", "log-file")
BOOLEANS = ("true", "false", "t", "f", "yes", "no", "on", "off", "1", "0")
UNIT_S = (1.0, 60.0, 3600.0, 86400.0)


class UnfitScenario(Exception):
    """A scenario that cannot be measured; says what is the matter and what to do."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A configuration. files: all that it names and that are there, itself first; end_s None: not stated.

    options: all that bear on what happens, not what is written or shown; paths whole. moves_sideways: it says
    how lanes are changed (sublanes, or a duration).
    """

    path: Path
    net: Path
    files: tuple[Path, ...]
    begin_s: float
    end_s: float | None
    options: dict[str, str]
    moves_sideways: bool

    def write(self, path: Path) -> None:
        """Its options as a configuration of our own, in any folder."""
        root = ElementTree.Element("configuration")
        for name, value in self.options.items():
            ElementTree.SubElement(root, name, value=value)
        ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def read_scenario(path: Path) -> Scenario:
    """Read a .sumocfg. Raises UnfitScenario where it, or a net, route or additional file is missing."""
    options = _options(path)
    if "net-file" not in options:
        raise UnfitScenario(f"{path} names no net: put <input><net-file value=.../></input> into it")
    named = {name: _paths(path, value) for name, value in options.items() if _reads(name)}
    for name in NEEDED:
        for each in named.get(name, ()):
            if not each.is_file():
                raise UnfitScenario(
                    f"{path} names as {name} {each}: no such file; paths count from its folder"
                )
    there = [each for paths in named.values() for each in paths if each.is_file()]
    end_s = seconds(options.get("end", "-1"))
    return Scenario(
        path=path,
        net=named["net-file"][0],
        files=(path, *dict.fromkeys(there)),
        begin_s=seconds(options.get("begin", "0")),
        end_s=end_s if end_s > 0 else None,
        options={name: _whole(path, value) for name, value in options.items() if not _written(name, value)},
        moves_sideways=any(float(options.get(name, "-1")) > 0 for name in SIDEWAYS),
    )


def seconds(text: str) -> float:
    """SUMO's times: seconds, or hh:mm:ss, or days before that. Raises UnfitScenario."""
    try:
        parts = [float(part) for part in reversed(text.split(":"))]
        return sum(part * unit for part, unit in zip(parts, UNIT_S, strict=False))
    except ValueError:
        raise UnfitScenario(f"{text} is no time: seconds, or hh:mm:ss") from None


def _options(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise UnfitScenario(f"{path}: no such file; name a SUMO configuration (.sumocfg)")
    try:
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, UnicodeDecodeError) as fault:
        raise UnfitScenario(f"{path} is no XML: {fault}; name a SUMO configuration (.sumocfg)") from None
    if not root.tag.lower().endswith("configuration"):
        raise UnfitScenario(
            f"{path} is a <{root.tag}>: name the SUMO configuration (.sumocfg) that names net and routes"
        )
    found = {}
    shown = {id(element) for section in root.iter(WINDOW) for element in section.iter()}
    for element in root.iter():
        if id(element) in shown:
            continue
        value = element.get("value", element.get("v", (element.text or "").strip()))
        if value:
            found[SAME.get(element.tag, element.tag)] = value
    return found


def _paths(path: Path, value: str) -> list[Path]:
    parts = (os.path.expandvars(part.strip()) for part in value.split(","))
    return [path.parent / Path(part).expanduser() for part in parts if part]


def _whole(path: Path, value: str) -> str:
    """A value whose paths, if it names files that are there, no longer depend on a folder."""
    paths = _paths(path, value)
    return (
        ",".join(str(each.absolute()) for each in paths) if all(each.is_file() for each in paths) else value
    )


def _reads(name: str) -> bool:
    return name not in LOGS and name.endswith(("-file", "-files"))


def _written(name: str, value: str) -> bool:
    written = name in LOGS or name.endswith(("-output", "output-prefix"))
    return name in SHOWN or (written and value.lower() not in BOOLEANS)
