"""Faults that people make in a site file: each must be said alone, at its exact place, in the right words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from rsu_agent.ports.assets import asset
from rsu_agent.settings.explain import Fault, SiteInvalid
from rsu_agent.settings.read import read_site

TABLE = Path(__file__).with_name("site_faults.yaml")
PLACE, OTHER_PLACE = "¦", "‡"
LEAST_KINDS = 60

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Spoilt:
    """A site file with one fault, and what must be said of it. Lines and columns count from 1."""

    kind: str
    data: bytes
    place: Place
    other: Place | None
    path: str
    says: tuple[str, ...]


def site_faults(folder: Path) -> dict[str, Any]:
    """fault_kinds: those said at their exact place; misplaced: the others, and `wrong` says how."""
    wrong = {each.kind: told for each in spoilt() if (told := misplaced(folder, each))}
    kinds = len(list(spoilt()))
    return {"fault_kinds": kinds - len(wrong), "misplaced": len(wrong), "wrong": wrong}


def misplaced(folder: Path, fault: Spoilt) -> str:
    """What is wrong with what is said of a spoilt file; empty when it is right."""
    path = folder / "site.yaml"
    path.write_bytes(fault.data)
    try:
        read_site(path)
    except SiteInvalid as invalid:
        if len(invalid.faults) != 1:
            return f"{len(invalid.faults)} faults for one: " + " | ".join(map(str, invalid.faults))
        return _differs(invalid.faults[0], fault)
    return "taken as valid"


def _differs(said: Fault, fault: Spoilt) -> str:
    found = []
    if (said.line, said.column) != fault.place:
        found.append(f"at {fault.place[0]}:{fault.place[1]}")
    other = said.other and (said.other.line, said.other.column)
    if other != fault.other:
        found.append(f"the other place is {fault.other}, not {other}")
    if said.path != fault.path:
        found.append(f"of {fault.path}")
    found += [f"says nothing of {word!r}" for word in fault.says if word not in said.reason]
    return f"{said} [should be: {', '.join(found)}]" if found else ""


def spoilt(table: Path = TABLE) -> list[Spoilt]:
    """Every row of the table, made from the site file of the virtual crossing."""
    base = asset("config/virtual.yaml").read_text()
    return [_spoilt(base, row) for row in YAML(typ="safe").load(table.read_text())]


def _spoilt(base: str, row: dict[str, Any]) -> Spoilt:
    text = row["new"] if row.get("whole") else _replaced(base, row["old"], row["new"])
    if row.get("ends"):  # the file is cut there
        text = text[: text.index(row["new"]) + len(row["new"])]
    for key in ("at", "at_other"):
        if key in row:
            text = _replaced(text, _unmarked(row[key]), row[key])
    return Spoilt(
        kind=row["kind"],
        data=_unmarked(text).encode(row.get("bytes", "utf-8")),
        place=_place(text, PLACE) or (1, 1),
        other=_place(text, OTHER_PLACE),
        path=row["path"],
        says=tuple(row["says"]),
    )


def _replaced(text: str, old: str, new: str) -> str:
    assert old in text, f"{old!r} does not stand in the site file"
    return text.replace(old, new, 1)


def _unmarked(text: str) -> str:
    return text.replace(PLACE, "").replace(OTHER_PLACE, "")


def _place(text: str, mark: str) -> Place | None:
    other = OTHER_PLACE if mark == PLACE else PLACE
    before, found, _ = text.replace(other, "").partition(mark)
    return (before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1) if found else None
