"""Reading a site: the YAML file, its crossing, and everything that must agree between them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rsu_agent.ports.assets import asset
from rsu_agent.ports.plugins import plugins
from rsu_agent.settings.agreement import Disagreement, disagreements
from rsu_agent.settings.crossing import CrossingInvalid, read_crossing
from rsu_agent.settings.explain import Fault, SiteInvalid, faults_of
from rsu_agent.settings.language import because, say
from rsu_agent.settings.model import Site, site_model
from rsu_agent.settings.parts import Parts, extra_files, read_parts
from rsu_agent.world.crossing import Crossing


@dataclass(frozen=True, slots=True)
class SiteRead:
    """A site that holds together: its settings, its crossing, the site file itself."""

    settings: Site
    crossing: Crossing
    path: Path

    @property
    def files(self) -> list[Path]:
        """The site file and what conf.d adds to it."""
        return [self.path, *extra_files(self.path)]

    @property
    def folder(self) -> Path:
        """Where relative names start from."""
        return self.path.parent


def read_site(path: Path, shown: Path | None = None) -> SiteRead:
    """Read and check a site file and conf.d beside it. shown: what faults call the file.

    Raises SiteInvalid with every fault, each at its line and column.
    """
    parts = read_parts(path, shown)
    crossing, faults = _crossing(parts, path)
    try:
        settings = _validated(parts.tree)
    except RecursionError:
        reason = say("is nested too deeply, or holds itself")
        raise SiteInvalid([Fault(str(path), 1, 1, "(yaml)", reason)]) from None
    except ValidationError as error:
        raise SiteInvalid([*faults, *faults_of(error, parts, site_model())]) from None
    if crossing is None:
        raise SiteInvalid(faults)
    if faults := [_fault(parts, each) for each in disagreements(settings, crossing)]:
        raise SiteInvalid(faults)
    return SiteRead(settings, crossing, path)


def _fault(parts: Parts, wrong: Disagreement) -> Fault:
    at_key = wrong.where[:2] == ("hazards", "event_codes")  # a key of it is a value of ours
    other = None if wrong.other is None else parts.place(wrong.other)
    place = parts.place(wrong.where, key=at_key)
    return Fault(*place, ".".join(map(str, wrong.where)), wrong.reason, other)


def _validated(tree: dict[str, Any]) -> Site:
    """By the drivers that it names; where that fails the whole model says why. Raises ValidationError."""
    try:
        return site_model(_named(tree)).model_validate(tree)
    except ValidationError:
        return site_model().model_validate(tree)


def _named(tree: dict[str, Any]) -> frozenset[str]:
    """Installed drivers that a site file names in any section or list of sections."""
    sections = [part for value in tree.values() for part in (value if isinstance(value, list) else [value])]
    named = {section.get("driver") for section in sections if isinstance(section, dict)}
    return frozenset(name for name in named if isinstance(name, str) and name in plugins())


def find(folder: Path, name: str) -> Path:
    """A file named in a site file: beside it, among the shipped ones, or where an absolute name says."""
    beside = folder / name
    if beside.exists():
        return beside
    for shipped in (name, f"config/{name}"):
        try:
            return asset(shipped)
        except FileNotFoundError:
            continue
    raise FileNotFoundError(
        say("{name}: neither beside the site file nor among the shipped files", name=name)
    )


def _crossing(parts: Parts, path: Path) -> tuple[Crossing | None, list[Fault]]:
    """The crossing that the site names, or what is wrong with it; neither when it names none."""
    section = parts.tree.get("crossing")
    name = section.get("file") if isinstance(section, dict) else None
    if not isinstance(name, str):
        return None, []  # the model tells
    try:
        return read_crossing(find(path.parent, name)), []
    except FileNotFoundError as error:
        reasons = [str(error)]
    except OSError as error:
        reasons = [say("{name} cannot be read: {why}", name=name, why=because(error))]
    except CrossingInvalid as error:
        reasons = error.reasons
    where = parts.place(("crossing", "file"))
    return None, [Fault(*where, "crossing.file", reason) for reason in reasons]
