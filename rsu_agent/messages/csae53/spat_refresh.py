"""SPAT frames from templates: what the last frames had in common is not encoded again (csae53 SPAT)."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from rsu_agent.messages.csae53 import codec
from rsu_agent.messages.template import Path, Template

MOST_SHAPES = 64  # a cycle of a large crossing has some forty
STAMPS = ("moy", "timeStamp")
RANGES = {"msgCnt": (0, 127), "moy": (0, 527_040), "timeStamp": (0, 65_535), "timeConfidence": (0, 200)}
TIME_MARK = (0, 36_001)


class SpatRefresh:
    """Encodes SPAT frames as the full encoder does. A shape met for the second time gets a template."""

    def __init__(self) -> None:
        self._met: dict[Hashable, Template | None] = {}

    def encode(self, value: tuple[str, dict[str, Any]]) -> bytes:
        """("spatFrame", SPAT) as bytes. Raises Malformed naming the field."""
        shape, numbers = numbers_of(value)
        if shape not in self._met:
            if len(self._met) >= MOST_SHAPES:
                self._met.clear()
            self._met[shape] = None
            return codec.encode(value)
        if self._met[shape] is None:
            self._met[shape] = Template(codec.encode, value, *_places(value))
        return self.fill(shape, numbers)

    def fill(self, shape: Hashable, numbers: list[int]) -> bytes:
        """A frame of a shape that has a template, with these numbers. Raises Malformed, KeyError."""
        template = self._met[shape]
        if template is None:
            raise KeyError(shape)
        return template.fill(numbers)


def numbers_of(value: tuple[str, dict[str, Any]]) -> tuple[Hashable, list[int]]:
    """(what must stay the same for a template, the numbers in wire order)."""
    spat = value[1]
    numbers = [spat["msgCnt"], *(spat[name] for name in STAMPS if name in spat)]
    shape: list[Hashable] = [value[0], spat.get("name"), *(name in spat for name in STAMPS)]
    for crossing in spat["intersections"]:
        numbers += [crossing[name] for name in STAMPS if name in crossing]
        shape += [(*crossing["intersectionId"].items(),), crossing["status"], crossing.get("timeConfidence")]
        shape += [name in crossing for name in STAMPS]
        for phase in crossing["phases"]:
            shape += [phase["id"], len(phase["phaseStates"])]
            for state in phase["phaseStates"]:
                shape.append(state["light"])
                if "timing" in state:
                    kind, times = state["timing"]
                    shape += [kind, *times]
                    numbers += times.values()
    return tuple(shape), numbers


def _places(value: tuple[str, dict[str, Any]]) -> tuple[list[Path], list[tuple[int, int]]]:
    """Where the numbers stand, in the order of `numbers_of`, and their ranges."""
    spat = value[1]
    paths: list[Path] = [(1, "msgCnt"), *((1, name) for name in STAMPS if name in spat)]
    for i, crossing in enumerate(spat["intersections"]):
        here: Path = (1, "intersections", i)
        paths += [(*here, name) for name in STAMPS if name in crossing]
        for j, phase in enumerate(crossing["phases"]):
            for k, state in enumerate(phase["phaseStates"]):
                if "timing" in state:
                    at: Path = (*here, "phases", j, "phaseStates", k, "timing", 1)
                    paths += [(*at, name) for name in state["timing"][1]]
    return paths, [RANGES.get(str(path[-1]), TIME_MARK) for path in paths]
