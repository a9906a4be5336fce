"""Generations of the site file: a change that nobody confirms goes back by itself, whatever dies meanwhile.

Standard library only: the parent process looks at it. At every instant the site file is wholly the old or
wholly the new one, and what is pending says on disk how it ends:

    begin: generation of what is there, generation of what comes, `pending.json`, then the site file
    confirm: `pending.json` goes; revert: the old site file, read back, then `pending.json` goes

So a kill, a power cut or a lost line leads to the old file until somebody has confirmed, and to the new one
afterwards. The deadline is kept twice, as wall clock and as seconds since this boot, because clocks step.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rsu_agent.settings.durable import Deadline, History, Refused, after, alone, sync_folder
from rsu_agent.settings.durable import write as _write

__all__ = ["CONFIRM_S", "KEPT", "Generations", "Pending", "Refused"]
KEPT = 20  # generations
CONFIRM_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending(Deadline):
    """A change that waits for its confirmation."""

    old: int
    new: int
    site: str


class Generations:
    """folder: `config` below the agent's state."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pending = folder / "pending.json"
        self._history = History(folder)

    @property
    def waits(self) -> bool:
        """Whether anything waits for a confirmation; costs a look."""
        return self._pending.exists()

    def pending(self) -> Pending | None:
        """What waits for a confirmation; None: nothing."""
        try:
            told = json.loads(self._pending.read_text())
            return Pending(**told)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise Refused(f"{self._pending} cannot be read ({error}): look at it, then remove it") from None

    def begin(self, site: Path, text: bytes, confirm_s: float = CONFIRM_S) -> Pending:
        """Put `text` in the site file's place until it is confirmed or its time is over.

        The same text again while it is pending extends the time. Raises Refused, OSError.
        """
        with alone(self.folder):
            site, pending = site.resolve(), self.pending()
            if pending is not None and self.text(pending.new) != text:
                raise Refused("another change waits: rsu config confirm, or rsu config rollback, comes first")
            if pending is None:
                old = self._kept(site.read_bytes())
                pending = self._until(old, self._next(text), str(site), confirm_s)
            else:
                pending = self._until(pending.old, pending.new, pending.site, confirm_s)
            _write(self._pending, json.dumps(asdict(pending)).encode())
            _write(site, text)
            self.note("applied", pending.new, old=pending.old, confirm_s=confirm_s)
            return pending

    def confirm(self) -> Pending:
        """What is pending holds. Raises Refused, OSError."""
        with alone(self.folder):
            pending = self.pending()
            if pending is None:
                raise Refused("nothing waits for a confirmation")
            if Path(pending.site).read_bytes() != self.text(pending.new):
                raise Refused("the site file is not the one that waits: somebody has changed it")
            self._done()
            self.note("confirmed", pending.new)
            return pending

    def revert(self, why: str) -> Pending | None:
        """The old site file again, where something is pending. Raises Refused, OSError."""
        with alone(self.folder):
            pending = self.pending()
            if pending is None:
                return None
            site, text = Path(pending.site), self.text(pending.old)
            _write(site, text)
            if site.read_bytes() != text:
                raise OSError(f"{site} does not hold what was written")
            self._done()
            self.note("reverted", pending.old, new=pending.new, why=why)
            return pending

    def revert_if_due(self) -> Pending | None:
        """Go back when nobody has confirmed in time."""
        pending = self.pending()
        return self.revert("not confirmed in time") if pending is not None and pending.is_due() else None

    def history(self) -> list[dict[str, Any]]:
        """What was done, the newest last."""
        return self._history.events()

    def numbers(self) -> list[int]:
        """Generations that are kept, the oldest first."""
        return sorted(int(path.stem) for path in self.folder.glob("[0-9]*.yaml") if path.stem.isdecimal())

    def text(self, number: int) -> bytes:
        """A generation's site file. Raises Refused."""
        try:
            return self._file(number).read_bytes()
        except FileNotFoundError:
            kept = ", ".join(map(str, self.numbers())) or "none"
            raise Refused(f"generation {number} is not kept; there are: {kept}") from None

    def note(self, what: str, number: int, **more: Any) -> None:
        """A line of the history."""
        self._history.note(what=what, generation=number, **more)

    def _kept(self, text: bytes) -> int:
        """The number of this text: the newest, where it is that; so what is pending is never let go."""
        numbers = self.numbers()
        return numbers[-1] if numbers and self.text(numbers[-1]) == text else self._next(text)

    def _next(self, text: bytes) -> int:
        numbers = self.numbers()
        number = numbers[-1] + 1 if numbers else 1
        _write(self._file(number), text)
        for old in numbers[: -KEPT + 1]:
            self._file(old).unlink(missing_ok=True)
        return number

    def _file(self, number: int) -> Path:
        return self.folder / f"{number:06d}.yaml"

    def _until(self, old: int, new: int, site: str, confirm_s: float) -> Pending:
        return Pending(old=old, new=new, site=site, **after(confirm_s))

    def _done(self) -> None:
        self._pending.unlink()
        sync_folder(self.folder)
