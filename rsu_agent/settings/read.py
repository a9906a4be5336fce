"""Reading a site: the YAML file, its crossing, and everything that must agree between them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from ruamel.yaml.comments import CommentedMap

from rsu_agent.ports.assets import asset
from rsu_agent.ports.plugins import plugins
from rsu_agent.settings.agreement import Disagreement, disagreements
from rsu_agent.settings.crossing import CrossingInvalid, read_crossing
from rsu_agent.settings.explain import Fault, SiteInvalid, faults_of, position
from rsu_agent.settings.language import because, say
from rsu_agent.settings.model import Site, site_model
from rsu_agent.settings.yaml_faults import tree_of
from rsu_agent.world.crossing import Crossing

LARGEST_SITE_BYTES = 1 << 20  # a hostile or mistaken file must not fill memory


@dataclass(frozen=True, slots=True)
class SiteRead:
    """A site that holds together: its settings, its crossing, the site file itself."""

    settings: Site
    crossing: Crossing
    path: Path

    @property
    def folder(self) -> Path:
        """Where relative names start from."""
        return self.path.parent


def read_site(path: Path) -> SiteRead:
    """Read and check a site file. Raises SiteInvalid with every fault, each at its line and column."""
    tree = _yaml(path)
    crossing, faults = _crossing(tree, path)
    try:
        settings = _validated(tree)
    except RecursionError:
        raise SiteInvalid(
            [Fault(str(path), 1, 1, "(yaml)", say("is nested too deeply, or holds itself"))]
        ) from None
    except ValidationError as error:
        raise SiteInvalid([*faults, *faults_of(error, tree, str(path), site_model())]) from None
    if crossing is None:
        raise SiteInvalid(faults)
    if faults := [_fault(path, tree, each) for each in disagreements(settings, crossing)]:
        raise SiteInvalid(faults)
    return SiteRead(settings, crossing, path)


def _fault(path: Path, tree: CommentedMap, wrong: Disagreement) -> Fault:
    at_key = wrong.where[:2] == ("hazards", "event_codes")  # a key of it is a value of ours
    place = position(tree, wrong.where, key=at_key)
    other = None if wrong.other is None else position(tree, wrong.other)
    return Fault(str(path), *place, ".".join(map(str, wrong.where)), wrong.reason, other)


def _validated(tree: CommentedMap) -> Site:
    """By the drivers that it names; where that fails the whole model says why. Raises ValidationError."""
    try:
        return site_model(_named(tree)).model_validate(tree)
    except ValidationError:
        return site_model().model_validate(tree)


def _named(tree: CommentedMap) -> frozenset[str]:
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


def _yaml(path: Path) -> CommentedMap:
    try:
        data = path.read_bytes()[: LARGEST_SITE_BYTES + 1]
    except OSError as error:
        reason = say("cannot be read: {why}", why=because(error))
        raise SiteInvalid([Fault(str(path), 1, 1, "(file)", reason)]) from None
    if len(data) > LARGEST_SITE_BYTES:
        reason = say("is larger than {most} bytes", most=LARGEST_SITE_BYTES)
        raise SiteInvalid([Fault(str(path), 1, 1, "(file)", reason)])
    return tree_of(data, str(path))


def _crossing(tree: CommentedMap, path: Path) -> tuple[Crossing | None, list[Fault]]:
    """The crossing that the site names, or what is wrong with it; neither when it names none."""
    section = tree.get("crossing")
    name = section.get("file") if isinstance(section, CommentedMap) else None
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
    where = position(tree, ["crossing", "file"])
    return None, [Fault(str(path), *where, "crossing.file", reason) for reason in reasons]
