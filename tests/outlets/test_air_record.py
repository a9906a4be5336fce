"""The air record on the disk: bounded, whole after a kill, silent about nothing that it lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import zstandard

from rsu_agent.outlets.air_chain import NOTHING, walk
from rsu_agent.outlets.air_changes import SENT, SILENT, Changes, Tick
from rsu_agent.outlets.air_record import MOST_WAITING, AirRecord, Keeping, News
from rsu_agent.outlets.air_store import AirStore, all_lines, day_of, files_of
from rsu_agent.outlets.rules import csae_rules
from rsu_agent.outlets.site_key import PRIVATE, PUBLIC, existing_key, read_public, site_key

NOON_S = 1_800_014_400.0
DAY_S = 86_400.0
RULES = csae_rules({1: (1,)}, ())


def values(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in all_lines(folder)]


def record(folder: Path, news: list[News], limit_mb: int = 8) -> None:
    writer = AirRecord(Keeping(folder, limit_mb, 180, "t"), RULES, {"version": "1"}, NOON_S)
    for each in news:
        writer.put(each)
    writer.close()


def test_a_record_begins_is_signed_at_its_end_and_goes_on_behind_it(tmp_path: Path) -> None:
    record(tmp_path, [News("hazard", NOON_S, {"hazard": 1})])
    record(tmp_path, [News("hazard", NOON_S + 1, {"hazard": 2})])
    assert [each["k"] for each in values(tmp_path)] == ["begin", "hazard", "head"] * 2
    found = walk(all_lines(tmp_path), existing_key(tmp_path).public_key())
    assert (found.faults, found.unsigned, found.lines) == ([], 0, 6)
    assert values(tmp_path)[0]["prev"] == NOTHING
    assert [each["utc_s"] - NOON_S for each in values(tmp_path)] == [0, 0, 0, 0, 1, 1]


def test_the_key_is_made_once_for_its_owner_alone_and_may_come_from_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = site_key(tmp_path / "a")
    assert (tmp_path / "a" / PRIVATE).stat().st_mode & 0o777 == 0o600
    assert site_key(tmp_path / "a").private_bytes_raw() == key.private_bytes_raw()
    public = read_public((tmp_path / "a" / PUBLIC).read_bytes())
    assert public.public_bytes_raw() == key.public_key().public_bytes_raw()
    given = tmp_path / "credentials"
    given.mkdir()
    (given / "evidence.key").write_bytes((tmp_path / "a" / PRIVATE).read_bytes())
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(given))
    assert site_key(tmp_path / "b").private_bytes_raw() == key.private_bytes_raw()
    assert not (tmp_path / "b" / PRIVATE).exists()


@pytest.mark.parametrize("torn", [b"{", b'{"n":4,"prev":"', b"\x00" * 40])
def test_a_torn_last_line_is_cut_and_declared(tmp_path: Path, torn: bytes) -> None:
    record(tmp_path, [])
    with files_of(tmp_path)[-1].open("ab") as file:
        file.write(torn)
    record(tmp_path, [])
    told = next(each for each in values(tmp_path) if each["k"] == "torn")
    assert told["cut_bytes"] == len(torn)
    assert walk(all_lines(tmp_path), existing_key(tmp_path).public_key()).faults == []


def test_a_new_day_is_a_new_file_and_the_old_one_is_compressed(tmp_path: Path) -> None:
    record(tmp_path, [News("hazard", NOON_S, {"hazard": n}) for n in range(50)])
    record(tmp_path, [News("hazard", NOON_S + DAY_S, {"hazard": 99})])
    old, new = files_of(tmp_path)
    assert (old.name.endswith(".zst"), new.name.endswith(".jsonl")) == (True, True)
    assert day_of(NOON_S + DAY_S) in new.name
    assert walk(all_lines(tmp_path), existing_key(tmp_path).public_key()).lines == 55
    assert len(zstandard.decompress(old.read_bytes(), max_output_size=1 << 20).splitlines()) == 52


def test_a_clock_in_1970_makes_no_day_and_a_clock_that_goes_back_none_either(tmp_path: Path) -> None:
    record(tmp_path, [News("hazard", 100.0, {"hazard": 1})])
    assert "undated" in files_of(tmp_path)[0].name
    record(tmp_path, [News("hazard", NOON_S, {"hazard": 2})])
    record(tmp_path, [News("hazard", 200.0, {"hazard": 3})])
    record(tmp_path, [News("hazard", NOON_S - 5 * DAY_S, {"hazard": 4})])
    assert len(files_of(tmp_path)) == 2
    assert walk(all_lines(tmp_path), existing_key(tmp_path).public_key()).faults == []


def store_of_days(folder: Path, days: int, limit: int) -> AirStore:
    store = AirStore(folder, limit, 180)
    store.open()
    for day in range(days):
        store.new_day(NOON_S + day * DAY_S)
        store.write([store.chain.add("air", NOON_S + day * DAY_S, text=os.urandom(2000).hex())])
    return store


def test_what_is_too_old_goes_only_by_a_clock_that_is_trusted(tmp_path: Path) -> None:
    store = store_of_days(tmp_path, 200, 1 << 30)
    now_s = NOON_S + 199 * DAY_S
    assert store.forget(now_s, by_age=False) is None
    gone = store.forget(now_s, by_age=True)
    assert len(files_of(tmp_path)) == 181
    assert gone is not None
    kept = list(all_lines(tmp_path))
    assert (json.loads(kept[0])["n"], json.loads(kept[0])["prev"]) == (gone[0] + 1, gone[1])


def test_it_stays_within_its_size_by_letting_the_oldest_go(tmp_path: Path) -> None:
    store = store_of_days(tmp_path, 50, 30_000)
    assert store.size() > 30_000
    store.forget(NOON_S, by_age=False)
    assert 20_000 < store.size() <= 30_000
    assert walk(all_lines(tmp_path), None).faults == []


def test_a_disk_that_refuses_costs_lines_that_are_declared(tmp_path: Path) -> None:
    folder = tmp_path / "air"
    folder.write_text("no folder")
    writer = AirRecord(Keeping(folder, 8, 180, "t"), RULES, {}, NOON_S)
    writer.put(tick(10.0))
    while writer._waiting or not writer._retry_s:
        assert writer._thread is not None
        writer._thread.join(0.01)
    folder.unlink()
    writer.put(tick(11.0))
    while writer._waiting:
        writer._thread.join(0.01)
    writer.put(tick(30.0))
    writer.close()
    assert next(each for each in values(folder) if each["k"] == "lost")["count"] >= 1
    assert next(each["k"] for each in values(folder)) == "begin"


def test_no_more_waits_than_may_and_no_record_is_no_thread(tmp_path: Path) -> None:
    off = AirRecord(Keeping(tmp_path / "x", 0, 180, "t"), RULES, {}, NOON_S)
    off.put(tick(1.0))
    off.close()
    assert not (tmp_path / "x").exists()
    writer = AirRecord(Keeping(tmp_path, 8, 180, "t"), RULES, {}, NOON_S)
    for at in range(3 * MOST_WAITING):
        writer.put(tick(1.0 + at / 10))
        assert len(writer._waiting) <= MOST_WAITING
    writer.close()


KILLED = """
import sys
from pathlib import Path
from rsu_agent.outlets.air_record import AirRecord, Keeping, News
from rsu_agent.outlets.rules import csae_rules
writer = AirRecord(Keeping(Path(sys.argv[1]), 8, 180, "t"), csae_rules({1: (1,)}, ()), {}, 1.8e9)
n = 0
while True:
    n += 1
    if len(writer._waiting) < 500:
        writer.put(News("hazard", 1.8e9 + n, {"hazard": n, "text": "x" * 300}))
"""


def test_after_every_kill_the_chain_is_whole(tmp_path: Path) -> None:
    for _ in range(4):
        with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)]) as process:
            before = sum(path.stat().st_size for path in files_of(tmp_path))
            while sum(path.stat().st_size for path in files_of(tmp_path)) < before + 100_000:
                assert process.poll() is None
            process.send_signal(signal.SIGKILL)
    record(tmp_path, [])
    found = walk(all_lines(tmp_path), existing_key(tmp_path).public_key())
    assert found.faults == []
    assert found.unsigned == 0
    assert sum(each["k"] == "begin" for each in values(tmp_path)) == 5


def tick(now_s: float, fate: str = SILENT, reason: str | None = "no_report", **more: Any) -> Tick:
    return Tick(now_s, NOON_S + now_s, None, fate, reason, **more)


def test_only_a_change_is_told() -> None:
    changes = Changes(RULES)
    first = changes.tick(tick(1.0))
    assert first is not None
    assert (first["air"], first["valid"], first["why"]) == (SILENT, False, "no_report")
    assert changes.tick(tick(1.1)) is None
    held = changes.tick(tick(1.2, "colour", "colour", verdict="colour", detail="phase 1 says 3"))
    assert held is not None
    assert (held["guard"], held["detail"]) == ("colour", "phase 1 says 3")
    assert changes.tick(tick(1.3, SENT, None)) is not None
