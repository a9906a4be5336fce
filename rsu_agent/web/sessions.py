"""Who is in, and who has to wait before the next try. Sans-IO: time comes in."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass

IDLE_S = 15 * 60.0
LONGEST_S = 12 * 3600.0
MOST_SESSIONS = 64
FAILURES, WITHIN_S = 5, 15 * 60.0  # so many wrong passwords in so long, and the account waits
FIRST_WAIT_S, LONGEST_WAIT_S = 60.0, 3600.0
MOST_NAMES = 1000


@dataclass(slots=True)
class Session:
    """Somebody who is in. mark: changes with the password."""

    name: str
    mark: str
    began_s: float
    used_s: float


class Sessions:
    """Kept in memory: a restart of the page ends them all. The tokens themselves are not kept."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, Session] = OrderedDict()

    def begin(self, name: str, mark: str, now_s: float) -> str:
        """A token for the cookie."""
        token = secrets.token_urlsafe(32)
        self._open[_hash(token)] = Session(name, mark, now_s, now_s)
        while len(self._open) > MOST_SESSIONS:
            self._open.popitem(last=False)
        return token

    def of(self, token: str, now_s: float, *, used: bool) -> Session | None:
        """Whose token it is; None: nobody's, or idle for too long. used: by a person, not by a clock."""
        session = self._open.get(_hash(token))
        if session is None:
            return None
        if now_s - session.used_s > IDLE_S or now_s - session.began_s > LONGEST_S:
            self.end(token)
            return None
        if used:
            session.used_s = now_s
        return session

    def end(self, token: str) -> None:
        """Out."""
        self._open.pop(_hash(token), None)


@dataclass(slots=True)
class _Tries:
    failed: list[float]
    until_s: float = 0.0
    wait_s: float = FIRST_WAIT_S


class LockOut:
    """Wrong passwords, by name, whether there is such an account or not; each wait is twice the last."""

    def __init__(self) -> None:
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def left_s(self, name: str, now_s: float) -> float:
        """How long this name has to wait yet; 0: not."""
        tries = self._tries.get(name)
        return 0.0 if tries is None else max(0.0, tries.until_s - now_s)

    def failed(self, name: str, now_s: float) -> bool:
        """A wrong password; True: now the name has to wait."""
        tries = self._tries.setdefault(name, _Tries([]))
        self._tries.move_to_end(name)
        while len(self._tries) > MOST_NAMES:
            self._tries.popitem(last=False)
        tries.failed = [at_s for at_s in tries.failed if now_s - at_s < WITHIN_S] + [now_s]
        if len(tries.failed) < FAILURES:
            return False
        tries.failed, tries.until_s = [], now_s + tries.wait_s
        tries.wait_s = min(LONGEST_WAIT_S, 2 * tries.wait_s)
        return True

    def right(self, name: str) -> None:
        """The right password: all is forgotten."""
        self._tries.pop(name, None)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
