"""Releases side by side and the link `current`: a release that nobody finds good goes back by itself.

Standard library only. Packed with durable.py into one file outside the releases (settings/keeper.py), it
counts the starts and keeps the deadline without any release's code: `rsu-release start | tick | status`.

    ROOT/releases/VERSION, ROOT/current -> releases/VERSION, ROOT/update/{pending,counter}.json and more
    switch: pending.json, then the link; confirm: pending.json goes; revert: the link, then pending.json goes
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rsu_agent.settings.durable import Deadline, History, Refused, after, alone, sync_folder, write

ROOT = Path("/opt/rsu-agent")
KEPT = 2  # old releases beside the current one
MOST_STARTS = 4  # of the service since the switch: the first, and three that did not last
KEEPER = "rsu-release"
TOLD, COMPLETE = "release.json", ".complete"  # what a release says of itself; its digest, written last


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending(Deadline):
    """A release that waits to be found good. restart: the command that starts the service again."""

    old: str
    new: str
    counter: int
    restart: list[str]


class Releases:
    """root: what `current` and `releases` lie in."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root, self.folder, self.state = root, root / "releases", root / "update"
        self.keeper, self.link = root / KEEPER, root / "current"
        self.history = History(self.state)
        self._pending, self._starts = self.state / "pending.json", self.state / "starts"
        self._counter = self.state / "counter.json"

    def current(self) -> str | None:
        """The version that the link leads to; None: there is none."""
        try:
            return Path(os.readlink(self.link)).name
        except OSError:
            return None

    def versions(self) -> list[str]:
        """What is installed whole, the newest last."""
        found = [each for each in self.folder.glob("[!.]*") if each.is_dir()]
        return [each.name for each in sorted(found, key=lambda each: (each.stat().st_mtime, each.name))]

    def told(self, version: str) -> dict[str, Any]:
        """What a release says of itself; nothing where deploy/install made it."""
        try:
            told = json.loads((self.folder / version / TOLD).read_text())
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def counter(self) -> int:
        """The highest counter that was found good: what is lower is not installed."""
        kept = 0
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            kept = int(json.loads(self._counter.read_text())["counter"])
        return max(kept, int(self.told(self.current() or "").get("counter", 0)) if not self.waits else 0)

    @property
    def waits(self) -> bool:
        """Whether a release waits to be found good."""
        return self._pending.exists()

    def pending(self) -> Pending | None:
        """What waits to be found good. Raises Refused."""
        try:
            return Pending(**json.loads(self._pending.read_text()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise Refused(f"{self._pending} cannot be read ({error}): look at it, then remove it") from None

    def starts(self) -> int:
        """Of the service since the switch."""
        try:
            return int(self._starts.read_text())
        except (OSError, ValueError):
            return 0

    def switch(self, new: str, seconds: float, restart: list[str]) -> Pending:
        """Let `current` lead to `new`, until it is found good or its time is over. Raises Refused."""
        with alone(self.state):
            old = self.current()
            if self.waits:
                raise Refused(
                    "another release waits: rsu update confirm, or rsu update rollback, comes first"
                )
            if old is None or not (self.folder / old).is_dir():
                raise Refused(f"{self.link} leads to no release: nothing could be gone back to")
            counter = max(self.counter(), int(self.told(new).get("counter", 0)))
            pending = Pending(old=old, new=new, counter=counter, restart=restart, **after(seconds))
            write(self._starts, b"0")
            write(self._pending, json.dumps(asdict(pending)).encode())
            self._lead_to(new)
            self.history.note(what="installed", release=new, old=old, seconds=seconds)
            return pending

    def confirm(self, why: str) -> Pending:
        """What waits is good: it stays, and nothing older is installed after it. Raises Refused, OSError."""
        with alone(self.state):
            pending = self.pending()
            if pending is None:
                raise Refused("no release waits to be found good")
            if self.current() != pending.new:
                raise Refused(f"{self.link} does not lead to {pending.new}: somebody has changed it")
            write(self._counter, json.dumps({"counter": pending.counter}).encode())
            self._done()
            self.history.note(what="good", release=pending.new, why=why)
            return pending

    def revert(self, why: str) -> Pending | None:
        """The old release again, where one waits. Raises Refused, OSError."""
        with alone(self.state):
            pending = self.pending()
            if pending is None:
                return None
            self._lead_to(pending.old)
            if self.current() != pending.old:
                raise OSError(f"{self.link} does not lead to {pending.old}")
            self._done()
            self.history.note(what="reverted", release=pending.old, new=pending.new, why=why)
            return pending

    def put(self, version: str, why: str) -> str | None:
        """An installed release at once, by a person's word; the one before. Raises Refused, OSError."""
        with alone(self.state):
            if self.waits:
                raise Refused("a release waits: rsu update rollback without a version takes it back")
            if version not in self.versions():
                raise Refused(f"{version} is not installed; there are: {', '.join(self.versions())}")
            before = self.current()
            self._lead_to(version)
            self.history.note(what="put back", release=version, old=before, why=why)
            return before

    def revert_if_due(self) -> Pending | None:
        """Go back when nobody has found it good in time."""
        pending = self.pending()
        if pending is None or not pending.is_due():
            return None
        return self.revert("not found good in time, or the machine has restarted")

    def started(self) -> Pending | None:
        """The service is about to start: count it; what was taken back, where it does not last or is due."""
        if not self.waits:
            return None
        if (gone := self.revert_if_due()) is not None:
            return gone
        count = self.starts() + 1
        write(self._starts, str(count).encode())
        return self.revert(f"it was started {count} times") if count > MOST_STARTS else None

    @contextmanager
    def installing(self) -> Iterator[None]:
        """The only installation on this machine. Raises Refused, OSError."""
        self.state.mkdir(parents=True, exist_ok=True)
        with (self.state / "install.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Refused("another installation runs: wait for its end") from None
            yield

    def drop(self, version: str) -> None:
        """Remove a release that nothing leads to: under its name it is whole or not there."""
        gone = half(self.folder / version)
        shutil.rmtree(gone, ignore_errors=True)
        os.replace(self.folder / version, gone)
        sync_folder(self.folder)
        shutil.rmtree(gone)

    def tidy(self) -> list[str]:
        """Remove half releases and those that are too old; what was removed. Within `installing` only."""
        with alone(self.state):
            pending = self.pending()
            needed = {self.current(), *([] if pending is None else [pending.old, pending.new])}
            old = [each for each in self.versions() if each not in needed]
            gone = old[: max(0, len(old) - KEPT)]
            for version in gone:
                self.drop(version)
            for rest in self.folder.glob(".*.partial"):
                shutil.rmtree(rest)
            return gone

    def _lead_to(self, version: str) -> None:
        """A link made beside and renamed over: it always leads to a whole release."""
        new = self.root / ".current.new"
        new.unlink(missing_ok=True)
        new.symlink_to(f"releases/{version}")
        os.replace(new, self.link)
        sync_folder(self.root)

    def _done(self) -> None:
        self._pending.unlink()
        sync_folder(self.state)


def half(release: Path) -> Path:
    """The name of a release that is not whole (yet, or any more)."""
    return release.with_name(f".{release.name}.partial")


def main(arguments: list[str] | None = None) -> int:
    """`rsu-release start` before each start of the service, `tick` by a timer; neither ever keeps it down."""
    parser = argparse.ArgumentParser(prog=KEEPER, description="Takes a release back that nobody found good.")
    parser.add_argument("what", choices=["start", "tick", "status"])
    parser.add_argument("--root", type=Path, default=ROOT)
    options = parser.parse_args(arguments)
    kept = Releases(options.root)
    try:
        for words in _kept(kept, options.what):
            print(words)
    except (Refused, OSError) as error:
        print(f"{KEEPER}: {error}", file=sys.stderr)
        return 1
    return 0


def _kept(kept: Releases, what: str) -> Iterator[str]:
    if what == "status":
        pending = kept.pending()
        yield json.dumps({"current": kept.current(), "pending": pending and pending.new})
        return
    gone = kept.started() if what == "start" else kept.revert_if_due()
    if gone is None:
        return
    yield f"{gone.new} was not found good: {gone.old} is in place again"
    if what == "tick" and gone.restart:
        subprocess.run(gone.restart, check=False)


if __name__ == "__main__":
    sys.exit(main())
