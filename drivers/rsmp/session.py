"""The supervisor's side of one connection: handshake, subscriptions, statuses. Sans-IO."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from drivers.rsmp import codes, schema, wire
from drivers.rsmp.settings import Settings
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.ports.verdict import Verdict
from rsu_agent.world.signal import (
    Colour,
    Control,
    GroupTimes,
    Lamp,
    LampGroup,
    Programme,
    SignalReport,
    StageReport,
    StageState,
)

VERSIONS = ("3.1.1", "3.1.2", "3.1.3", "3.1.4", "3.1.5", "3.2", "3.2.0", "3.2.1", "3.2.2")
ON_CHANGE_FROM = (3, 1, 5)  # the version that brought sOc
SUBSCRIBE_ANYWAY_S = 2.0  # after the watchdogs, where no aggregated status comes
MOST_GROUPS = 128
STOPPED = frozenset({Colour.RED, Colour.RED_YELLOW, Colour.RED_FLASH})

SILENT_HINT = "check the controller's watchdog and network"
GARBLED_HINT = "what comes is no RSMP: another program dials this port"


def new_id() -> str:
    """A message id."""
    return str(uuid.uuid4())


class Session:
    """Bytes and time in; bytes, reports and programmes out. utc_less_now_s: UTC less the monotonic clock."""

    def __init__(
        self, settings: Settings, now_s: float, utc_less_now_s: float, message_id: Callable[[], str] = new_id
    ) -> None:
        self._settings, self._utc_less_now_s, self._new_id = settings, utc_less_now_s, message_id
        self._reader = wire.Reader()
        self._verdict = Verdict(settings.silent_after_s, now_s, SILENT_HINT, GARBLED_HINT)
        self._out: deque[bytes] = deque()
        self._version: str | None = None
        self._sites: list[str] = []
        self._alive = False  # both have said that they are alive
        self._watchdog_s: float | None = None
        self._subscribe_s: float | None = None
        self._subscribed = False
        self._component = ""
        self._known: dict[tuple[str, str], str] = {}
        self._estimates: dict[int, dict[str, str]] = {}
        self._characters = ""
        self._programme: Programme | None = None
        self._alarms: set[str] = set()
        self._refused: DeviceLost | None = None
        self.counters: Counter[str] = Counter()

    # What leaves

    def check(self, now_s: float) -> None:
        """Raises DeviceLost: silent, garbled, or refused once the site has been told why."""
        if self._refused is not None and not self._out:
            raise self._refused
        self._verdict.check(now_s)

    def next_bytes(self, now_s: float) -> bytes | None:
        """Acknowledgements and answers first, then what is due."""
        if not self._out:
            self._due(now_s)
        return self._out.popleft() if self._out else None

    def wake_s(self, now_s: float) -> float:
        """When something is due."""
        due = [self._verdict.silent_at_s, self._watchdog_s, self._subscribe_s]
        return now_s if self._out else max(now_s, min(at for at in due if at is not None))

    def _due(self, now_s: float) -> None:
        if self._watchdog_s is not None and now_s >= self._watchdog_s:
            self._watchdog(now_s)
        if self._subscribe_s is not None and now_s >= self._subscribe_s:
            self._subscribe()

    def _watchdog(self, now_s: float) -> None:
        self._watchdog_s = now_s + self._settings.watchdog_s
        moment = datetime.fromtimestamp(now_s + self._utc_less_now_s, UTC)
        stamp = moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
        self._out.append(wire.watchdog(self._new_id(), stamp))

    def _subscribe(self) -> None:
        """One message a status, so that one that the site lacks does not cost the others."""
        self._subscribe_s, self._subscribed = None, True
        new = tuple(int(part) for part in (self._version or "0").split(".")) >= ON_CHANGE_FROM
        on_change = True if new else None
        component = self._component or (self._sites[0] if self._sites else "")
        for code, (names, rate_s) in codes.SUBSCRIPTIONS.items():
            self._out.append(
                wire.subscription(self._new_id(), component, code, names, rate_s, on_change=on_change)
            )
        for own in self._settings.components.values():
            self._out.append(
                wire.subscription(self._new_id(), own, "S0025", codes.TIMES, 1, on_change=on_change)
            )

    # What comes in

    def receive(self, data: bytes, now_s: float) -> Iterator[SignalReport | Programme]:
        """Take what the connection has brought."""
        self.counters["bytes"] += len(data)
        for found in self._reader.receive(data):
            if isinstance(found, str):
                self._garbled(found)
                continue
            message = self._checked(found)
            if message is not None:
                self._verdict.good(now_s)
                self.counters["frames"] += 1
                yield from self._message(message, now_s)

    def _garbled(self, why: str) -> None:
        self.counters["garbled"] += 1
        self.counters[f"garbled_{why}"] += 1
        self._verdict.bad(64)

    def _checked(self, raw: dict[str, Any]) -> schema.Received | None:
        """The message, or None: what is wrong with it has been answered."""
        message_id, kind = raw.get("mId"), raw.get("type")
        model = schema.MODELS.get(kind) if isinstance(kind, str) else None
        reason = None
        if raw.get("mType") != wire.MESSAGE_TYPE:
            reason = "mType must be rSMsg"
        elif model is None:
            reason = f"type {str(kind)[:40]} is not taken by this supervisor"
        else:
            try:
                message = model.model_validate(raw)
            except ValidationError as error:
                first = error.errors()[0]
                reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
            else:
                if self._version is None and not isinstance(message, schema.Version | schema.Acknowledgement):
                    reason = "Version comes first"
                else:
                    return message
        self.counters["refused"] += 1
        self._garbled("schema")
        if isinstance(message_id, str) and 0 < len(message_id) <= 64:
            self._out.append(wire.not_acknowledged(message_id, reason))
        return None

    def _message(self, message: schema.Received, now_s: float) -> Iterator[SignalReport | Programme]:
        match message:
            case schema.Version():
                self._met(message)
                return
            case schema.Acknowledgement():
                self.counters["not_acknowledged" if message.rea is not None else "acknowledged"] += 1
                return
            case schema.Watchdog() | schema.AggregatedStatus() | schema.StatusUpdate() | schema.Alarm():
                self._out.append(wire.acknowledged(message.mId))
        match message:
            case schema.Watchdog():
                if not self._alive:
                    self._alive = True
                    self._watchdog(now_s)
                    self._subscribe_s = None if self._subscribed else now_s + SUBSCRIBE_ANYWAY_S
            case schema.AggregatedStatus():
                self._component = message.cId or self._component
                if not self._subscribed and self._alive:
                    self._subscribe()
            case schema.StatusUpdate():
                yield from self._status(message, now_s)
            case schema.Alarm():
                self._alarm(message)
                yield self._report(now_s, alarms=tuple(sorted(self._alarms)))

    def _met(self, message: schema.Version) -> None:
        """Choose the newest version that both speak, or refuse."""
        sites = [site.sId for site in message.siteId]
        theirs = {each.vers for each in message.RSMP}
        common = [version for version in VERSIONS if version in theirs]
        if self._settings.site_id not in (None, *sites):
            self._refuse(
                message.mId, f"site {sites[0]} dials in", "check site_id and the controller's target"
            )
        elif not common:
            told = f"the site speaks RSMP {', '.join(sorted(theirs))}"
            self._refuse(message.mId, told, f"{VERSIONS[0]} to {VERSIONS[-1]} are taken")
        else:
            self._version, self._sites = common[-1], sites
            self._out.append(wire.acknowledged(message.mId))
            self._out.append(wire.version(self._new_id(), [self._version], sites, message.SXL))

    def _refuse(self, message_id: str, told: str, hint: str) -> None:
        self._out.append(wire.not_acknowledged(message_id, told))
        self._refused = DeviceLost("refused", told, hint)

    def _alarm(self, message: schema.Alarm) -> None:
        on = (message.aS or "").lower() == "active"
        (self._alarms.add if on else self._alarms.discard)(f"{message.aCId}@{message.cId}")

    def _status(self, message: schema.StatusUpdate, now_s: float) -> Iterator[SignalReport | Programme]:
        values = {
            (each.sCI, each.n): str(each.s)
            for each in message.sS
            if each.q == "recent" and each.s is not None
        }
        group = next((g for g, own in self._settings.components.items() if own == message.cId), None)
        if group is not None and any(code == "S0025" for code, _ in values):
            self._estimated(group, {name: value for (code, name), value in values.items() if code == "S0025"})
        self._known |= {key: value for key, value in values.items() if key[0] != "S0025"}
        self._characters = values.get(("S0001", "signalgroupstatus"), self._characters)[:MOST_GROUPS]
        fresh = ("S0001", "signalgroupstatus") in values
        if fresh:
            yield from self._programme_news()
        control = codes.control(self._known)
        if control is None and fresh:
            control = Control.UNKNOWN
        sent_s = codes.utc_s(message.sTs)
        yield self._report(
            now_s,
            lamps=self._lamps() if fresh else (),
            complete=fresh,
            control=control,
            plan=_number(self._known.get(("S0014", "status"))),
            stage=self._stage() if fresh else None,
            times=self._told(sent_s) if fresh else (),
            controller_utc_ms=None if sent_s is None else round(sent_s * 1000),
        )

    def _report(self, now_s: float, **said: Any) -> SignalReport:
        self.counters["reports"] += 1
        return SignalReport(now_s, now_s, unsolicited=True, **said)

    def _places(self) -> dict[int, int]:
        """Lamp group -> place in the text, those that it has."""
        places = self._settings.groups or {n: n for n in range(1, len(self._characters) + 1)}
        return {
            group: place for group, place in sorted(places.items()) if 1 <= place <= len(self._characters)
        }

    def _lamps(self) -> tuple[Lamp, ...]:
        return tuple(
            Lamp(group, codes.COLOURS.get(self._characters[place - 1], Colour.UNKNOWN))
            for group, place in self._places().items()
        )

    def _programme_news(self) -> Iterator[Programme]:
        groups = tuple(self._places())
        if groups and (self._programme is None or self._programme.groups != groups):
            names = self._settings.components
            lamps = tuple(LampGroup(group, None, names.get(group)) for group in groups)
            digest = hashlib.sha256(repr((self._sites, groups)).encode()).hexdigest()
            self._programme = Programme(digest, groups, lamps=lamps)
            yield self._programme

    def _stage(self) -> StageReport | None:
        stage = _number(self._known.get(("S0001", "stage")))
        return StageReport(stage, StageState.RUNNING) if stage else None

    def _estimated(self, group: int, values: dict[str, str]) -> None:
        self._estimates.setdefault(group, {}).update(values)

    def _told(self, sent_s: float | None) -> tuple[GroupTimes, ...]:
        """The site's own estimates (S0025), counted from its own time stamp."""
        if sent_s is None:
            return ()
        told: list[GroupTimes] = []
        for lamp in self._lamps():
            own = self._estimates.get(lamp.group)
            if own is None or lamp.colour in (Colour.UNKNOWN, Colour.DARK):
                continue
            towards = "G" if lamp.colour in STOPPED else "R"
            told += _ahead(lamp.group, own, towards, sent_s)
        return tuple(told)


def _ahead(group: int, own: dict[str, str], towards: str, sent_s: float) -> Iterator[GroupTimes]:
    """Seconds to the estimates of green (G) or red (R); none where they contradict each other or are past."""

    def ahead_s(name: str) -> float | None:
        at_s = codes.utc_s(own.get(f"{name}To{towards}Estimate", ""))
        return None if at_s is None else at_s - sent_s

    least_s, likely_s, most_s = ahead_s("min"), ahead_s("likely"), ahead_s("max")
    known = [each for each in (least_s, likely_s, most_s) if each is not None]
    if known and known == sorted(known) and known[0] >= 0:
        share = _number(own.get(f"To{towards}Confidence"))
        confidence = None if share is None else min(share, 100) / 100
        yield GroupTimes(group, least_s, likely_s, most_s, confidence)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 6 else None
