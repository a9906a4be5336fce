"""What the RSMs make of vehicles that send BSMs: whose id an entry carries, what rests on a BSM alone."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hil.devices.vehicle import clock_offset_s
from hil.devices.vehicle_codec import CSAE53, about, decode
from hil.score.tracks import TruthUsers, distances, mark_time, paired, place_of, truth_users
from hil.truth import read_truth

NEAR_M, WRONG_M = 2.0, 4.0
KNOWN_S = 3.0  # from a vehicle's first BSM on: until then its entry may be without its id
SENDING_S = 1.5  # the log tells of a sender once a second
GONE_S = 1.0  # an entry may outlive a vehicle that has left the road by this
TOGETHER_S = 0.05  # parts of one cycle arrive together
RSM = 2
V2X = "v2x"


@dataclass(frozen=True, slots=True)
class Entry:
    """One participant of an RSM, metres. at_s: monotonic instant of its secMark. id: hexadecimal digits."""

    x_m: float
    y_m: float
    at_s: float
    id: str | None
    source: str


@dataclass
class Sender:
    """Who has sent under one id: user is None for a vehicle that does not exist."""

    user: int | None
    x_m: float
    y_m: float
    sent: list[float] = field(default_factory=list)
    lied_s: float = math.inf  # since when it is not to be believed

    def sending(self, t: float) -> bool:
        """Whether it was on air at an instant."""
        before = bisect_right(self.sent, t)
        return before > 0 and t - self.sent[before - 1] <= SENDING_S

    def counts(self, t: float) -> bool:
        """Whether its entry ought to carry its id: on air for long enough, and honest so far."""
        return self.user is not None and self.sending(t) and self.sent[0] + KNOWN_S <= t < self.lied_s


def heard_figures(run_dir: Path, t0: float, t1: float) -> dict[str, Any]:
    """The figures of a run, from its truth log; t0, t1 on the monotonic clock. CSAE only."""
    cycles = cycles_of(_rsms(run_dir), clock_offset_s())
    truth = truth_users(list(read_truth(run_dir, "users")), set(), set())
    return score_heard(cycles, senders(read_truth(run_dir, "bsm")), truth, t0, t1)


def score_heard(
    cycles: Sequence[tuple[float, Sequence[Entry]]],
    sent: Mapping[str, Sender],
    truth: TruthUsers,
    t0: float,
    t1: float,
) -> dict[str, Any]:
    """Counts of RSM entries; all None without any RSM, id_share without an entry that ought to carry an id.

    id_share: of entries within 2 m of an honest sender, 3 s after its first BSM and later, those with its id.
    id_entries: how many those are. wrong_ids: entries with an id whose vehicle is farther than 4 m away, or
    that nobody sends. v2x_alone: entries whose source is v2x. ghost_entries: a vehicle that does not exist,
    by its id or by its place where nobody is, not marked v2x. What is marked v2x is the sender's own
    word: no id of it is wrong here.
    """
    counts = {"id_entries": 0, "wrong_ids": 0, "v2x_alone": 0, "ghost_entries": 0}
    carried = judged = 0
    for t, entries in cycles:
        snapshot = truth.near(entries[0].at_s if entries else t) if t0 <= t <= t1 else None
        if snapshot is None:
            continue
        judged += 1
        road = {user["id"]: user for user in snapshot[0]}
        for entry, sender in _owed(entries, road, sent):
            counts["id_entries"] += 1
            carried += sent.get(entry.id or "") is sender
        seen = [entry for entry in entries if entry.source != V2X]
        counts["wrong_ids"] += sum(_wrong(entry, road, sent, truth) for entry in seen)
        counts["v2x_alone"] += len(entries) - len(seen)
        counts["ghost_entries"] += sum(_ghost(entry, road, sent) for entry in entries)
    share = round(carried / counts["id_entries"], 4) if counts["id_entries"] else None
    return {"id_share": share, **(counts if judged else dict.fromkeys(counts))}


def senders(rows: Iterable[Mapping[str, Any]]) -> dict[str, Sender]:
    """Entries `bsm` of the truth log, by id; what was sent once more tells nothing of its sender."""
    found: dict[str, Sender] = {}
    for row in sorted(rows, key=lambda row: float(row["t"])):
        if row["again"]:
            continue
        sender = found.setdefault(row["id"], Sender(row["user"], row["x"], row["y"]))
        sender.sent.append(row["t"])
        if row["lie"]:
            sender.lied_s = min(sender.lied_s, row["t"])
    return found


def cycles_of(
    rsms: Iterable[tuple[float, Mapping[str, Any]]], utc_less_monotonic_s: float
) -> list[tuple[float, list[Entry]]]:
    """(arrival, participants but the RSU) of every RSM cycle, its parts together. rsms: (arrival, value)."""
    cycles: list[tuple[float, list[Entry]]] = []
    for t, value in sorted(rsms, key=lambda rsm: rsm[0]):
        if not cycles or t - cycles[-1][0] > TOGETHER_S:
            cycles.append((t, []))
        for each in value["participants"]:
            if each["ptcType"] != "rsu":
                at_s = mark_time(each["secMark"], t, utc_less_monotonic_s)
                sender = each["id"].hex() if "id" in each else None
                cycles[-1][1].append(Entry(*place_of(each, value["refPos"]), at_s, sender, each["source"]))
    return cycles


def _rsms(run_dir: Path) -> Iterator[tuple[float, Any]]:
    """(arrival, value) of the RSMs that the vehicle has understood."""
    for row in read_truth(run_dir, "air"):
        data = bytes.fromhex(row["hex"])
        if about(data, CSAE53) != RSM or row.get("spoilt"):
            continue
        try:
            yield row["t"], decode(data)[1]
        except ValueError:
            continue


def _owed(
    entries: Sequence[Entry], road: Mapping[int, Mapping[str, Any]], sent: Mapping[str, Sender]
) -> Iterator[tuple[Entry, Sender]]:
    """Entries that are about a sender whose id they ought to carry; about whom: by place, one to one."""
    if not entries or not road:
        return
    by_user = {sender.user: sender for sender in sent.values() if sender.counts(entries[0].at_s)}
    users = list(road.values())
    away = distances([(entry.x_m, entry.y_m) for entry in entries], users)
    for row, column in paired(away):
        sender = by_user.get(users[column]["id"])
        if sender is not None and away[row, column] <= NEAR_M:
            yield entries[row], sender


def _wrong(
    entry: Entry, road: Mapping[int, Mapping[str, Any]], sent: Mapping[str, Sender], truth: TruthUsers
) -> bool:
    """Whether it carries the id of a vehicle that is elsewhere, or of nobody."""
    if entry.id is None:
        return False
    sender = sent.get(entry.id)
    if sender is None:
        return True
    if sender.user is None:
        return False
    if sender.user in road:
        return _away(entry, road[sender.user]) > WRONG_M
    return truth.place(sender.user, entry.at_s - GONE_S) is None


def _ghost(entry: Entry, road: Mapping[int, Mapping[str, Any]], sent: Mapping[str, Sender]) -> bool:
    """Whether it is about a vehicle that does not exist, and does not say that it rests on a BSM alone."""
    if entry.source == V2X:
        return False
    ghosts = {number: sender for number, sender in sent.items() if sender.user is None}
    if entry.id in ghosts:
        return True
    near = any(
        ghost.sending(entry.at_s) and math.hypot(entry.x_m - ghost.x_m, entry.y_m - ghost.y_m) <= NEAR_M
        for ghost in ghosts.values()
    )
    return near and all(_away(entry, user) > WRONG_M for user in road.values())


def _away(entry: Entry, user: Mapping[str, Any]) -> float:
    return math.hypot(entry.x_m - user["x"], entry.y_m - user["y"])
