"""Lamp groups of protocols that speak of phases, pedestrians and overlaps: numbers of our own for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import StringConstraints

KINDS = {"phase": 0, "ped": 100, "overlap": 200}  # what each kind's numbers begin behind
OutputName = Annotated[str, StringConstraints(pattern=r"^(phase|ped|overlap) ([1-9]|1[0-6])$")]

Output = tuple[str, int]  # kind and number


class NamedGroups:
    """Numbers for outputs: as the site file's table says (lamp group -> `phase 2`), else 2, 102, 202."""

    def __init__(self, named: Mapping[int, str]) -> None:
        self._chosen = {_output(name): group for group, name in named.items()}
        self._known: dict[Output, int] = dict(self._chosen)

    def learn(self, lit: Iterable[Output]) -> bool:
        """Outputs that have been seen lit. True when some were not known; the site file's table is final."""
        new = [] if self._chosen else [output for output in lit if output not in self._known]
        self._known |= {(kind, number): KINDS[kind] + number for kind, number in new}
        return bool(new)

    @property
    def known(self) -> dict[Output, int]:
        """Outputs and their lamp group, by group."""
        return dict(sorted(self._known.items(), key=lambda pair: pair[1]))


def _output(name: str) -> Output:
    kind, _, number = name.partition(" ")
    return kind, int(number)
