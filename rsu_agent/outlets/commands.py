"""Whether a command is obeyed: size, flood, signature, site, clock, time, number, kind, in this order.

Refused before the signature is known to be the district's: counted, and audited in bulk. After it: answered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from rsu_agent.outlets.bucket import Bucket
from rsu_agent.outlets.command_memory import CommandMemory
from rsu_agent.ports.command import BadCommand, Command, read_body, signed_by, unseal

LONGEST_US = 3_600_000_000  # a command holds for an hour at most: what is older is asked for again
PER_SECOND, AT_ONCE = 10.0, 30  # commands that are looked at; a signature costs a tenth of a millisecond
AUDIT_EVERY_S = 60.0  # refusals of one code, of senders that nobody knows, in one record
CHECKS: dict[str, str] = {"ping": "cmd", "report": "cmd", "live_lease": "live", "map": "cfg", "model": "cfg"}
FORBIDDEN = {"still"}  # a picture is asked for by people of the box, never from outside


@dataclass(frozen=True, slots=True)
class Refused:
    """Why not. command None: it is not known to be the district's, and is not answered.

    before: (result, code) of the same number, where that is remembered. used: its number is used up, so that
    it cannot come again; what is not can be sent again and again by whoever has listened.
    """

    code: str
    command: Command | None = None
    before: tuple[str, str] | None = None
    used: bool = False


class Gate:
    """One site's. key None: nobody may command."""

    def __init__(self, site: str, key: Ed25519PublicKey | None, memory: CommandMemory) -> None:
        self._site, self._key, self._memory = site, key, memory
        self._flood: Bucket | None = None
        self.counters: Counter[str] = Counter()

    def clock(self, utc_us: int) -> None:
        """Our clock is trusted: a new memory begins now."""
        self._memory.begin(utc_us)

    def judge(self, data: bytes, where: str, now_s: float, utc_us: int | None) -> Command | Refused:
        """One message of the topic dn/{where}. utc_us: None while our clock is not trusted.

        A command that is given back is taken: its number is used up on disk. Raises OSError when that fails.
        """
        told = self._judged(data, where, now_s, utc_us)
        self.counters[told.code if isinstance(told, Refused) else "taken"] += 1
        return told

    def _judged(self, data: bytes, where: str, now_s: float, utc_us: int | None) -> Command | Refused:
        if self._flood is None:
            self._flood = Bucket(PER_SECOND, AT_ONCE, now_s)
        if not self._flood.take(1.0, now_s):
            return Refused("flood")
        if self._key is None:
            return Refused("no_key")
        try:
            body, signature = unseal(data)
        except BadCommand as bad:
            return Refused(bad.code)
        if not signed_by(self._key, body, signature):
            return Refused("bad_signature")
        try:
            command = read_body(body)
        except BadCommand as bad:
            return Refused(bad.code)
        return self._timely(command, where, utc_us)

    def _timely(self, command: Command, where: str, utc_us: int | None) -> Command | Refused:
        """Of a command that the district has signed, for somebody."""
        if command.site != self._site:
            return Refused("wrong_site", command)
        if utc_us is None:
            return Refused("no_clock", command)
        self._memory.begin(utc_us)
        if command.seq <= self._memory.highest:
            return Refused("replay", command, self._memory.answer(command.seq))
        if utc_us >= command.expires_us:
            return Refused("expired", command)
        if utc_us < command.not_before_us:
            return Refused("too_early", command)
        if command.expires_us - command.not_before_us > LONGEST_US:
            return Refused("too_long", command)
        if command.not_before_us < (self._memory.since_us or 0):
            return Refused("new_memory", command)
        self._memory.take(command.seq)
        if command.kind in FORBIDDEN:
            return Refused("not_allowed", command, used=True)
        if command.kind not in CHECKS:
            return Refused("unknown_kind", command, used=True)
        if CHECKS[command.kind] != where:
            return Refused("wrong_topic", command, used=True)
        return command


class Bulk:
    """Refusals that can come again and again: one record a code and minute, with the count."""

    def __init__(self, audit: Callable[[dict[str, Any]], object]) -> None:
        self._audit = audit
        self._waiting: Counter[str] = Counter()
        self._told_s: dict[str, float] = {}

    def refused(self, code: str, now_s: float, utc_us: int) -> None:
        """One more."""
        self._waiting[code] += 1
        if now_s - self._told_s.get(code, -AUDIT_EVERY_S) >= AUDIT_EVERY_S:
            self._tell(code, now_s, utc_us)

    def due(self, now_s: float, utc_us: int) -> None:
        """Call about once a second: what has waited long enough."""
        for code in list(self._waiting):
            if now_s - self._told_s[code] >= AUDIT_EVERY_S:
                self._tell(code, now_s, utc_us)

    def _tell(self, code: str, now_s: float, utc_us: int) -> None:
        self._told_s[code] = now_s
        self._audit(audit_record(None, "refused", code, utc_us, self._waiting.pop(code)))


def audit_record(
    command: Command | None, result: str, code: str, utc_us: int, count: int = 1, detail: str = ""
) -> dict[str, Any]:
    """For the district's own books. command None: none that could be trusted."""
    seq, kind = (None, None) if command is None else (command.seq, command.kind)
    record = {"k": "audit", "t": utc_us, "q": seq, "c": kind, "r": result, "w": code, "n": count}
    return record | ({"d": detail} if detail else {})
