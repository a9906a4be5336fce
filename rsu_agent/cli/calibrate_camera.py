"""`rsu calibrate camera` and `points`: a camera's pose from surveyed points, and the page to click them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from rsu_agent.cli.calibrate_subject import (
    SITE,
    SiteOption,
    keep_still,
    section_of,
    site_of,
    still_of,
    write_changes,
)
from rsu_agent.cli.config import JsonOption
from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import print_json, stop
from rsu_agent.settings.language import say

NameArgument = Annotated[str, typer.Argument(help="Name of the camera in the site file.", show_default=False)]
TableOption = Annotated[
    Path | None,
    typer.Option(help="Table of points: name, east_m, north_m, up_m (or lat, lon, height_m), u_px, v_px."),
]
LensOption = Annotated[
    Path | None, typer.Option(help="Lens file (OpenCV, camera_info or plain keys), with a pose or without.")
]
OutOption = Annotated[
    Path | None, typer.Option(help="Draw lanes, stop lines, crossings and points over the still.")
]


def camera(
    name: NameArgument,
    points: TableOption = None,
    intrinsics: LensOption = None,
    still: Annotated[Path | None, typer.Option(help="A picture of the camera, for --out.")] = None,
    out: OutOption = None,
    write: Annotated[bool, typer.Option("--write", help="Put pose and lens into the site file.")] = False,
    site: SiteOption = SITE,
    as_json: JsonOption = False,
) -> None:
    """Find where a camera stands and looks from surveyed points; say how far to trust it; draw; write.

    Six points are the least, ten or twenty are right, near and far (beyond 40 m). A bad point is named.
    Without --points the pose of --intrinsics is taken over. Nothing is written without --write, nor when it
    is refused (exit status 4); restart the agent then.

    Examples: rsu calibrate camera north --points north.csv --still north.png --out north-check.png ·
    rsu calibrate camera north --points north.csv --intrinsics lens.yaml --write
    """
    from rsu_agent.cli import calibrate_posed as step
    from rsu_agent.cli.calibrate_told import lines_of
    from rsu_agent.perception.ground import GroundCamera
    from rsu_agent.settings.points_file import clicked

    read = site_of(site, as_json=as_json)
    section = section_of(read.settings.cameras, name, "camera", as_json=as_json)
    foreign, lens = step.lens_given(intrinsics, section, as_json=as_json)
    surveyed = () if points is None else clicked(step.table(points, read.crossing.origin, as_json=as_json))
    found = None if points is None else step.calibrated(lens, surveyed, as_json=as_json)
    pose = step.imported(foreign, as_json=as_json) if found is None else found.pose.rounded()
    told: dict[str, Any] = {"camera": name, "accepted": True, "pose": asdict(pose)}
    told |= {} if found is None else step.told_of(found)
    if out is not None:
        eye, image = GroundCamera.through(pose, lens), still_of(still, section, read, as_json=as_json)
        step.draw(image, eye, read.crossing, surveyed, told.get("bad", ()), out, as_json=as_json)
        told["picture"] = str(out)
    changes = step.changed(section, pose, None if intrinsics is None else lens)
    if write and changes:
        write_changes(site, "cameras", name, changes, as_json=as_json)
    told |= {"changes": changes, "written": write}
    if as_json:
        print_json(told)
    else:
        typer.echo("\n".join(lines_of(told, section)))


def points(
    name: NameArgument,
    points: Annotated[Path, typer.Option(help="Table of surveyed points; clicks are saved into it.")],
    still: Annotated[
        Path | None,
        typer.Option(help="A picture to click on; without it a still is taken and kept beside the table."),
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
    from rsu_agent.cli import calibrate_posed as step
    from rsu_agent.cli.calibrate_page import serve
    from rsu_agent.runtime.serve_http import listen_tcp
    from rsu_agent.web.calibrate_points import points_app

    read = site_of(site, as_json=as_json)
    section = section_of(read.settings.cameras, name, "camera", as_json=as_json)
    _, lens = step.lens_given(intrinsics, section, as_json=as_json)
    step.table(points, read.crossing.origin, as_json=as_json)
    image = still_of(still, section, read, as_json=as_json)
    try:
        if still is None:
            still = keep_still(image, points.parent, name)
        listener = listen_tcp("127.0.0.1", port)
    except (OSError, OverflowError) as error:
        stop(Exit.FAILED, str(error), as_json=as_json, reason="port")
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"

    def ready() -> None:
        if as_json:
            print_json({"url": url, "camera": name, "still": str(still)})
        else:
            typer.echo(say("{url}  (still: {still}; Ctrl-C ends it)", url=url, still=still))

    serve(points_app(name, image, points, read.crossing.origin, lens), listener, ready)
