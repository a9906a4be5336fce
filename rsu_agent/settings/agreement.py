"""What must agree between the parts of a site: two places that cannot both be right are both named."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rsu_agent.messages.csae53.units import Counts
from rsu_agent.messages.moment import Instant
from rsu_agent.outlets.message_sets import MESSAGE_SETS
from rsu_agent.ports.credentials import PREFIX, secrets
from rsu_agent.ports.declare import Step
from rsu_agent.ports.plugins import plugins
from rsu_agent.settings.language import later, say
from rsu_agent.settings.model import Site
from rsu_agent.settings.reasons import IN_ADDRESS, did_you_mean
from rsu_agent.settings.speech import speech
from rsu_agent.world.crossing import Crossing
from rsu_agent.world.hazard import HazardKind

TAKEN = frozenset(
    {"controller", "radio", "time", "uplink", "air"}
)  # what health and metrics call the site's others
SENSORS = ("cameras", "radars")
LINES = ("port", "data_port", "cli_port")  # keys that name a serial line of this machine
FARTHEST_M = 500.0  # from the reference point to a pole that sees the same crossing
MAY_HOLD_ONE = ("pipeline",)  # of words with perhaps a password among them: it is hidden, not refused
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What is wrong at one key; other: the key that it does not agree with."""

    where: tuple[Step, ...]
    reason: str
    other: tuple[Step, ...] | None = None


def disagreements(settings: Site, crossing: Crossing) -> Iterator[Disagreement]:
    """Everything that does not fit together in a site whose every key is right by itself."""
    yield from _groups(settings, crossing)
    yield from _pairs(settings)
    yield from _ids(settings, crossing)
    yield from _unsayable(settings, crossing)
    yield from _arms(settings, crossing)
    yield from _uplink(settings)
    yield from _names(settings)
    yield from _lines(settings)
    yield from _places(settings)
    yield from _heads(settings, crossing)
    yield from _hazards(settings)
    yield from _secrets(settings)


def _known(settings: Site) -> dict[int, int]:
    """Lamp group -> its phase."""
    return {group: phase for phase, groups in settings.signals.phases.items() for group in groups}


def _used(crossing: Crossing) -> set[int]:
    """Lamp groups that the crossing's lanes and walks obey."""
    used = {c.group for lane in crossing.lanes for c in lane.connections if c.group is not None}
    return used | {walk.group for walk in crossing.crosswalks}


def _groups(settings: Site, crossing: Crossing) -> Iterator[Disagreement]:
    known, used = _known(settings), _used(crossing)
    if missing := sorted(used - set(known)):
        said = say("lamp groups of the crossing without a phase: {groups}", groups=missing)
        yield Disagreement(("signals", "phases"), said)
    for index, group in enumerate(settings.signals.lamps.arrow):
        if group not in known and group not in used:
            said = say("lamp group {group} stands in no phase", group=group)
            yield Disagreement(("signals", "lamps", "arrow", index), said)


def _pairs(settings: Site) -> Iterator[Disagreement]:
    """Pairs of groups that may not be green together."""
    known = _known(settings)
    for name in ("never", "if_permissive"):
        for number, pair in enumerate(getattr(settings.signals.conflicts, name)):
            where: tuple[Step, ...] = ("signals", "conflicts", name, number)
            strange = [index for index, group in enumerate(pair) if group not in known]
            for index in strange:
                said = say("lamp group {group} stands in no phase", group=pair[index])
                yield Disagreement((*where, index), said)
            if not strange and known[pair[0]] == known[pair[1]]:
                phase = known[pair[0]]
                said = say("both stand in phase {phase}, and so are green together", phase=phase)
                yield Disagreement(where, said, ("signals", "phases", phase))


def _ids(settings: Site, crossing: Crossing) -> Iterator[Disagreement]:
    test_ids = crossing.region == 0 or crossing.node <= 255
    if test_ids != (settings.crossing.ids == "test"):
        said = (
            say("node {node} region {region} are test ids", node=crossing.node, region=crossing.region)
            if test_ids
            else say(
                "node {node} region {region} are assigned ids", node=crossing.node, region=crossing.region
            )
        )
        yield Disagreement(("crossing", "ids"), said)


def _unsayable(settings: Site, crossing: Crossing) -> Iterator[Disagreement]:
    """What cannot be said in the message set, or by the radio, that the site names."""
    standard, radio = settings.radio.standard, plugins().get(settings.radio.driver)
    if radio is not None and radio.standards is not None and standard not in radio.standards:
        said = say("{radio} takes {sets} only", radio=radio.name, sets=", ".join(sorted(radio.standards)))
        yield Disagreement(("radio", "standard"), said, ("radio", "driver"))
    spoken = speech(settings, crossing)
    try:
        maker = MESSAGE_SETS[standard]
        maker.spat(spoken, Counts())
        maker.map(spoken, crossing, Counts()).frames(Instant(0.0, None))
    except ValueError as error:
        said = say("cannot be said in {standard}: {why}", standard=standard, why=error)
        yield Disagreement(("crossing", "file"), said)


def _arms(settings: Site, crossing: Crossing) -> Iterator[Disagreement]:
    arms = {arm.arm for arm in crossing.arms}
    named: list[tuple[tuple[Step, ...], str]] = [
        (("perception", "must_cover", index), arm) for index, arm in enumerate(settings.perception.must_cover)
    ]
    for kind, index, sensor in _sensors(settings):
        covers = enumerate(sensor.field.covers)
        named += [((kind, index, "field", "covers", number), arm) for number, arm in covers]
    for where, arm in named:
        if arm not in arms:
            said = say("no such arm: {arm}; the crossing has {arms}", arm=arm, arms=", ".join(sorted(arms)))
            yield Disagreement(where, said)


def _sensors(settings: Site) -> Iterator[tuple[str, int, Any]]:
    for kind in SENSORS:
        for index, sensor in enumerate(getattr(settings, kind)):
            yield kind, index, sensor


def _uplink(settings: Site) -> Iterator[Disagreement]:
    uplink = settings.uplink
    if uplink and not uplink.tls.on and uplink.host not in LOOPBACK:
        said = say("may be off only towards this machine")
        yield Disagreement(("uplink", "tls"), said, ("uplink", "host"))


def _names(settings: Site) -> Iterator[Disagreement]:
    seen: dict[str, tuple[Step, ...]] = {}
    for kind, index, sensor in _sensors(settings):
        where = (kind, index, "name")
        if sensor.name in TAKEN:
            said = say("{name} is what metrics and health call another device", name=sensor.name)
            yield Disagreement(where, said)
        if sensor.name in seen:
            said = say("another sensor is named {name} too", name=sensor.name)
            yield Disagreement(where, said, seen[sensor.name])
        seen.setdefault(sensor.name, where)


def _lines(settings: Site) -> Iterator[Disagreement]:
    """A serial line has one reader: two would each get half of the bytes."""
    seen: dict[str, tuple[Step, ...]] = {}
    devices: list[tuple[tuple[Step, ...], Any]] = [(("controller",), settings.controller)]
    devices += [((kind, index), sensor) for kind, index, sensor in _sensors(settings)]
    for where, section in devices:
        for key in LINES:
            port = getattr(section, key, None)
            if not isinstance(port, str) or not port.startswith("/"):
                continue
            if port in seen:
                said = say("{port} is read by another device already", port=port)
                yield Disagreement((*where, key), said, seen[port])
            seen.setdefault(port, (*where, key))


def _places(settings: Site) -> Iterator[Disagreement]:
    for kind, index, sensor in _sensors(settings):
        far_m = math.hypot(sensor.pose.x_east_m, sensor.pose.y_north_m)
        if far_m > FARTHEST_M:
            east = abs(sensor.pose.x_east_m) >= abs(sensor.pose.y_north_m)
            said = say(
                "stands {far:.0f} m from the crossing: metres east and north of it are wanted", far=far_m
            )
            yield Disagreement((kind, index, "pose", "x_east_m" if east else "y_north_m"), said)


def _heads(settings: Site, crossing: Crossing) -> Iterator[Disagreement]:
    """Signal heads outside their camera's picture, twice in it, or of lamp groups that nobody knows."""
    known = set(_known(settings)) | _used(crossing)
    for index, camera in enumerate(settings.cameras):
        lens, boxes = camera.lens, dict[tuple[int, ...], tuple[Step, ...]]()
        for number, head in enumerate(camera.heads):
            where: tuple[Step, ...] = ("cameras", index, "heads", number)
            left, top, width, height = head.box
            fits = left + width <= lens.width_px and top + height <= lens.height_px
            if not fits or left < 0 or top < 0:
                size = f"{lens.width_px}x{lens.height_px}"
                said = say("reaches beyond the picture of {size} px", size=size)
                yield Disagreement((*where, "box"), said, ("cameras", index, "lens"))
            if head.group not in known:
                said = say("lamp group {group} stands in no phase", group=head.group)
                yield Disagreement((*where, "group"), said)
            if tuple(head.box) in boxes:
                said = say("another head has this very box")
                yield Disagreement((*where, "box"), said, boxes[tuple(head.box)])
            boxes.setdefault(tuple(head.box), (*where, "box"))


def _secrets(settings: Site) -> Iterator[Disagreement]:
    """Passwords, and addresses with one in them: they stand in no site file."""
    sections: list[tuple[tuple[Step, ...], Any]] = [(("controller",), settings.controller)]
    sections += [(("radio",), settings.radio), (("time",), settings.time)]
    sections += [((kind, index), sensor) for kind, index, sensor in _sensors(settings)]
    for where, section in sections:
        declared = plugins().get(section.driver)
        for key, value in secrets(section) if declared is not None else ():
            open_to_all = value == type(section).model_fields[key].default or key in MAY_HOLD_ONE
            if not value.startswith(PREFIX) and not open_to_all:
                said = later(
                    "a password stands in no site file: write credential:NAME, and keep it under that name"
                )
                yield Disagreement((*where, key), say(said))
        for key, value in section:
            if isinstance(value, str) and IN_ADDRESS.search(value):
                said = later("holds a login: give user, and password: credential:NAME, instead")
                yield Disagreement((*where, key), say(said))


def _hazards(settings: Site) -> Iterator[Disagreement]:
    kinds = [kind.value for kind in HazardKind]
    for kind in settings.hazards.event_codes:
        if kind not in kinds:
            said = say("no such hazard; there are {kinds}", kinds=", ".join(kinds))
            yield Disagreement(("hazards", "event_codes", kind), said + did_you_mean(kind, kinds))
