"""The mutants of an installation: what is wrong with it, and the finding that must name it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hil.mutants.repeater import again, other_speaker
from hil.rig import Rig
from rsu_agent.world.place import GeoPoint, LocalFrame

Site = dict[str, Any]
LOCAL_S, GPS_S, TAI_S = 28_800, 18, 37  # by which a clock that shows these is off (field-rules 3.7)
GREEN_TOGETHER = [1, 13]  # through and its bicycles: in phases of their own
EPOCH_M, GCJ02_M = 0.9, 480.0  # field-rules 6


@dataclass(frozen=True, slots=True)
class Mutant:
    """finding, words: its id and what it must say, one of them. says: what is wrong, for people.

    site: changes the site file; act: does something to a running crossing, after `after_s`.
    """

    name: str
    says: str
    finding: str
    words: tuple[str, ...]
    site: Callable[[Site, Rig], None] | None = None
    act: Callable[[Rig], None] | None = None
    senses: bool = False
    within_s: float = 90.0


@dataclass(frozen=True, slots=True)
class MapMutant:
    """One that `rsu map check` must find. pole_m: so far east the antenna is by satellites."""

    name: str
    says: str
    rule: str
    words: tuple[str, ...]
    pole_m: float = 0.0
    crossing: Callable[[dict[str, Any]], None] | None = None


def _controller(**changes: Any) -> Callable[[Site, Rig], None]:
    return lambda site, _rig: site["controller"].update(changes)


def _jump(seconds: float) -> Callable[[Rig], None]:
    return lambda rig: rig.bus.publish("signal", {"do": "jump_clock", "what": seconds})


def _swap(rig: Rig) -> None:
    rig.bus.publish("signal", {"do": "swap", "what": [3, 4]})


def _fault(device: str, name: str) -> Callable[[Rig], None]:
    return lambda rig: rig.fault(device, name, True)


def _hears_all(site: Site, rig: Rig) -> None:
    """The RSU hands on whatever it receives."""
    site["radio"].update({"receive_host": "127.0.0.1", "receive_port": rig.heard_port(), "forwards": "all"})


def _wrong_matrix(site: Site, _rig: Rig) -> None:
    site["signals"]["conflicts"] = {"never": [GREEN_TOGETHER]}


def rotated(crossing: dict[str, Any]) -> None:
    """Every arm is said to lie where the next one does."""
    for arm in _of_kind(crossing, "arm"):
        arm["properties"]["bearing_deg"] = (arm["properties"]["bearing_deg"] + 90) % 360


def mirrored(crossing: dict[str, Any]) -> None:
    """The lanes of each arm in the wrong order: everything west is east."""
    lon = crossing["crossing"]["reference"]["lon"]
    for feature in crossing["features"]:
        if feature["properties"].get("kind") == "lane":
            feature["geometry"]["coordinates"] = [
                [2 * lon - x, y, *rest] for x, y, *rest in feature["geometry"]["coordinates"]
            ]


def _of_kind(crossing: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each for each in crossing["features"] if each["properties"].get("kind") == kind]


def east_of(lat_deg: float, lon_deg: float, metres: float) -> str:
    """LAT,LON of a point so far east."""
    point = LocalFrame(GeoPoint(lat_deg, lon_deg)).to_geo(metres, 0.0)
    return f"{point.lat_deg:.9f},{point.lon_deg:.9f}"


MUTANTS: tuple[Mutant, ...] = (
    Mutant("wrong_baud", "the site file has another baud rate", "SER01", ("garbled", "silent"),
           _controller(baud=9600)),
    Mutant("wrong_controller", "another controller answers than the one named", "SER01", ("refused", "other"),
           _controller(controller_id=4711)),
    Mutant("wrong_matrix", "two groups that are green together may never be", "SIG01", ("conflict",),
           _wrong_matrix),
    Mutant("clock_8_h", "the controller's clock shows local time as UTC", "CLK20", ("local",),
           act=_jump(LOCAL_S)),
    Mutant("clock_18_s", "the controller's clock shows GPS time", "CLK20", ("GPS",), act=_jump(GPS_S)),
    Mutant("clock_37_s", "the controller's clock shows TAI", "CLK20", ("TAI",), act=_jump(TAI_S)),
    Mutant("repeating_radio", "the radio sends old frames again", "AIR01", ("repeats",), _hears_all, again),
    Mutant("second_agent", "another agent speaks for the crossing", "AIR01", ("second_speaker",), _hears_all,
           other_speaker),
    Mutant("another_master", "another master polls the controller's line", "SER01", ("busy", "master"),
           act=_fault("controller", "other_master")),
    Mutant("swapped_groups", "two heads hang on each other's circuits", "WIT01", ("[3, 4]",), act=_swap,
           senses=True, within_s=240.0),
    Mutant("dirty_lens", "the camera's lens is dirty", "CAM01", ("dirty",), act=_fault("camera", "dirt"),
           senses=True, within_s=600.0),
    Mutant("turned_camera", "the camera was knocked", "CAM01", ("moved",), act=_fault("camera", "shift"),
           senses=True, within_s=600.0),
)  # fmt: skip
MAP_MUTANTS: tuple[MapMutant, ...] = (
    MapMutant("epoch", "the survey is of another epoch", "pole", ("epoch",), pole_m=EPOCH_M),
    MapMutant("gcj02", "coordinates are deflected", "pole", ("GCJ-02",), pole_m=GCJ02_M),
    MapMutant("rotated_approaches", "approaches are rotated by 90 degrees", "arm", ("bearing",),
              crossing=rotated),
    MapMutant("mirrored_lanes", "the lanes are in the wrong order", "side", ("left", "right"),
              crossing=mirrored),
)  # fmt: skip
