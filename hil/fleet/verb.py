"""The verb `rsu district simulate`, which the rig adds."""

from __future__ import annotations

from typing import Annotated

import typer

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import print_json, stop


def simulate(
    sites: Annotated[int, typer.Option(help="How many poles; above 300 they are light.", min=1)] = 10,
    for_s: Annotated[float, typer.Option("--for", help="Seconds of life, the outage not counted.")] = 30.0,
    outage: Annotated[float, typer.Option(help="Seconds that all are away, to come back together.")] = 0.0,
    storm: Annotated[bool, typer.Option("--storm", help="All connections are cut every 5 s.")] = False,
    versions: Annotated[
        bool, typer.Option("--versions", help="A third each: next version, new kind.")
    ] = False,
    backlog: Annotated[int, typer.Option(help="Envelopes that each pole has at the start.", min=0)] = 0,
    pace: Annotated[float, typer.Option(help="Times the product's rate of records and envelopes.")] = 1.0,
    light: Annotated[bool | None, typer.Option(help="Rows in memory; none = by the number.")] = None,
    host: Annotated[str, typer.Option(help="A broker; none = one of its own, and a receiver.")] = "",
    port: Annotated[int, typer.Option(help="The broker's port.")] = 1883,
    database: Annotated[str, typer.Option(help="Of its own receiver: sqlite or postgres.")] = "sqlite",
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on one line.")] = False,
) -> None:
    """Let many poles speak to a district; the figures are one JSON object on one line, either way.

    Ends with status 1 when an envelope is lost, stored twice or not drained.

    Examples: rsu district simulate --sites 143 --backlog 1900 ·
    rsu district simulate --sites 143 --host 127.0.0.1 --for 600
    """
    if database not in ("sqlite", "postgres"):
        stop(Exit.USAGE, f"--database {database}: one of sqlite, postgres", as_json=as_json)
    if min(for_s, pace) <= 0 or outage < 0:
        stop(Exit.USAGE, "--for and --pace are greater than 0, --outage is not less", as_json=as_json)
    try:
        from hil.demo import provenance
        from hil.fleet.plan import Plan
        from hil.fleet.run import simulate as run
        from hil.processes import RigFailure, ended_by_signals
    except ModuleNotFoundError as missing:
        stop(Exit.FAILED, f"{missing}: pip install 'rsu-agent[rig]'", as_json=as_json)
    plan = Plan(sites, for_s, seed, outage, storm, versions, backlog, pace, light, database == "postgres")
    try:
        with ended_by_signals():
            figures = run(plan, host, port)
    except RigFailure as failure:
        stop(Exit.FAILED, str(failure), as_json=as_json)
    print_json({**figures, **provenance()})
    for words in figures["missed"]:
        typer.echo(f"missed: {words}", err=True)
    if figures["missed"]:
        raise typer.Exit(int(Exit.FAILED))
