"""`rsu calibrate`: what is measured once, on a page of this machine."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from rsu_agent.cli.calibrate_camera import camera, points
from rsu_agent.cli.calibrate_latency import latency
from rsu_agent.cli.calibrate_page import serve
from rsu_agent.cli.calibrate_radar import radar, tracks
from rsu_agent.cli.calibrate_still import still
from rsu_agent.cli.config import JsonOption, SiteArgument
from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import print_json, stop
from rsu_agent.settings.explain import SiteInvalid
from rsu_agent.settings.language import say
from rsu_agent.settings.read import read_site

calibrate = typer.Typer(help="Measure once what the agent then relies on.", no_args_is_help=True)
calibrate.command()(still)
calibrate.command()(points)
calibrate.command()(camera)
calibrate.command()(tracks)
calibrate.command()(radar)
calibrate.command()(latency)


@calibrate.command()
def heads(
    site: SiteArgument = Path("/etc/rsu-agent/site.yaml"),
    camera: Annotated[str, typer.Option(help="Name of the camera; needed where there are several.")] = "",
    still: Annotated[
        Path | None, typer.Option(help="A picture of it instead of the camera itself.", show_default=False)
    ] = None,
    port: Annotated[int, typer.Option(help="Port of the page; the next free one where it is used.")] = 8090,
    as_json: JsonOption = False,
) -> None:
    """Draw a box around each signal head that a camera sees; see at once what is read there; save.

    Serves a page to this machine's browser until Ctrl-C. Saving writes `cameras[].heads` of the site file:
    no other line is touched, and a file that would be wrong is not written. Restart the agent then.
    From afar: ssh -L 8090:127.0.0.1:8090 BOX.

    Examples: rsu calibrate heads site.yaml · rsu calibrate heads site.yaml --camera north --still north.jpg
    """
    try:
        read = read_site(site)
    except SiteInvalid as invalid:
        stop(Exit.INVALID, str(invalid), as_json=as_json, reason="invalid")
    except LookupError as error:  # a driver's package is broken
        stop(Exit.FAILED, str(error), as_json=as_json, reason="driver")
    cameras = read.settings.cameras
    names = [each.name for each in cameras]
    if (camera and camera not in names) or (not camera and len(names) != 1):
        known = say("the site file has {names}", names=", ".join(names) or say("none"))
        stop(Exit.USAGE, say("which --camera? {known}", known=known), as_json=as_json, reason="camera")
    section = next(each for each in cameras if each.name == (camera or names[0]))
    from rsu_agent.ports.clock import SystemClock
    from rsu_agent.runtime.serve_http import listen_tcp
    from rsu_agent.runtime.still_taken import detector_of
    from rsu_agent.web.calibrate_heads import Still, calibrate_app, follow, read_still

    try:
        shown = Still(live=True) if still is None else read_still(still, section.lens)
        detector = detector_of(read) if shown.live else None
        listener = listen_tcp("127.0.0.1", port)
    except (ValueError, OSError, OverflowError) as error:
        stop(Exit.FAILED, str(error), as_json=as_json, reason="still" if still else "port")
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"

    def ready() -> None:
        if as_json:
            print_json({"url": url, "camera": section.name})
        else:
            typer.echo(say("{url}  (Ctrl-C ends it)", url=url))

    follower = None if detector is None else partial(follow, shown, section, detector, SystemClock())
    serve(calibrate_app(site, section.name, shown), listener, ready, follower)
