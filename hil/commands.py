"""The verbs that the rig adds to `rsu`: demo and hil."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hil.devices.fault_table import FAULTS, told
from hil.processes import RigFailure, ended_by_signals
from hil.scenario.verbs import all_scenarios, run
from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import print_json, stop
from rsu_agent.settings.language import say

if TYPE_CHECKING:
    from hil.rig import RigOptions

MODES = ("fixed", "demand", "actuated", "adaptive", "coordinated")

hil = typer.Typer(help="The rig: act on the virtual devices of a running demo.", no_args_is_help=True)


def demo(
    for_s: Annotated[
        float | None, typer.Option("--for", help="Scored seconds; without it until Ctrl-C.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The figures as one JSON object.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 1,
    density: Annotated[str, typer.Option(help="day, peak or night.")] = "day",
    world: Annotated[str, typer.Option(help="Who moves the traffic: built-in, or sumo.")] = "built-in",
    plan: Annotated[int, typer.Option(help="Signal plan: 1 normal, 2 longer, 3 short.")] = 1,
    runs: Annotated[int, typer.Option(help="Repeat a bounded run.")] = 1,
    keep: Annotated[Path | None, typer.Option(help="Keep the run's files in this folder.")] = None,
    page_port: Annotated[int, typer.Option(help="The page's port, or the next free one.")] = 8080,
    night: Annotated[bool, typer.Option("--night", help="By night; the road is not judged.")] = False,
    ablations: Annotated[bool, typer.Option("--ablations", help="Recall with a sensor less.")] = False,
    camera_delay_ms: Annotated[float, typer.Option(help="A slow line behind the camera.")] = 0.0,
    camera: Annotated[str, typer.Option(help="How its pictures come: mjpeg_http or rtsp.")] = "mjpeg_http",
    camera_quality: Annotated[int, typer.Option(help="Of the camera's JPEG encoder.", min=2, max=100)] = 85,
    messages: Annotated[str, typer.Option(help="Message set on air: csae53, etsi or j2735.")] = "csae53",
    controller: Annotated[str, typer.Option(help="Cabinet: its protocol, and its line.")] = "gbt20999",
    radar: Annotated[str, typer.Option(help="Radar: its driver, and what it speaks.")] = "ti_mmwave",
    mode: Annotated[str, typer.Option(help="fixed, demand, actuated, adaptive or coordinated.")] = "fixed",
    talkers: Annotated[float, typer.Option(help="Share of the cars, trucks and buses that send BSMs.")] = 0.0,
    liar: Annotated[bool, typer.Option("--liar", help="One of them says to be where it is not.")] = False,
) -> None:
    """Run the whole product on the virtual crossing: no hardware, no root.

    Examples: rsu demo · rsu demo --for 60 --json · rsu demo --messages etsi · rsu demo --controller gat1743
    """
    from hil.demo import demo_figures, endless
    from hil.rig import RigOptions

    road = RigOptions(seed=seed, density=density, plan=plan, mode=mode, night=night, radar=radar)
    devices = replace(road, world=world, camera_delay_ms=camera_delay_ms, camera_quality=camera_quality)
    devices = replace(devices, messages=messages, controller=controller, camera=camera)
    devices = replace(devices, talkers=talkers, liar=liar)
    _chosen(devices, as_json)
    shown = for_s is None
    options = replace(devices, page_port=page_port, page=shown, metrics_port=9464 if shown else 0)
    try:
        with ended_by_signals():
            if for_s is None:
                endless(options, keep)
                return
            figures = demo_figures(for_s, options, runs, keep, ablations)
    except RigFailure as failure:
        stop(Exit.FAILED, str(failure), as_json=as_json)
    _report(figures, as_json)


def _chosen(options: RigOptions, as_json: bool) -> None:
    """Ends with what there is where a choice is none of them, has no driver here or goes with no other."""
    from hil.devices.cabinets import CABINETS
    from hil.devices.cameras import CAMERAS
    from hil.rig import RADIOS, WORLDS, radar_refused, talkers_refused

    allowed = {"messages": tuple(RADIOS), "controller": tuple(CABINETS), "mode": MODES}
    allowed |= {"camera": tuple(CAMERAS), "world": tuple(WORLDS)}
    for name, values in allowed.items():
        if (value := getattr(options, name)) not in values:
            stop(
                Exit.USAGE,
                say("--{name} {value}: one of {choices}", name=name, value=value, choices=", ".join(values)),
                as_json=as_json,
            )
    refused = radar_refused(options.radar) or talkers_refused(options)
    if refused:
        stop(Exit.USAGE, refused, as_json=as_json)


def _report(figures: dict[str, Any], as_json: bool) -> None:
    """The figures, then what was missed; ends with a status of its own when anything was."""
    from hil.score.runs import readable

    if as_json:
        print_json(figures)
    else:
        for line in readable(figures):
            typer.echo(line)
    for line in figures["missed"]:
        typer.echo(say("missed: {line}", line=line), err=True)
    if figures["missed"]:
        raise typer.Exit(int(Exit.FAILED))


@hil.command()
def fault(
    device: Annotated[str, typer.Argument(help=", ".join(FAULTS))],
    name: Annotated[str, typer.Argument(help=told())],
    state: Annotated[str, typer.Argument(help="on, off, or a value such as seconds")] = "on",
    run: Annotated[Path | None, typer.Option("--run", help="The run's folder (the demo prints it).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="What was done as one JSON object.")] = False,
) -> None:
    """Act on a device of a running demo.

    Example: rsu hil fault controller unplug on --run /tmp/rsu-demo-x
    """
    from hil.bus import Bus
    from hil.devices.fault_table import checked

    try:
        device, name = checked(device, name)
    except ValueError as error:
        stop(Exit.USAGE, str(error), as_json=as_json)
    folder = run or Path(os.environ.get("RSU_RUN", ""))
    if not (folder / "bus").is_dir():
        stop(
            Exit.USAGE,
            say("{folder}: no running demo there; the demo prints its folder", folder=folder),
            as_json=as_json,
        )
    value: Any = {"on": True, "off": False}.get(state)
    if value is None:
        try:
            value = float(state)
        except ValueError:
            stop(Exit.USAGE, say("{state}: say on, off or a number", state=state), as_json=as_json)
    Bus(folder).publish("fault", {"device": device, "name": name, "on": value})
    if as_json:
        print_json({"device": device, "fault": name, "on": value, "run": str(folder)})


hil.command("run")(run)
hil.command("all")(all_scenarios)
