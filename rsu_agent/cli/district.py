"""`rsu district`: receive for many crossings, look at how they are, take what is stored away for analysis."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.cells import cell_len

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import plain, print_json, stop
from rsu_agent.settings.language import say

district = typer.Typer(no_args_is_help=True, help="The other end: receive, store once, show, export.")
SQLITE = "district.sqlite"
API = "http://127.0.0.1:8090/"
ASK_S = 20.0
MARKS = {"ok": "●", "degraded": "◐", "lost": "○", "silent": "·", "unknown": "◌"}
WORST_FIRST = ("silent", "lost", "degraded", "unknown", "ok")
NAME_COLUMNS = 24
Database = Annotated[
    list[str] | None,
    typer.Option(
        help="An SQLite file, or postgresql://user@host/name; none = district.sqlite. Once a shard."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on one line.")]


@district.command()
def run(
    database: Database = None,
    host: Annotated[str, typer.Option(help="The broker; none = one in this process on loopback.")] = "",
    port: Annotated[int, typer.Option(help="The broker's port; 0 = 1883, or any in process.")] = 0,
    workers: Annotated[int, typer.Option(help="Processes that share the subscription.")] = 1,
    shared: Annotated[bool, typer.Option(help="Share it with receivers on other machines.")] = False,
    username: Annotated[
        str, typer.Option(help="At the broker; password in RSU_DISTRICT_MQTT_PASSWORD.")
    ] = "",
    ca: Annotated[Path | None, typer.Option(help="TLS: who signed the broker's certificate.")] = None,
    cert: Annotated[Path | None, typer.Option(help="TLS: our certificate.")] = None,
    key: Annotated[Path | None, typer.Option(help="TLS: its key.")] = None,
    api_host: Annotated[str, typer.Option(help="Where page and read API listen.")] = "127.0.0.1",
    api_port: Annotated[int, typer.Option(help="Their port; the next free one when it is used.")] = 8090,
    live: Annotated[str, typer.Option(help="Address of a site's live page; {site} is its name.")] = "",
    nats: Annotated[str, typer.Option(help="Distributed: nats://a:4222,nats://b:4222,nats://c:4222.")] = "",
    nats_creds: Annotated[Path | None, typer.Option(help="At the cluster: a .creds file.")] = None,
    nats_ca: Annotated[Path | None, typer.Option(help="TLS: who signed the cluster's certificates.")] = None,
    role: Annotated[str, typer.Option(help="Distributed: front or back only; none = both.")] = "",
    shard: Annotated[
        list[int] | None, typer.Option(help="Distributed: backs of these shards only; the first is 0.")
    ] = None,
) -> None:
    """Receive, store once, acknowledge after the commit; serve the page and the read API.

    Examples: rsu district run · rsu district run --host 127.0.0.1 --workers 4 --database postgresql:///rsu ·
    rsu district run --host broker --nats nats://a,nats://b,nats://c
    --database postgresql://x/rsu --database postgresql://y/rsu
    """
    arguments = ["--workers", str(workers), "--api-host", api_host]
    arguments += [part for each in database or [SQLITE] for part in ("--database", each)]
    arguments += [part for each in shard or [] for part in ("--shard", str(each))]
    arguments += ["--api-port", str(api_port), "--port", str(port or (1883 if host else 0))]
    given = {"--host": host, "--username": username, "--ca": ca, "--cert": cert, "--key": key, "--live": live}
    given |= {"--nats": nats, "--nats-creds": nats_creds, "--nats-ca": nats_ca, "--role": role}
    arguments += [part for name, value in given.items() if value for part in (name, str(value))]
    arguments += ["--shared"] if shared else []
    os.execv(sys.executable, [sys.executable, "-m", "rsu_agent.district.main", *arguments])


@district.command()
def api(
    database: Database = None,
    api_host: Annotated[str, typer.Option(help="Where page and read API listen.")] = "127.0.0.1",
    api_port: Annotated[int, typer.Option(help="Their port; the next free one when it is used.")] = 8090,
    live: Annotated[str, typer.Option(help="Address of a site's live page; {site} is its name.")] = "",
    host: Annotated[str, typer.Option(help="The broker, for what crossings say of this moment.")] = "",
    port: Annotated[int, typer.Option(help="The broker's port.")] = 1883,
    username: Annotated[
        str, typer.Option(help="At the broker; password in RSU_DISTRICT_MQTT_PASSWORD.")
    ] = "",
    ca: Annotated[Path | None, typer.Option(help="TLS: who signed the broker's certificate.")] = None,
    cert: Annotated[Path | None, typer.Option(help="TLS: our certificate.")] = None,
    key: Annotated[Path | None, typer.Option(help="TLS: its key.")] = None,
) -> None:
    """Serve the page and the read API alone; others receive. Several --database are the shards in order.

    Example: rsu district api --database postgresql://x/rsu --database postgresql://y/rsu --host broker
    """
    arguments = ["--read-only", "--api-host", api_host, "--api-port", str(api_port), "--port", str(port)]
    arguments += [part for each in database or [SQLITE] for part in ("--database", each)]
    given = {"--host": host, "--username": username, "--ca": ca, "--cert": cert, "--key": key, "--live": live}
    arguments += [part for name, value in given.items() if value for part in (name, str(value))]
    os.execv(sys.executable, [sys.executable, "-m", "rsu_agent.district.main", *arguments])


@district.command()
def status(
    api: Annotated[str, typer.Option(help="Address of the district's read API.")] = API,
    as_json: Json = False,
) -> None:
    """Show how every crossing is: fresh or silent, how far behind, what is missing.

    Examples: rsu district status · rsu district status --json | jq '.sites[] | select(.health != "ok")'
    """
    told = _asked(api.rstrip("/") + "/api/sites", as_json)
    if as_json:
        print_json(told)
        return
    for line in screen(told):
        typer.echo(line)


@district.command()
def export(
    out: Annotated[Path, typer.Option(help="Folder for OUT/{kind}/{day}.parquet.")],
    first: Annotated[str, typer.Option("--from", help="First day (UTC), 2026-11-27; none = yesterday.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last day, counted; none = the first.")] = "",
    kind: Annotated[list[str] | None, typer.Option(help="Only these kinds. May be repeated.")] = None,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Write what is stored as Parquet, a file a kind and day.

    Example: rsu district export --from 2026-11-01 --to 2026-11-30 --out month
    then: pandas.read_parquet("month/flow")
    """
    begins = _day(first, "--from", as_json) or datetime.now(UTC).date() - timedelta(days=1)
    ends = _day(last, "--to", as_json) or begins
    if ends < begins:
        stop(
            Exit.USAGE,
            say("--to {ends} is before --from {begins}", ends=ends, begins=begins),
            as_json=as_json,
        )
    try:
        import anyio

        from rsu_agent.district.reading import ReaderLost

        rows = anyio.run(_export, database or [SQLITE], out, (begins, ends), kind or [], not as_json)
    except ModuleNotFoundError as missing:
        stop(
            Exit.FAILED, say("{missing}: pip install 'rsu-agent[district]'", missing=missing), as_json=as_json
        )
    except ReaderLost as lost:
        stop(Exit.UNREACHABLE, f"{', '.join(database or [SQLITE])}: {lost}", as_json=as_json)
    except OSError as error:
        stop(Exit.FAILED, f"{out}: {error}", as_json=as_json)
    files = sorted(str(path) for path in out.glob("*/*.parquet"))
    if as_json:
        print_json({"rows": rows, "from": str(begins), "to": str(ends), "files": files})
    else:
        typer.echo(say("{rows} rows in {out}: pandas.read_parquet('{out}/flow')", rows=rows, out=out))


async def _export(
    database: list[str], out: Path, days: tuple[date, date], kinds: list[str], shown: bool
) -> int:
    from rich.console import Console
    from rich.progress import Progress

    from rsu_agent.district.export import export as write
    from rsu_agent.district.reading import open_reader

    reader, rows = open_reader(database), 0
    try:
        with Progress(console=Console(stderr=True), disable=not shown or plain()) as bar:
            task = bar.add_task(say("kinds and days"), total=None)
            async for done, total, rows in write(reader, out, *days, kinds):
                bar.update(task, completed=done, total=total, description=say("{rows} rows", rows=rows))
    finally:
        await reader.aclose()
    return rows


def screen(told: dict[str, Any]) -> list[str]:
    """A line a site, the worst first, forty columns."""
    sites = told["sites"]
    counted = Counter(site["health"] for site in sites)
    words = " · ".join(f"{counted[word]} {word}" for word in MARKS if counted[word])
    lines = [
        say("{count} sites: {words}", count=len(sites), words=words)
        if sites
        else say("no site has said anything yet")
    ]
    if told.get("trouble"):
        lines.append(say("the database does not answer: {trouble}", trouble=told["trouble"]))
    for site in sorted(sites, key=lambda site: (WORST_FIRST.index(site["health"]), site["site"])):
        name = site["site"]
        while cell_len(name) > NAME_COLUMNS:
            name = name[:-1]
        pad = " " * (NAME_COLUMNS - cell_len(name))
        missing = say(" {missing} missing", missing=site["missing"]) if site["missing"] else ""
        lines.append(f"{MARKS[site['health']]} {name}{pad} {_age(site['age_s'])}{missing}")
    return lines


def _age(age_s: float | None) -> str:
    if age_s is None:
        return "never"
    for limit, unit, size in ((120, "s", 1), (7200, "min", 60), (172_800, "h", 3600)):
        if age_s < limit:
            return f"{age_s / size:.0f} {unit}"
    return f"{age_s / 86_400:.0f} d"


def _day(text: str, option: str, as_json: bool) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        stop(
            Exit.USAGE,
            say("{option} {words}: no day; write it as 2026-11-27", option=option, words=text),
            as_json=as_json,
        )


def _asked(url: str, as_json: bool) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(url, timeout=ASK_S) as answer:
            told: dict[str, Any] = json.load(answer)
            return told
    except urllib.error.HTTPError as error:
        stop(Exit.UNREACHABLE, f"{url}: {error.read().decode(errors='replace')[:300]}", as_json=as_json)
    except (OSError, ValueError) as error:
        hint = say("is `rsu district run` up? another address with --api")
        stop(Exit.UNREACHABLE, f"{url}: {error}; {hint}", as_json=as_json)
