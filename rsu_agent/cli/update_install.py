"""What `rsu update` does: loaded by its verbs alone, for others need neither keys nor archives."""

from __future__ import annotations

import contextlib
import importlib
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import typer
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rsu_agent.cli.client import peek, serving_pid
from rsu_agent.cli.exits import Exit, code_of
from rsu_agent.cli.output import stop
from rsu_agent.cli.update_gate import Before, Gate
from rsu_agent.settings import release_install as installs
from rsu_agent.settings.durable import Refused
from rsu_agent.settings.language import because, say
from rsu_agent.settings.release_file import BadRelease, Release, known_keys
from rsu_agent.settings.release_pack import pack, signed, told_of
from rsu_agent.settings.releases import Pending, Releases

SNAPSHOT_S, LOOK_S = 5.0, 1.0
SPARE_S = 60.0  # the deadline lies so much behind the trial: whoever watches comes first
CRITICAL = (
    "rsu_agent.runtime.main",
    "rsu_agent.runtime.compose_core",
    "rsu_agent.runtime.compose_senses",
    "rsu_agent.runtime.compose_uplink",
    "rsu_agent.settings.releases",
    "rsu_agent.web.main",
)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Job:
    """One installation: where, and how it is judged."""

    kept: Releases
    socket: Path
    site: Path
    restart: list[str]
    for_s: float
    settle_s: float


def checked(kept: Releases, file: Path, keys: Path) -> tuple[Release, str]:
    """The release in a file, and the key that signed it. Raises BadRelease, OSError."""
    return installs.check(kept, file, known_keys(keys))


def begun(job: Job, file: Path, keys: Path) -> Pending:
    """The release is in place and the service starts anew. Raises BadRelease, Refused, OSError."""
    trial = installs.trial_with(job.site)
    return installs.install(job.kept, file, known_keys(keys), trial, job.for_s + SPARE_S, job.restart)


def watched(job: Job, pending: Pending, before: Before, as_json: bool) -> str | None:
    """Why it went back; None: it is good. Raises typer.Exit where the watching is ended by a person."""
    why: str | None = None
    try:
        restarted(job.restart)
        if not as_json:
            typer.echo(say("{new} is in place; watching it for {s:.0f} s", new=pending.new, s=job.for_s))
        why = _trial(job, pending, before)
    except OSError as error:
        why = str(error)
    except KeyboardInterrupt:
        text = say("{new} waits: it goes back in {left_s:.0f} s, unless: rsu update confirm")
        typer.echo(text.format(new=pending.new, left_s=pending.left_s), err=True)
        raise typer.Exit(130) from None
    if why is None:
        why = _kept_for_good(job)
    elif tried(lambda: job.kept.revert(why or ""), as_json) is not None:
        with contextlib.suppress(OSError):  # the keeper's timer asks again, and says so
            restarted(job.restart)
    return why


def _trial(job: Job, pending: Pending, before: Before) -> str | None:
    """A reason to go back, or why it has gone back already."""
    gate, end_s = Gate(before, time.monotonic(), job.settle_s), time.monotonic() + job.for_s
    while (now_s := time.monotonic()) < end_s:
        if not job.kept.waits:
            return None if job.kept.current() == pending.new else _last_word(job.kept)
        if (why := gate.look(now_s, peek(job.socket), serving_pid(job.socket))) is not None:
            return why
        time.sleep(LOOK_S)
    return gate.end()


def _kept_for_good(job: Job) -> str | None:
    """Confirmed and tidied; why it has gone back instead."""
    try:
        if job.kept.waits:
            job.kept.confirm(say("as well as before for {s:.0f} s", s=job.for_s))
        with job.kept.installing():
            job.kept.tidy()
    except Refused:
        return _last_word(job.kept) if job.kept.history.events()[-1]["what"] == "reverted" else None
    return None


def _last_word(kept: Releases) -> str:
    """Why somebody else took it back."""
    return str(kept.history.events()[-1].get("why", ""))


def looked(path: Path) -> Before:
    """How the agent is, over some seconds: asked before anything is switched."""
    if peek(path) is None:
        return Before(None)
    looks: list[dict[str, Any]] = []
    end_s = time.monotonic() + SNAPSHOT_S
    while time.monotonic() < end_s:
        if (state := peek(path)) is not None:
            looks.append(state)
        time.sleep(LOOK_S / 2)
    if not looks:
        return Before(None)
    return Before(looks[-1], sum(each["spat"]["valid"] for each in looks) / len(looks))


def back(kept: Releases, version: str | None) -> str | None:
    """The version that is in place now; None: nothing to go back from. Raises Refused, OSError."""
    if version is not None:
        kept.put(version, say("asked for"))
        return version
    gone = kept.revert(say("asked for"))
    return None if gone is None else gone.old


def restarted(command: list[str]) -> None:
    """The service starts anew. Raises OSError where the command fails."""
    if not command:
        return
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        why = done.stderr.strip()[-200:] or done.returncode
        raise OSError(say("{command} fails: {why}", command=" ".join(command), why=why))


def loaded() -> int:
    """How many of the modules that matter load. Raises BadRelease."""
    for name in CRITICAL:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise BadRelease("preflight", f"{name}: {error}") from None
    return len(CRITICAL)


def key_made(file: Path) -> Path:
    """A new private key in `file`; where its public half lies. Raises OSError."""
    from rsu_agent.cli.command_sent import make_key  # MQTT comes with it

    public = file.with_name(f"{file.name}.pub")
    text = make_key(file)
    public.write_text(text + "\n")
    return public


def packed(
    folder: Path, version: str, counters: tuple[int, int], arch: str, key_file: Path, out: Path
) -> Release:
    """The release file of a folder. counters: its own, and the lowest it follows on. Raises BadRelease."""
    if not (folder / installs.PROGRAM).is_file():
        raise BadRelease("content", say("{folder}: no release, it has no bin/rsu", folder=folder))
    try:
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise BadRelease("key", f"{key_file}: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadRelease("key", say("{file}: no Ed25519 key: rsu update keygen makes one", file=key_file))
    told = told_of(folder, version, counters[0], arch=arch, from_counter=counters[1])
    return pack(folder, told, signed(told, key), out)


def tried(act: Callable[[], Result], as_json: bool) -> Result:
    """What `act` gives; its refusals end the program in plain words."""
    try:
        return act()
    except BadRelease as bad:
        code = Exit.CHECK_FAILED if bad.code == "preflight" else Exit.INVALID
        stop(code, say("{why}; nothing was changed", why=bad), as_json=as_json, reason=bad.code)
    except Refused as refused:
        stop(Exit.USAGE, str(refused), as_json=as_json, reason="refused")
    except installs.NoRoom as full:
        stop(Exit.TEMPORARY, str(full), as_json=as_json, reason="disk")
    except OSError as error:
        text = f"{error.filename}: {because(error)}" if error.filename else because(error)
        stop(code_of(error), text, as_json=as_json, reason="system")
