"""Whether a new release does as well as the one before: looks in, a reason to go back out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rsu_agent.cli.config_apply import worse_than
from rsu_agent.settings.language import say

SETTLE_S = 60.0  # after the switch: processes start, devices open, a plan is learnt
BAD_S = 30.0  # worse for so long is no hiccup
ACKS_S = 120.0  # records wait and none is acknowledged
MOST_ENDS = 2  # of the core, once settled
SHARE_LOSS = 0.05  # of the looks that found SPaT valid


@dataclass(frozen=True, slots=True)
class Before:
    """How the agent was: its last state and the share of looks with a valid SPaT; None: nobody answered."""

    state: dict[str, Any] | None
    share: float = 0.0


@dataclass(slots=True)
class Gate:
    """From the switch at `start_s` on. `look` gives a reason to go back at once, `end` one at the end."""

    before: Before
    start_s: float
    settle_s: float = SETTLE_S
    looks: int = 0
    valid: int = 0
    ends: int = 0
    bad_since_s: float | None = None
    _pid: int | None = None
    _acked: tuple[int, float] = field(default=(-1, 0.0))

    def look(self, now_s: float, state: dict[str, Any] | None, pid: int | None) -> str | None:
        """state: as `rsu status` tells, None where nobody answers; pid: of who answers."""
        if now_s < self.start_s + self.settle_s:
            self._pid = pid or self._pid
            return None
        self.looks += 1
        self.valid += bool(state and state["spat"]["valid"])
        if pid is not None and self._pid is not None and pid != self._pid:
            self.ends += 1
        self._pid = pid or self._pid
        if self.ends > MOST_ENDS:
            return say("the core has ended {ends} times", ends=self.ends)
        worse = self._worse(now_s, state)
        if not worse:
            self.bad_since_s = None
        elif self.bad_since_s is None:
            self.bad_since_s = now_s
        elif now_s - self.bad_since_s >= BAD_S:
            return "; ".join(worse)
        return None

    def end(self) -> str | None:
        """The time is over."""
        if self.bad_since_s is not None:
            return say("it is worse than before at the end of the trial")
        share = self.valid / self.looks if self.looks else 0.0
        if self.before.state is not None and share < self.before.share - SHARE_LOSS:
            return say(
                "SPaT valid in {share:.0%} of the looks, {before:.0%} before",
                share=share,
                before=self.before.share,
            )
        return None

    def _worse(self, now_s: float, state: dict[str, Any] | None) -> list[str]:
        if state is None:
            return [say("the agent does not answer")]
        if self.before.state is None:
            return []
        worse = worse_than(self.before.state, state)
        uplink, was = state.get("uplink") or {}, self.before.state.get("uplink") or {}
        acked = int(uplink.get("acked") or 0)
        if acked != self._acked[0] or not uplink.get("backlog"):
            self._acked = (acked, now_s)
        elif was.get("connected") and now_s - self._acked[1] >= ACKS_S:
            worse.append(say("uplink: records wait and none is acknowledged"))
        return worse
