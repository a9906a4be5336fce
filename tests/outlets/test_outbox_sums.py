"""produced = acknowledged + queued + dropped + dead + rolled, through deaths before any SQL statement."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsu_agent.outlets.outbox_file import RECORDS
from rsu_agent.outlets.outbox_lane import Lane, LaneNumbers, read_lane
from rsu_agent.outlets.outbox_room import make_room
from rsu_agent.outlets.outbox_seal import grouped, records_of

QUOTA = 8 << 20
MINUTE_US = 60_000_000


class Dead(Exception):
    """The process dies here."""


class Mortal:
    """A connection whose process dies before its n-th statement from now on; -1: it lives."""

    def __init__(self, db: Any) -> None:
        self.db, self.left = db, -1

    def execute(self, *words: Any) -> Any:
        if self.left == 0:
            raise Dead
        self.left -= self.left > 0
        return self.db.execute(*words)

    def executemany(self, *words: Any) -> Any:
        if self.left == 0:
            raise Dead
        self.left -= self.left > 0
        return self.db.executemany(*words)

    @property
    def in_transaction(self) -> bool:
        return bool(self.db.in_transaction)

    def close(self) -> None:
        self.db.close()


def flow(n: int) -> tuple[str, bytes]:
    made = {
        "k": "flow",
        "t": n * MINUTE_US,
        "d": 60.0,
        "ln": n % 2,
        "n": {"car": n},
        "v": 9.0,
        "o": 0.5,
        "h": None,
    }
    rest = {"hm": None, "dl": None, "df": None, "dn": 0, "du": n, "st": None, "ss": None, "mv": {}, "rt": {}}
    return "flow", msgpack.packb(made | rest)


def made(n: int) -> list[tuple[str, bytes]]:
    """A group commit of the low lane."""
    other = [("phase", msgpack.packb({"k": "phase", "n": n})), ("hb", msgpack.packb({"k": "hb", "n": n}))]
    return [flow(n), flow(n + 1), *other[: n % 3]]


def sums(numbers: LaneNumbers) -> bool:
    gone = numbers.acknowledged + numbers.dropped + numbers.dead + numbers.rolled
    return numbers.produced == gone + numbers.queued


class Life:
    """A lane, what the district was told to have, and what must therefore be found again."""

    def __init__(self, path: Path) -> None:
        self.path, self.given = path, 0
        self.settled, self.declared = set[int](), set[int]()
        self.open()

    def open(self) -> None:
        self.lane = Lane(self.path, QUOTA, "site-1")
        self.lane._db = self.db = Mortal(self.lane._db)  # type: ignore[assignment]

    def die(self) -> None:
        self.lane._reader.close()
        self.db.close()
        self.open()

    def act(self, name: str, n: int) -> None:
        match name:
            case "append":
                self.given = max(self.given, *self.lane.append(grouped(made(n), alone=False)))
            case "hold":
                self.lane.hold(made(n))
            case "seal":
                self.given = max(self.given, *self.lane.seal(), 0)
            case "acknowledge":
                self.settled |= set(range(1, n + 1))
                self.lane.acknowledge(n, [])
            case "range":
                self.settled |= set(range(n, n + 4))
                self.lane.acknowledge(0, [(n, n + 3)])
            case "bury":
                self.settled.add(n)
                self.lane.bury([(n, "invalid")])
            case "room":
                make_room(self.lane, "lo", sent=n)
            case _:
                self.die()

    def check(self) -> None:
        for of in ("", RECORDS):
            assert sums(self.lane.numbers(of))
        rows, records = self.lane.numbers(), self.lane.numbers(RECORDS)
        assert self.lane.recounted() == (rows.queued, records.queued)
        assert read_lane(self.path) == (rows, records)
        assert rows.produced >= self.given, "what was committed is there, and its number is never given again"
        queued = set[int]()
        for seq, body in self.lane.after(0, 100_000):
            queued.add(seq)
            for record in records_of(body):
                if record["k"] == "gap":
                    assert record["n"] == record["to"] - record["from"] + 1
                    self.declared |= set(range(record["from"], record["to"] + 1))
        every = set(range(1, rows.produced + 1))
        assert every == every & (queued | self.declared | self.settled), "nothing goes without a word"
        assert not queued & self.declared, "what is declared lost is not sent as well"


NAMES = ("append", "append", "hold", "seal", "acknowledge", "range", "bury", "room", "reopen")
ACTS = st.lists(st.tuples(st.sampled_from(NAMES), st.integers(1, 40), st.integers(-1, 12)), max_size=40)


@settings(max_examples=40, deadline=None)
@given(ACTS)
def test_the_sum_holds_whatever_happens_and_wherever_the_process_dies(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, int, int]]
) -> None:
    life = Life(tmp_path_factory.mktemp("lane") / "lo.sqlite")
    epoch = life.lane.epoch
    for name, n, dies_before in acts:
        life.db.left = dies_before
        try:
            life.act(name, n)
        except Dead:
            life.die()
        life.db.left = -1
        life.check()
    assert life.lane.epoch == epoch
    life.lane.close()


def deaths(act: Callable[[Life], None], path: Path) -> int:
    """The same act on fresh lanes, dying before each of its statements in turn; how many there are."""
    count = 0
    while True:
        life = Life(path / f"{count}" / "lo.sqlite")
        for n in range(1, 40):
            life.act("append", n)
        life.act("hold", 5)
        before, life.db.left = (life.lane.recounted(), life.lane.held), count
        try:
            act(life)
        except Dead:
            life.die()
            life.check()
            assert (life.lane.recounted(), life.lane.held) == before, "half of a transaction is none of it"
            life.lane.close()
            count += 1
            continue
        life.db.left = -1
        life.check()
        assert (life.lane.recounted(), life.lane.held) != before
        life.lane.close()
        return count


@pytest.mark.parametrize("name", ["append", "hold", "seal", "acknowledge", "bury", "room"])
def test_dying_before_any_statement_of_a_transaction_undoes_all_of_it(tmp_path: Path, name: str) -> None:
    assert deaths(lambda life: life.act(name, 3), tmp_path) >= 5


def test_a_row_of_a_lane_that_nobody_told_the_site_is_stored_bare_and_read_alike(tmp_path: Path) -> None:
    bare, sealed = Lane(tmp_path / "a" / "lo.sqlite", QUOTA), Lane(tmp_path / "b" / "lo.sqlite", QUOTA, "s")
    for lane in (bare, sealed):
        lane.append(grouped(made(5), alone=False))
    told = [[records_of(body) for _, body in lane.after(0, 9)] for lane in (bare, sealed)]
    assert told[0] == told[1]
    assert [[record["k"] for record in row] for row in told[0]] == [["hb"], ["flow", "flow"], ["phase"]]
    bare.close()
    sealed.close()
