"""`rsu calibrate camera`: what each step gives; a step that cannot be done ends the command and says why."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import typer

from rsu_agent.cli.calibrate_picture import drawn
from rsu_agent.cli.calibrate_told import point_lines
from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import stop
from rsu_agent.perception.calibrate_camera import Calibration, calibrate
from rsu_agent.perception.calibrate_import import Foreign, ImportRefused, lens_of, pose_of_import
from rsu_agent.perception.ground import GroundCamera
from rsu_agent.perception.lens import PinholeLens
from rsu_agent.perception.pose import CameraPose
from rsu_agent.perception.surveyed import CalibrationRefused, GroundPoint
from rsu_agent.settings.language import because, say
from rsu_agent.settings.lens_file import read_lens_file
from rsu_agent.settings.points_file import PointsInvalid, TablePoint, read_points
from rsu_agent.settings.sections import CameraSection
from rsu_agent.world.crossing import Crossing
from rsu_agent.world.place import GeoPoint


def lens_given(
    path: Path | None, section: CameraSection, *, as_json: bool
) -> tuple[Foreign | None, PinholeLens]:
    """The lens of the file, or the site file's."""
    if path is None:
        return None, PinholeLens.of(section.lens)
    try:
        foreign = read_lens_file(path)
        return foreign, lens_of(foreign, section.lens.width_px, section.lens.height_px)
    except ImportRefused as refused:
        stop(Exit.CHECK_FAILED, f"{path}: {refused}", as_json=as_json, reason="intrinsics")
    except OSError as error:
        stop(Exit.FAILED, f"{path}: {because(error)}", as_json=as_json, reason="intrinsics")


def table(path: Path, origin: GeoPoint, *, as_json: bool) -> tuple[TablePoint, ...]:
    """The surveyed points."""
    try:
        return read_points(path, origin)
    except PointsInvalid as invalid:
        stop(Exit.INVALID, str(invalid), as_json=as_json, reason="table")
    except OSError as error:
        stop(Exit.FAILED, f"{path}: {because(error)}", as_json=as_json, reason="table")


def calibrated(lens: PinholeLens, surveyed: tuple[GroundPoint, ...], *, as_json: bool) -> Calibration:
    """The calibration; where it is refused the points are told, as far as they are known."""
    try:
        return calibrate(lens, surveyed)
    except CalibrationRefused as refused:
        rows = [] if refused.so_far is None else [asdict(point) for point in refused.so_far.points]
        if rows and not as_json:
            typer.echo("\n".join(point_lines(rows)))
        fields = {"reason": refused.reason, "do": refused.do, "points": rows}
        text = say("refused: {words}\ndo: {do}", words=refused.text, do=refused.do)
        stop(Exit.CHECK_FAILED, text, as_json=as_json, accepted=False, written=False, **fields)


def imported(foreign: Foreign | None, *, as_json: bool) -> CameraPose:
    """The pose of a lens file that holds one."""
    try:
        pose = None if foreign is None else pose_of_import(foreign)
    except ImportRefused as refused:
        stop(Exit.CHECK_FAILED, str(refused), as_json=as_json, reason="intrinsics")
    if pose is None:
        text = say("give --points FILE.csv, or --intrinsics FILE with a pose (R and t, or a projection)")
        stop(Exit.USAGE, text, as_json=as_json, reason="points")
    return pose.rounded()


def told_of(found: Calibration) -> dict[str, Any]:
    """A calibration as plain values, rounded for reading."""
    return {
        "rms_px": round(found.rms_px, 2),
        "left_out_m": round(found.left_out_m, 3),
        "unlevel_m": round(found.unlevel_m, 3),
        "bad": list(found.bad),
        "exchanged": [list(pair) for pair in found.exchanged],
        "points": [asdict(point) for point in found.points],
        "expected": [asdict(row) for row in found.expected],
    }


def draw(
    still: npt.NDArray[np.uint8],
    eye: GroundCamera,
    crossing: Crossing,
    points: tuple[GroundPoint, ...],
    bad: Collection[str],
    out: Path,
    *,
    as_json: bool,
) -> None:
    """The overlay into a file."""
    try:
        done = cv2.imwrite(str(out), drawn(still, eye, crossing, points, bad))
    except cv2.error:  # a name that is no picture's
        done = False
    if not done:
        text = say("{out} cannot be written: name a .png in a folder that exists", out=out)
        stop(Exit.FAILED, text, as_json=as_json, reason="out")


def changed(section: CameraSection, pose: CameraPose, lens: PinholeLens | None) -> dict[str, dict[str, Any]]:
    """What the site file must say otherwise: part -> key -> value, None: the key goes. lens None: stays."""
    now = section.pose.model_dump()
    changes = {"pose": {key: value for key, value in asdict(pose).items() if now[key] != value}}
    if lens is not None:
        wanted: dict[str, Any] = {"focal_px": None, "fx_px": round(lens.fx, 2), "fy_px": round(lens.fy, 2)}
        wanted |= {"cx_px": round(lens.cx, 2), "cy_px": round(lens.cy, 2)}
        wanted["distortion"] = [round(each, 6) for each in lens.distortion] or None
        told = section.lens.model_dump()
        changes["lens"] = {key: value for key, value in wanted.items() if (told[key] or None) != value}
    return {part: values for part, values in changes.items() if values}
