"""What the core tells the district of itself: at the start, each minute, when asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from rsu_agent.outlets.summary_air import ClockWord
from rsu_agent.outlets.summary_kinds import faults
from rsu_agent.ports.assets import asset
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.runtime.beginning import with_revision
from rsu_agent.runtime.box_load import box_load
from rsu_agent.runtime.told import Told
from rsu_agent.settings.read import read_site
from rsu_agent.settings.speech import speech

UTC_S = 1_790_000_040.0


class Kept:
    """Records, as the post would send them."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def put(self, records: list[dict[str, Any]]) -> None:
        self.records += records

    def of(self, kind: str) -> Iterator[dict[str, Any]]:
        return (record for record in self.records if record["k"] == kind)


def told_of(clock: FakeClock, post: Kept, state: Path, words: list[ClockWord]) -> Told:
    site = read_site(cast("Path", asset("config/virtual.yaml")))
    said, memory = with_revision(speech(site.settings, site.crossing), site.crossing, None, UTC_S)
    post_ = cast("Any", post)
    return Told(
        site, state, said, memory, ("SPAT", "MAP"), clock, post_, lambda: words[0], lambda: (0.3, None)
    )


@pytest.mark.anyio
async def test_a_minute_of_an_agent_gives_what_it_is_and_how_well_it_speaks(tmp_path: Path) -> None:
    clock, post = FakeClock(10.0, UTC_S), Kept()
    told = told_of(clock, post, tmp_path, [ClockWord(True, 0.001, "chrony")])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(told.run)
        for n in range(61):
            await clock.advance(1.0)
            told.sent("SPAT", b"x" * 70, clock.now_s())
            told.sent("MAP", b"x" * (1000 + n), clock.now_s())
            told.quality.tick("witness" if n < 5 else None)
        told.held("SPAT", "order")
        tasks.cancel_scope.cancel()
    assert [fault for record in post.records for fault in faults(record)] == []
    assert {record["k"] for record in post.records} == {"base", "cfg", "clock", "spatq", "mapq", "run"}
    spat, map_ = next(post.of("spatq")), next(post.of("mapq"))
    assert spat["un"] == {"witness": 5}
    assert spat["n"] - spat["ok"] == 5
    assert spat["e"] == 0.3
    assert 1000 < map_["b"] < 1062
    assert map_["sha"] == next(post.of("cfg"))["air"]


@pytest.mark.anyio
async def test_the_clock_is_told_at_once_when_trust_is_lost(tmp_path: Path) -> None:
    clock, post, words = FakeClock(10.0, UTC_S), Kept(), [ClockWord(True, 0.001, "chrony")]
    told = told_of(clock, post, tmp_path, words)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(told.run)
        await clock.advance(3.0)
        words[0] = ClockWord(False, None, "none")
        await clock.advance(2.0)
        tasks.cancel_scope.cancel()
    assert [record["tr"] for record in post.of("clock")] == [True, False]


def test_the_configuration_is_told_by_digests_of_the_files(tmp_path: Path) -> None:
    post = Kept()
    told_of(FakeClock(10.0, UTC_S), post, tmp_path, [ClockWord(True, 0.0, "ptp")]).report()
    (cfg,) = post.of("cfg")
    assert all(len(cfg[key]) == 64 for key in ("conf", "map", "model"))
    assert cfg["conf"] != cfg["map"]
    (base,) = post.of("base")
    assert {"gbt20999", "udp_raw"} <= set(base["dr"])


def test_the_load_of_a_box_is_read_from_the_kernels_files(tmp_path: Path) -> None:
    for name, text in {
        "proc/loadavg": "0.50 0.40 0.30 1/200 4711\n",
        "proc/meminfo": "MemTotal:  1000 kB\nMemFree:  100 kB\nMemAvailable:  250 kB\n",
        "sys/class/thermal/thermal_zone0/temp": "48250\n",
        "sys/class/thermal/thermal_zone1/temp": "255000\n",
        "sys/class/thermal/thermal_zone2/temp": "none\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    load = box_load(tmp_path, tmp_path)
    assert load["mem"] == 0.75
    assert load["temp"] == 48.2
    assert load["cpu"] > 0.0
    assert 0.0 < load["disk"] < 1.0
    assert faults({"k": "run", "t": 1, **load}) == []
