"""Reading a site: the YAML file, its crossing, and everything that must agree between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from rsu_agent.messages.csae53.units import Counts
from rsu_agent.messages.moment import Instant
from rsu_agent.outlets.message_sets import MESSAGE_SETS
from rsu_agent.ports.assets import asset
from rsu_agent.ports.plugins import plugins
from rsu_agent.settings.crossing import CrossingInvalid, read_crossing
from rsu_agent.settings.explain import Fault, SiteInvalid, faults_of, position
from rsu_agent.settings.model import Site, site_model
from rsu_agent.settings.speech import speech
from rsu_agent.world.crossing import Crossing

LARGEST_SITE_BYTES = 1 << 20  # a hostile or mistaken file must not fill memory
TAKEN = frozenset({"controller", "radio", "time", "uplink"})  # what health and metrics call the site's others
TOO_DEEP = "is nested too deeply, or holds itself"


@dataclass(frozen=True, slots=True)
class SiteRead:
    """A site that holds together: its settings, its crossing, the folder relative names start from."""

    settings: Site
    crossing: Crossing
    folder: Path


def read_site(path: Path) -> SiteRead:
    """Read and check a site file. Raises SiteInvalid with every fault, each at its line and column."""
    tree = _yaml(path)
    crossing, faults = _crossing(tree, path)
    try:
        settings = _validated(tree)
    except RecursionError:
        raise SiteInvalid([Fault(str(path), 1, 1, "(yaml)", TOO_DEEP)]) from None
    except ValidationError as error:
        raise SiteInvalid([*faults, *faults_of(error, tree, str(path), site_model())]) from None
    if crossing is None:
        raise SiteInvalid(faults)
    faults = [
        Fault(str(path), *position(tree, where), ".".join(map(str, where)), reason)
        for where, reason in _disagreements(settings, crossing)
    ]
    if faults:
        raise SiteInvalid(faults)
    return SiteRead(settings, crossing, path.parent)


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
    raise FileNotFoundError(f"{name}: neither beside the site file nor among the shipped files")


def _yaml(path: Path) -> CommentedMap:
    try:
        text = path.read_bytes()[: LARGEST_SITE_BYTES + 1]
    except OSError as error:
        raise SiteInvalid([Fault(str(path), 1, 1, "(file)", f"cannot be read: {error.strerror}")]) from None
    if len(text) > LARGEST_SITE_BYTES:
        raise SiteInvalid([Fault(str(path), 1, 1, "(file)", f"is larger than {LARGEST_SITE_BYTES} bytes")])
    try:
        tree = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise SiteInvalid([Fault(str(path), line, column, "(yaml)", str(error.problem))]) from None
    except RecursionError:
        raise SiteInvalid([Fault(str(path), 1, 1, "(yaml)", TOO_DEEP)]) from None
    except (YAMLError, UnicodeDecodeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise SiteInvalid([Fault(str(path), 1, 1, "(yaml)", reason)]) from None
    if not isinstance(tree, CommentedMap):
        raise SiteInvalid([Fault(str(path), 1, 1, "(file)", "must be a mapping of sections")])
    return tree


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
        reasons = [f"{name} cannot be read: {error.strerror}"]
    except CrossingInvalid as error:
        reasons = error.reasons
    where = position(tree, ["crossing", "file"])
    return None, [Fault(str(path), *where, "crossing.file", reason) for reason in reasons]


def _disagreements(settings: Site, crossing: Crossing) -> Iterator[tuple[list[str | int], str]]:
    known = {group for groups in settings.signals.phases.values() for group in groups}
    used = {c.group for lane in crossing.lanes for c in lane.connections if c.group is not None}
    used |= {walk.group for walk in crossing.crosswalks}
    if missing := sorted(used - known):
        yield ["signals", "phases"], f"lamp groups of the crossing without a phase: {missing}"
    if strange := sorted(set(settings.signals.lamps.arrow) - known):
        yield ["signals", "lamps", "arrow"], f"lamp groups without a phase: {strange}"
    test_ids = crossing.region == 0 or crossing.node <= 255
    if test_ids != (settings.crossing.ids == "test"):
        kind = "test" if test_ids else "assigned"
        yield ["crossing", "ids"], f"node {crossing.node} region {crossing.region} are {kind} ids"
    yield from _unsayable(settings, crossing)
    arms = {arm.arm for arm in crossing.arms}
    if lost := sorted(set(settings.perception.must_cover) - arms):
        yield ["perception", "must_cover"], f"no such arm: {', '.join(lost)}"
    uplink = settings.uplink
    if uplink and not uplink.tls and uplink.host not in ("127.0.0.1", "::1", "localhost"):
        yield ["uplink", "tls"], "may be off only towards this machine"
    seen: set[str] = set()
    for kind in ("cameras", "radars"):
        for index, sensor in enumerate(getattr(settings, kind)):
            if lost := sorted(set(sensor.field.covers) - arms):
                yield [kind, index, "field", "covers"], f"no such arm: {', '.join(lost)}"
            if sensor.name in TAKEN:
                yield [kind, index, "name"], f"{sensor.name} is what metrics and health call another device"
            if sensor.name in seen:
                yield [kind, index, "name"], f"another sensor is named {sensor.name} too"
            seen.add(sensor.name)
    yield from _unseen_heads(settings, known)


def _unseen_heads(settings: Site, known: set[int]) -> Iterator[tuple[list[str | int], str]]:
    """Signal heads outside their camera's picture, or of lamp groups that nobody knows."""
    for index, camera in enumerate(settings.cameras):
        lens = camera.lens
        for number, head in enumerate(camera.heads):
            where: list[str | int] = ["cameras", index, "heads", number]
            left, top, width, height = head.box
            fits = left + width <= lens.width_px and top + height <= lens.height_px
            if not fits or left < 0 or top < 0:
                yield [*where, "box"], f"reaches beyond the picture of {lens.width_px}x{lens.height_px} px"
            if head.group not in known:
                yield [*where, "group"], f"lamp group {head.group} stands in no phase"


def _unsayable(settings: Site, crossing: Crossing) -> Iterator[tuple[list[str | int], str]]:
    """What cannot be said in the message set, or by the radio, that the site names."""
    standard, radio = settings.radio.standard, plugins().get(settings.radio.driver)
    if radio is not None and radio.standards is not None and standard not in radio.standards:
        yield ["radio", "standard"], f"{radio.name} takes {', '.join(sorted(radio.standards))} only"
    said = speech(settings, crossing)
    try:
        maker = MESSAGE_SETS[standard]
        maker.spat(said, Counts())
        maker.map(said, crossing, Counts()).frames(Instant(0.0, None))
    except ValueError as error:
        yield ["crossing", "file"], f"cannot be said in {standard}: {error}"
