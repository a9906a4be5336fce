"""`rsu update`: releases of the agent that cannot strand a pole."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from rsu_agent.cli.client import socket_path
from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import print_json, stop
from rsu_agent.settings.language import say
from rsu_agent.settings.releases import ROOT, Pending, Releases

update = typer.Typer(
    no_args_is_help=True, help="Install releases of the agent; a bad one goes back by itself."
)
File = Annotated[Path, typer.Argument(help="The release file.")]
Root = Annotated[Path, typer.Option("--root", help="Where releases lie.")]
Keys = Annotated[Path, typer.Option("--keys", help="Folder of the keys whose releases are taken (*.pub).")]
Site = Annotated[Path, typer.Option("--site", help="The site file.")]
Socket = Annotated[Path | None, typer.Option("--socket", help="The agent's control socket.")]
Restart = Annotated[str, typer.Option("--restart", help="Command that starts the service again.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on one line.")]
KEYS, SITE = Path("/etc/rsu-agent/update-keys"), Path("/etc/rsu-agent/site.yaml")
RESTART = "systemctl restart --no-block rsu-agent rsu-agent-web"
FOR_S = 600.0


@update.command()
def check(file: File, root: Root = ROOT, keys: Keys = KEYS, as_json: Json = False) -> None:
    """Look at a release file: who signed it, whether it is whole, whether it may come here. Changes nothing.

    Example: rsu update check rsu-agent-0.2.0.tar.zst
    """
    from rsu_agent.cli import update_install as does  # other verbs need neither keys nor archives

    release, key = does.tried(lambda: does.checked(Releases(root), file, keys), as_json)
    told = {"version": release.version, "counter": release.counter, "key": key, "files": len(release.members)}
    if as_json:
        print_json(told | {"arch": release.arch, "python": release.python, "bytes": release.size})
        return
    typer.echo(say("{version} ({counter}), signed by {key}, {files} files: may be installed", **told))


@update.command()
def install(
    file: File,
    for_s: Annotated[
        float, typer.Option("--for", help="Seconds in which it must do as well as the one before.", min=0)
    ] = FOR_S,
    settle: Annotated[
        float, typer.Option("--settle", help="Of these, the first in which nothing is judged.", min=0)
    ] = 60.0,
    root: Root = ROOT,
    keys: Keys = KEYS,
    site: Site = SITE,
    socket: Socket = None,
    restart: Restart = RESTART,
    as_json: Json = False,
) -> None:
    """Install a release, watch it for ten minutes, keep it where it does as well as the one before.

    Otherwise it goes back, whatever dies meanwhile: exit code 6. Ctrl-C ends the watching; `rsu update
    confirm` then keeps it.

    Example: sudo rsu update install rsu-agent-0.2.0.tar.zst
    """
    from rsu_agent.cli import update_install as does  # other verbs need neither keys nor archives

    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a line that is lost does not end the watching
    kept = Releases(root)
    job = does.Job(kept, socket_path(socket), site, restart.split(), for_s, settle)
    does.tried(lambda: does.checked(kept, file, keys), as_json)
    before = does.looked(job.socket)
    pending = does.tried(lambda: does.begun(job, file, keys), as_json)
    why = does.watched(job, pending, before, as_json)
    if why is not None:
        text = say("{new} has gone back to {old}: {why}", new=pending.new, old=pending.old, why=why)
        stop(Exit.REVERTED, text, as_json=as_json, version=pending.old, why=why)
    if as_json:
        print_json({"version": pending.new, "old": pending.old, "counter": pending.counter})
    else:
        typer.echo(say("{new} is good and stays; {old} is kept", new=pending.new, old=pending.old))


@update.command()
def status(root: Root = ROOT, as_json: Json = False) -> None:
    """Show the release in place, the one that waits, those that are kept, and what was done.

    Example: rsu update status
    """
    from rsu_agent.cli import update_install as does

    kept = Releases(root)
    pending: Pending | None = does.tried(kept.pending, as_json)
    waits = pending and {"version": pending.new, "old": pending.old, "left_s": round(pending.left_s, 1)}
    told: dict[str, Any] = {
        "version": kept.current(),
        "pending": waits and waits | {"until_utc_s": pending.until_utc_s if pending else 0},
        "counter": kept.counter(),
        "starts": kept.starts() if pending else None,
        "kept": kept.versions(),
        "keeper": kept.keeper.exists(),
        "events": kept.history.events(),
    }
    if as_json:
        print_json(told)
        return
    current, counter = told["version"] or say("none"), told["counter"]
    typer.echo(say("{current} is in place, counter {counter}", current=current, counter=counter))
    typer.echo(say("kept: {kept}", kept=", ".join(told["kept"]) or say("none")))
    if not told["keeper"]:
        typer.echo(say("{keeper} is missing: run deploy/install", keeper=kept.keeper))
    if waits:
        typer.echo(say("{version} waits: back to {old} in {left_s:.0f} s, or rsu update confirm", **waits))
    for event in told["events"]:
        at = datetime.fromtimestamp(event["utc_s"], UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        why = f": {event['why']}" if "why" in event else ""
        typer.echo(f"{at}  {event['release']}  {event['what']}{why}  [{event['id']}]")


@update.command()
def confirm(root: Root = ROOT, as_json: Json = False) -> None:
    """Keep the release that waits, by your own word.

    Example: sudo rsu update confirm
    """
    from rsu_agent.cli import update_install as does

    kept = Releases(root)
    pending = does.tried(lambda: kept.confirm(say("asked for")), as_json)
    if as_json:
        print_json({"version": pending.new})
    else:
        typer.echo(say("{version} stays", version=pending.new))


@update.command()
def rollback(
    version: Annotated[
        str | None, typer.Argument(help="A release that is kept; none = the one before what waits.")
    ] = None,
    root: Root = ROOT,
    restart: Restart = RESTART,
    as_json: Json = False,
) -> None:
    """Go back at once: from the release that waits, or to one that is kept, which then stays.

    Examples: sudo rsu update rollback · sudo rsu update rollback 0.1.0
    """
    from rsu_agent.cli import update_install as does

    kept = Releases(root)
    now = does.tried(lambda: does.back(kept, version), as_json)
    if now is None:
        stop(Exit.USAGE, say("nothing waits; name one of `rsu update status`"), as_json=as_json)
    does.tried(lambda: does.restarted(restart.split()), as_json)
    if as_json:
        print_json({"version": now})
    else:
        typer.echo(say("{version} is in place again", version=now))


@update.command()
def preflight(as_json: Json = False) -> None:
    """Load everything the agent is made of: what a new release is asked before it is put in place.

    Example: rsu update preflight
    """
    from rsu_agent.cli import update_install as does

    loaded = does.tried(does.loaded, as_json)
    if as_json:
        print_json({"modules": loaded})
    else:
        typer.echo(say("{loaded} modules load", loaded=loaded))


@update.command()
def keygen(
    file: Annotated[Path, typer.Argument(help="File to write the private key to; it must not exist.")],
    as_json: Json = False,
) -> None:
    """Make a key that signs releases; FILE.pub goes into /etc/rsu-agent/update-keys of every box.

    Example: rsu update keygen release-2027
    """
    from rsu_agent.cli import update_install as does

    public = does.tried(lambda: does.key_made(file), as_json)
    if as_json:
        print_json({"file": str(file), "public": str(public)})
    else:
        typer.echo(say("{public} goes to the boxes, {file} to nobody", public=public, file=file))


@update.command()
def pack(
    folder: Annotated[Path, typer.Argument(help="A release's folder, as deploy/install builds it.")],
    counter: Annotated[
        int, typer.Option("--counter", help="Higher with every release; never goes down.", min=1)
    ],
    key: Annotated[Path, typer.Option("--key", help="The private key that signs.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The release file to write.")],
    version: Annotated[str, typer.Option("--version", help="none = the folder's name.")] = "",
    arch: Annotated[str, typer.Option("--arch", help="Processor; none = this one; any = all.")] = "",
    after: Annotated[
        int, typer.Option("--after", help="Lowest counter that may be replaced by it.", min=0)
    ] = 0,
    as_json: Json = False,
) -> None:
    """Make a signed release file of a folder.

    Example: rsu update pack releases/0.2.0 --counter 7 --key release-2027 -o rsu-agent-0.2.0.tar.zst
    """
    from rsu_agent.cli import update_install as does

    name = version or folder.resolve().name
    release = does.tried(lambda: does.packed(folder, name, (counter, after), arch, key, out), as_json)
    told = {"file": str(out), "version": release.version, "files": len(release.members)}
    if as_json:
        print_json(told | {"bytes": out.stat().st_size})
    else:
        typer.echo(say("{file}: {version}, {files} files", **told))
