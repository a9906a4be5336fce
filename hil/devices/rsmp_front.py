"""The virtual controller as an RSMP site: dials in, tells its statuses to who has subscribed. Sans-IO."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hil.devices.controller_view import ControllerView

LARGEST = 65_536
# One character a group (signal exchange list, signal group status): what each colour is told as
CHARACTERS = {
    "dark": "a", "yellow_flash": "c", "red_flash": "d", "red": "B", "red_yellow": "0", "green": "4",
    "green_flash": "9", "yellow": "N",
}  # fmt: skip


@dataclass(frozen=True)
class RsmpManners:
    """How this site behaves."""

    versions: tuple[str, ...] = ("3.1.5", "3.2.2")
    sxl: str = "1.1"
    site: str = "RN+SI0001"
    component: str = "RN+SI0001=001TC000"
    watchdog_s: float = 10.0


class RsmpFront:
    """Handshake, then statuses: repeated at the rate asked for, and at once when they change."""

    def __init__(self, view: ControllerView, manners: RsmpManners, _seed: int = 1) -> None:
        self._view, self._manners = view, manners
        self._held = b""
        self._out: list[bytes] = []
        self._met = self._alive = False
        self._watchdog_s: float | None = None
        self._subscribed: dict[tuple[str, str], tuple[float, bool]] = {}  # rate, on change
        self._told: dict[tuple[str, str], tuple[str, float]] = {}
        self._kept: dict[str, str] | None = None
        self.writes = 0

    @property
    def frozen(self) -> bool:
        """Whether statuses stand still."""
        return self._kept is not None

    @frozen.setter
    def frozen(self, on: bool) -> None:
        self._kept = {} if on else None

    def opened(self, now_s: float) -> None:  # noqa: ARG002
        """Say who we are."""
        self.closed()
        versions = [{"vers": version} for version in self._manners.versions]
        sites = [{"sId": self._manners.site}]
        self._say("Version", RSMP=versions, siteId=sites, SXL=self._manners.sxl)
        self._watchdog_s = None

    def closed(self) -> None:
        """Forget the supervisor."""
        self._held, self._out = b"", []
        self._met = self._alive = False
        self._subscribed, self._told, self._watchdog_s = {}, {}, None

    def hear(self, data: bytes, now_s: float) -> None:
        """Messages end with a form feed."""
        *whole, self._held = (self._held + data).split(b"\x0c")
        self._held = self._held[:LARGEST]
        for text in whole:
            try:
                message = json.loads(text)
            except ValueError:
                continue
            if isinstance(message, dict) and isinstance(message.get("type"), str):
                self._message(message, now_s)

    def changed(self, _groups: list[int], now_s: float) -> list[bytes]:
        """Statuses that somebody wants to know at once."""
        self._statuses(now_s, changed=True)
        return self._taken()

    def due(self, now_s: float) -> list[bytes]:
        """Answers, the watchdog, statuses whose time has come."""
        if self._watchdog_s is not None and now_s >= self._watchdog_s:
            self._watchdog_s = now_s + self._manners.watchdog_s
            self._say("Watchdog", wTs=self._stamp(now_s))
        self._statuses(now_s, changed=False)
        return self._taken()

    def next_s(self) -> float | None:
        """The next of them."""
        due = [0.0] if self._out else []
        due += [at_s for at_s in (self._watchdog_s,) if at_s is not None]
        due += [
            self._told.get(key, ("", 0.0))[1] + rate_s
            for key, (rate_s, _) in self._subscribed.items()
            if rate_s
        ]
        return min(due, default=None)

    def _taken(self) -> list[bytes]:
        out, self._out = self._out, []
        return out

    def _say(self, kind: str, **fields: Any) -> None:
        message = {"mType": "rSMsg", "type": kind, "mId": str(uuid.uuid4()), **fields}
        if kind.endswith("Ack"):
            del message["mId"]
        self._out.append(json.dumps(message).encode() + b"\x0c")

    def _message(self, message: dict[str, Any], now_s: float) -> None:
        kind, own_id = message["type"], message.get("mId")
        if kind in ("MessageAck", "MessageNotAck"):
            return
        if kind == "CommandRequest":
            self.writes += 1
            self._say("MessageNotAck", oMId=own_id, rea="commands are not taken here")
            return
        self._say("MessageAck", oMId=own_id)
        if kind == "Version" and not self._met:
            self._met, self._watchdog_s = True, now_s
        elif kind == "Watchdog" and not self._alive:
            self._alive = True
            self._say(
                "AggregatedStatus", ntsOId="", xNId="", cId=self._manners.component, aSTS=self._stamp(now_s),
                fP=None, fS=None, se=[False] * 5 + [True, False, False],
            )  # fmt: skip
        elif kind == "StatusSubscribe":
            self._subscribe(message)

    def _subscribe(self, message: dict[str, Any]) -> None:
        for row in message.get("sS", []):
            key = str(row.get("sCI")), str(row.get("n"))
            if key in VALUES and message.get("cId") == self._manners.component:
                self._subscribed[key] = float(row.get("uRt", 0) or 0), row.get("sOc") is True

    def _statuses(self, now_s: float, *, changed: bool) -> None:
        rows = []
        for key, (rate_s, on_change) in self._subscribed.items():
            value = self._value(key, now_s)
            before, told_s = self._told.get(key, (None, float("-inf")))
            due = (rate_s and now_s - told_s >= rate_s) or before is None
            if due or (on_change and value != before and (changed or key[1] != "cyclecounter")):
                self._told[key] = value, now_s
                rows.append({"sCI": key[0], "n": key[1], "s": value, "q": "recent"})
        if rows:
            self._say(
                "StatusUpdate",
                ntsOId="",
                xNId="",
                cId=self._manners.component,
                sTs=self._stamp(now_s),
                sS=rows,
            )

    def _value(self, key: tuple[str, str], now_s: float) -> str:
        name = "/".join(key)
        if self._kept is not None and name in self._kept:
            return self._kept[name]
        value = VALUES[key](self._view, now_s)
        if self._kept is not None:
            self._kept[name] = value
        return value

    def _stamp(self, now_s: float) -> str:
        moment = datetime.fromtimestamp(self._view.utc_s(now_s), UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _yes(holds: bool) -> str:
    return "True" if holds else "False"


VALUES: dict[tuple[str, str], Callable[[ControllerView, float], str]] = {
    ("S0001", "signalgroupstatus"): lambda view, _: "".join(
        CHARACTERS[view.known[group]] for group in sorted(view.known)
    ),
    ("S0001", "cyclecounter"): lambda view, now_s: str(int(view.stage(now_s)[1])),
    ("S0001", "basecyclecounter"): lambda view, now_s: str(int(view.stage(now_s)[1])),
    ("S0001", "stage"): lambda view, now_s: str(view.stage(now_s)[0]),
    ("S0007", "status"): lambda view, _: _yes(view.mode != "off"),
    ("S0008", "status"): lambda view, _: _yes(view.mode == "manual"),
    ("S0009", "status"): lambda view, _: _yes(view.mode in ("fixed", "coordinated")),
    ("S0011", "status"): lambda view, _: _yes(view.mode == "flash"),
    ("S0012", "status"): lambda view, _: _yes(view.mode == "all_red"),
    ("S0014", "status"): lambda view, _: str(view.plan),
    ("S0020", "controlmode"): lambda view, _: "startup" if view.mode == "startup" else "control",
    **{
        (code, "intersection"): (lambda _view, _: "1")
        for code in ("S0007", "S0008", "S0009", "S0011", "S0012", "S0020")
    },
}
