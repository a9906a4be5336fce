"""What the page has seen since it began: changes of lamps, figures every five seconds, events. Sans-IO."""

from __future__ import annotations

from collections import deque
from typing import Any

LAMPS_S = 180.0  # history of lamps that is told: two cycles
PERIOD_S = 5.0  # between two figures
FIGURES = 720  # an hour
EVENTS = 300
UNHEARD = "unheard"  # a lamp of which nothing was heard
FRESH_S = 1.0
NAMES = ("users", "backlog", "age_s", "sent", "valid", "bound_ms")


class History:
    """Fed with every live event of the agent, None while it is silent. Monotonic seconds."""

    def __init__(self) -> None:
        self._lamps: dict[int, deque[tuple[float, str]]] = {}
        self._figures: deque[tuple[float, dict[str, float | None]]] = deque(maxlen=FIGURES)
        self._events: deque[tuple[float, str, str, str]] = deque(maxlen=EVENTS)
        self._states: dict[str, tuple[str, str]] = {}
        self._sent: tuple[float, int] | None = None

    def take(self, live: dict[str, Any] | None, now_s: float) -> None:
        """The newest live event, or None: the agent says nothing."""
        self._take_lamps({} if live is None else _lamps(live), now_s)
        if live is None:
            self._became("agent", "lost", "silent", now_s)
        else:
            spat = live["spat"]
            self._became("agent", "ok", "ok", now_s)
            self._became("SPAT", "ok" if spat["valid"] else "lost", spat["reason"] or "ok", now_s)
            for each in live["devices"]:
                self._became(each["device"], each["state"], each["reason"], now_s)
        if not self._figures or now_s - self._figures[-1][0] >= PERIOD_S:
            self._figures.append((now_s, self._measured(live, now_s)))

    def told(self, now_s: float) -> dict[str, Any]:
        """For the page; every instant as seconds before now."""
        rows = list(self._figures)
        return {
            "lamps": {
                str(group): [[round(now_s - at_s, 2), colour] for at_s, colour in told]
                for group, told in sorted(self._lamps.items())
            },
            "figures": {
                "ago_s": [round(now_s - at_s, 1) for at_s, _ in rows],
                **{name: [values[name] for _, values in rows] for name in NAMES},
            },
            "events": [
                {"ago_s": round(now_s - at_s, 1), "what": what, "state": state, "reason": reason}
                for at_s, what, state, reason in self._events
            ],
        }

    def _take_lamps(self, lamps: dict[int, str], now_s: float) -> None:
        for group in self._lamps.keys() | lamps.keys():
            told = self._lamps.setdefault(group, deque())
            colour = lamps.get(group, UNHEARD)
            if not told or told[-1][1] != colour:
                told.append((now_s, colour))
            while len(told) > 1 and told[1][0] < now_s - LAMPS_S:
                told.popleft()

    def _became(self, what: str, state: str, reason: str, now_s: float) -> None:
        if self._states.get(what) != (state, reason):
            self._states[what] = state, reason
            self._events.append((now_s, what, state, reason))

    def _measured(self, live: dict[str, Any] | None, now_s: float) -> dict[str, float | None]:
        if live is None:
            self._sent = None
            return dict.fromkeys(NAMES)
        before, self._sent = self._sent, (now_s, live["radio"]["sent"])
        rate = None
        if before is not None and self._sent[1] >= before[1]:  # the agent's restart begins anew
            rate = round((self._sent[1] - before[1]) / (now_s - before[0]), 2)
        return {
            "users": len(live["users"]),
            "backlog": (live["uplink"] or {}).get("backlog"),
            "age_s": live["signal"]["age_s"],
            "sent": rate,
            "valid": int(live["spat"]["valid"]),
            "bound_ms": live["clock"]["bound_ms"],
        }


def _lamps(live: dict[str, Any]) -> dict[int, str]:
    """Colours that were heard just now: old ones are not history, nobody knows what shone."""
    age_s = live["signal"]["age_s"]
    if age_s is None or age_s > FRESH_S:
        return {}
    return {group["group"]: group["colour"] for group in live["signal"]["groups"]}
