"""The verbs `rsu hil run` and `rsu hil all`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hil.processes import ended_by_signals
from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import print_json, stop
from rsu_agent.settings.explain import SiteInvalid


class Speed(StrEnum):
    """How time passes."""

    FAKE = "fake"
    REAL = "real"


def run(
    file: Annotated[Path, typer.Argument(help="The scenario: docs/reference/scenario.md.")],
    speed: Annotated[
        Speed | None, typer.Option(help="fake where it can, unless the scenario needs real processes.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    keep: Annotated[Path | None, typer.Option(help="Keep the run's files in this folder.")] = None,
) -> None:
    """Run one scenario; exit 1 when an expectation fails, 3 when the file is wrong.

    Example: rsu hil run hil/scenarios/steady-plan.yaml --speed fake --json
    """
    from hil.scenario.read import read_scenario
    from hil.scenario.run import lines, run_scenario, speed_of

    try:
        scenario = read_scenario(file)
    except SiteInvalid as invalid:
        stop(Exit.INVALID, str(invalid), as_json=as_json)
    try:
        chosen = speed_of(scenario, speed)
    except ValueError as error:
        stop(Exit.USAGE, str(error), as_json=as_json)
    with ended_by_signals():
        result = run_scenario(scenario, chosen, keep)
    if as_json:
        print_json(result)
    else:
        typer.echo("\n".join(lines(result)))
    if not result["passed"]:
        raise typer.Exit(int(Exit.FAILED))


def all_scenarios(
    out: Annotated[Path, typer.Option(help="Where report.json and report.md go.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    speed: Annotated[Speed | None, typer.Option(help="Only those that run at this speed.")] = None,
) -> None:
    """Run every scenario that ships with the rig, with a report; exit 1 when one fails. Forty minutes.

    Example: rsu hil all --out build/hil
    """
    from hil.scenario.read import read_scenario
    from hil.scenario.run import lines, run_scenario, shipped, speed_of, summary, table, write_report

    try:
        scenarios = [read_scenario(path) for path in shipped()]
    except SiteInvalid as invalid:
        stop(Exit.INVALID, str(invalid), as_json=as_json)
    chosen = [scenario for scenario in scenarios if speed in (None, speed_of(scenario, None))]
    results = []
    with ended_by_signals():
        for index, scenario in enumerate(chosen, 1):
            typer.echo(f"[{index}/{len(chosen)}] {scenario.name}: {scenario.says}", err=True)
            results.append(run_scenario(scenario, speed_of(scenario, None)))
            typer.echo("\n".join(lines(results[-1])), err=True)
            write_report(results, out)
    if as_json:
        print_json(summary(results))
    else:
        typer.echo("\n".join(table(results)) + f"\nreport: {out / 'report.md'}")
    if not all(result["passed"] for result in results):
        raise typer.Exit(int(Exit.FAILED))
