"""Installing a release: nothing is changed until it is known to be ours, whole, and to start here.

Check it, unpack it beside, rename, let it try itself, switch. Killed anywhere, `current` leads to a whole.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from rsu_agent.settings.durable import Refused, sync_folder
from rsu_agent.settings.language import say
from rsu_agent.settings.release_file import BadRelease, Release, opened, unfit, unpack, verify
from rsu_agent.settings.releases import COMPLETE, Pending, Releases, half

SPARE = 200 << 20  # bytes that stay free for the outbox and the journal
A_FILE = 4096  # bytes of disk that a file wastes at most, about
TRY_S = 120.0  # each word of the new release's own trial
PROGRAM = "bin/rsu"

Trial = Callable[[Path, Release], None]


class NoRoom(OSError):
    """The disk is too full."""


def check(kept: Releases, file: Path, keys: dict[str, Ed25519PublicKey]) -> tuple[Release, str]:
    """(release, key's name) of a file that could be installed; all of it is read. Raises BadRelease."""
    with opened(file, keys) as archive:
        _may_come(kept, archive.release)
        verify(archive)
        return archive.release, archive.key


def install(
    kept: Releases,
    file: Path,
    keys: dict[str, Ed25519PublicKey],
    trial: Trial,
    seconds: float,
    restart: list[str],
) -> Pending:
    """The release is in place and waits to be found good. Raises BadRelease, Refused, NoRoom, OSError."""
    with kept.installing():
        if kept.waits:
            raise Refused(
                say("another release waits: rsu update confirm, or rsu update rollback, comes first")
            )
        if not os.access(kept.keeper, os.X_OK):
            text = say("{keeper} is missing: nobody could take a release back; run deploy/install once")
            raise Refused(text.format(keeper=kept.keeper))
        with opened(file, keys) as archive:
            release = archive.release
            _may_come(kept, release)
            folder = kept.folder / release.version
            fresh = not folder.exists()
            if fresh:
                kept.tidy()
                _has_room(kept.folder, release)
                unpack(archive, half(folder))
                os.replace(half(folder), folder)
                sync_folder(kept.folder)
        try:
            trial(folder, release)
        except BadRelease:
            if fresh:
                kept.drop(release.version)
            raise
        return kept.switch(release.version, seconds, restart)


def trial_with(site: Path) -> Trial:
    """The new release's own words: its version, what it thinks of the site file, whether all of it loads."""

    def trial(folder: Path, release: Release) -> None:
        for words in _words(site):
            said = _said(folder, words)
            if words == ["--version"] and said != release.version:
                text = say("it calls itself {said:.40}, not {version}", said=said, version=release.version)
                raise BadRelease("preflight", text)

    return trial


def _words(site: Path) -> Iterator[list[str]]:
    yield ["--version"]
    yield ["update", "preflight", "--json"]
    if site.exists():  # a box without one has nothing that could break
        yield ["config", "check", str(site)]


def _said(folder: Path, words: list[str]) -> str:
    """What the release's own program answers. Raises BadRelease."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8"}
    shown = "rsu " + " ".join(words)
    try:
        done = subprocess.run(
            [folder / PROGRAM, *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TRY_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        text = say("the new release does not run here ({words}: {error})", words=shown, error=error)
        raise BadRelease("preflight", text) from None
    if done.returncode:
        why = (done.stderr.strip() or done.stdout.strip())[-400:]
        text = say("the new release fails: {words}: {why}", words=shown, why=why or done.returncode)
        raise BadRelease("preflight", text)
    return done.stdout.strip()


def _may_come(kept: Releases, release: Release) -> None:
    if (bad := unfit(release)) is not None:
        raise bad
    counter, there = kept.counter(), kept.folder / release.version
    if release.counter < counter:
        raise BadRelease("downgrade", _older(release, counter))
    if release.from_counter > counter:
        text = say("it follows on {wanted}, here is {counter}: install one between first")
        raise BadRelease("too_far", text.format(wanted=release.from_counter, counter=counter))
    if not there.exists():
        return
    mark = there / COMPLETE
    if not mark.exists() or mark.read_text().strip() != release.digest:
        text = say("version {version} is there with other content: a release needs a version of its own")
        raise BadRelease("other_content", text.format(version=release.version))
    if kept.current() == release.version:
        raise BadRelease("same", say("version {version} is in place already", version=release.version))


def _older(release: Release, counter: int) -> str:
    return say(
        "it is older ({given}) than what was found good here ({counter}): rsu update rollback goes back",
        given=release.counter,
        counter=counter,
    )


def _has_room(folder: Path, release: Release) -> None:
    needed = release.size + A_FILE * len(release.members) + SPARE
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise NoRoom(
            say("{needed} MB are needed, {free} are free: rsu update status lists what is kept").format(
                needed=needed >> 20, free=free >> 20
            )
        )
