"""`rsu calibrate camera` and `points`: a camera's pose from surveyed points, and the page to click them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rsu_agent.cli.calibrate_subject import SITE, SiteOption, section_of, site_of, still_of
from rsu_agent.cli.config import JsonOption
from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import print_json, stop
from rsu_agent.settings.explain import SiteInvalid

if TYPE_CHECKING:
    from rsu_agent.perception.calibrate_camera import Calibration
    from rsu_agent.perception.calibrate_import import Foreign
    from rsu_agent.perception.lens import PinholeLens
    from rsu_agent.perception.pose import CameraPose
    from rsu_agent.perception.surveyed import GroundPoint
    from rsu_agent.settings.read import SiteRead
    from rsu_agent.settings.sections import CameraSection

NameArgument = Annotated[str, typer.Argument(help="Name of the camera in the site file.", show_default=False)]


def camera(
    name: NameArgument,
    points: Annotated[
        Path | None,
        typer.Option(
            help="Table of points: name, east_m, north_m, up_m (or lat, lon, height_m), u_px, v_px."
        ),
    ] = None,
    intrinsics: Annotated[
        Path | None,
        typer.Option(help="Lens file (OpenCV, camera_info or plain keys), with a pose or without."),
    ] = None,
    still: Annotated[Path | None, typer.Option(help="A picture of the camera, for --out.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Draw lanes, stop lines, crossings and points over the still."),
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Put pose and lens into the site file.")] = False,
    site: SiteOption = SITE,
    as_json: JsonOption = False,
) -> None:
    """Find where a camera stands and looks from surveyed points; say how far to trust it; draw; write.

    Six points are the least, ten or twenty are right, near and far (beyond 40 m). A bad point is named.
    Without --points the pose of --intrinsics is taken over. Nothing is written without --write, nor when it is
    refused (exit status 4); restart the agent then.

    Examples: rsu calibrate camera north --points north.csv --still north.png --out north-check.png ·
    rsu calibrate camera north --points north.csv --intrinsics lens.yaml --write
    """
    if points is None and intrinsics is None:
        stop(
            Exit.USAGE,
            "give --points FILE.csv, or --intrinsics FILE with a pose",
            as_json=as_json,
            reason="points",
        )
    read = site_of(site, as_json=as_json)
    section = section_of(read.settings.cameras, name, "camera", as_json=as_json)
    foreign, lens = _lens(intrinsics, section, as_json=as_json)
    surveyed = () if points is None else _points(points, read, as_json=as_json)
    if points is None:
        assert foreign is not None
        pose, found = _imported(foreign, as_json=as_json), None
    else:
        found = _calibrated(lens, surveyed, as_json=as_json)
        pose = found.pose.rounded()
    told: dict[str, Any] = {"camera": name, "accepted": True, "pose": asdict(pose)}
    told |= {} if found is None else _told(found)
    if out is not None:
        _draw(read, section, pose, lens, surveyed, found, still, out, as_json=as_json)
        told["picture"] = str(out)
    changes = changed(section, pose, None if intrinsics is None else lens)
    if write:
        _write(site, name, changes, as_json=as_json)
    told |= {"changes": changes, "written": write}
    if as_json:
        print_json(told)
        return
    from rsu_agent.cli.calibrate_told import lines_of

    for line in lines_of(told, section):
        typer.echo(line)


def points(
    name: NameArgument,
    points: Annotated[Path, typer.Option(help="Table of surveyed points; clicks are saved into it.")],
    still: Annotated[
        Path | None,
        typer.Option(help="A picture to click on; without it one is taken and kept beside the table."),
    ] = None,
    intrinsics: Annotated[
        Path | None, typer.Option(help="Lens file, where the site file has not its lens.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port of the page; the next free one where it is used.")] = 8090,
    site: SiteOption = SITE,
    as_json: JsonOption = False,
) -> None:
    """Click the numbered points on a still; see at once how they fit together; save them into the table.

    Serves a page to this machine's browser until Ctrl-C. From afar: ssh -L 8090:127.0.0.1:8090 BOX.

    Examples: rsu calibrate points north --points north.csv ·
    rsu calibrate points north --points north.csv --still quiet.png
    """
    import cv2

    from rsu_agent.cli.calibrate_page import serve
    from rsu_agent.runtime.serve_http import listen_tcp
    from rsu_agent.web.calibrate_points import points_app

    read = site_of(site, as_json=as_json)
    section = section_of(read.settings.cameras, name, "camera", as_json=as_json)
    _, lens = _lens(intrinsics, section, as_json=as_json)
    _table(points, read, as_json=as_json)
    image = still_of(still, section, as_json=as_json)
    try:
        if still is None:
            still = points.with_name(f"{points.stem}-still.png")
            if not cv2.imwrite(str(still), image):
                raise OSError(f"{still} cannot be written")
        listener = listen_tcp("127.0.0.1", port)
    except (OSError, OverflowError) as error:
        stop(Exit.FAILED, str(error), as_json=as_json, reason="port")
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"

    def ready() -> None:
        if as_json:
            print_json({"url": url, "camera": name, "still": str(still)})
        else:
            typer.echo(f"{url}  (still: {still}; Ctrl-C ends it)")

    serve(points_app(name, image, points, read.crossing.origin, lens), listener, ready)


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


def _lens(path: Path | None, section: CameraSection, *, as_json: bool) -> tuple[Foreign | None, PinholeLens]:
    """The lens of the file, or the site file's; what cannot be taken over ends the command."""
    from rsu_agent.perception.calibrate_import import ImportRefused, lens_of
    from rsu_agent.perception.lens import PinholeLens
    from rsu_agent.settings.lens_file import read_lens_file

    if path is None:
        return None, PinholeLens.of(section.lens)
    try:
        foreign = read_lens_file(path)
        return foreign, lens_of(foreign, section.lens.width_px, section.lens.height_px)
    except ImportRefused as refused:
        stop(Exit.CHECK_FAILED, f"{path}: {refused}", as_json=as_json, reason="intrinsics")
    except OSError as error:
        stop(Exit.FAILED, f"{path}: {error.strerror}", as_json=as_json, reason="intrinsics")


def _imported(foreign: Foreign, *, as_json: bool) -> CameraPose:
    from rsu_agent.perception.calibrate_import import ImportRefused, pose_of_import

    try:
        pose = pose_of_import(foreign)
    except ImportRefused as refused:
        stop(Exit.CHECK_FAILED, str(refused), as_json=as_json, reason="intrinsics")
    if pose is None:
        text = "the lens file holds no pose (R and t, or a projection): give --points FILE.csv"
        stop(Exit.CHECK_FAILED, text, as_json=as_json, reason="points")
    return pose.rounded()


def _table(path: Path, read: SiteRead, *, as_json: bool) -> Any:
    from rsu_agent.settings.points_file import PointsInvalid, read_points

    try:
        return read_points(path, read.crossing.origin)
    except PointsInvalid as invalid:
        stop(Exit.INVALID, str(invalid), as_json=as_json, reason="table")
    except OSError as error:
        stop(Exit.FAILED, f"{path}: {error.strerror}", as_json=as_json, reason="table")


def _points(path: Path, read: SiteRead, *, as_json: bool) -> tuple[GroundPoint, ...]:
    from rsu_agent.settings.points_file import clicked

    return clicked(_table(path, read, as_json=as_json))


def _calibrated(lens: PinholeLens, surveyed: tuple[GroundPoint, ...], *, as_json: bool) -> Calibration:
    """The calibration; a refusal ends the command with what to do, and the points where they are known."""
    from rsu_agent.cli.calibrate_told import point_lines
    from rsu_agent.perception.calibrate_camera import calibrate
    from rsu_agent.perception.surveyed import CalibrationRefused

    try:
        return calibrate(lens, surveyed)
    except CalibrationRefused as refused:
        rows = [] if refused.so_far is None else [asdict(point) for point in refused.so_far.points]
        for line in [] if as_json or not rows else point_lines(rows):
            typer.echo(line)
        fields = {
            "accepted": False,
            "reason": refused.reason,
            "do": refused.do,
            "points": rows,
            "written": False,
        }
        stop(Exit.CHECK_FAILED, f"refused: {refused.text}\ndo: {refused.do}", as_json=as_json, **fields)


def _told(found: Calibration) -> dict[str, Any]:
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


def _draw(
    read: SiteRead,
    section: CameraSection,
    pose: CameraPose,
    lens: PinholeLens,
    surveyed: tuple[GroundPoint, ...],
    found: Calibration | None,
    still: Path | None,
    out: Path,
    *,
    as_json: bool,
) -> None:
    import cv2

    from rsu_agent.cli.calibrate_picture import drawn
    from rsu_agent.perception.ground import GroundCamera

    image = still_of(still, section, as_json=as_json)
    bad = frozenset() if found is None else frozenset(found.bad)
    picture = drawn(image, GroundCamera.through(pose, lens), read.crossing, surveyed, bad)
    if not cv2.imwrite(str(out), picture):
        stop(Exit.FAILED, f"{out} cannot be written: name a .png in a folder that exists", as_json=as_json)


def _write(site: Path, name: str, changes: dict[str, dict[str, Any]], *, as_json: bool) -> None:
    from rsu_agent.settings.written import NotWritable
    from rsu_agent.settings.written_values import write_values

    try:
        if changes:
            write_values(site, "cameras", name, changes)
    except (NotWritable, SiteInvalid) as error:
        stop(Exit.INVALID, f"not written: {error}", as_json=as_json, reason="site")
    except OSError as error:
        stop(Exit.FAILED, f"not written: {site}: {error.strerror}", as_json=as_json, reason="site")
