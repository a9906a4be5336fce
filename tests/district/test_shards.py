"""Which database has a site, that two never change places, and that several are read as one."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from rsu_agent.district.main import children_of
from rsu_agent.district.options import checked, parser
from rsu_agent.district.postgres_sink import PostgresSink
from rsu_agent.district.reading import FIRST, ReaderLost, open_reader
from rsu_agent.district.shards import shard_of, shard_of_topic
from rsu_agent.district.sink import Batch
from rsu_agent.district.store import SqliteSink
from tests.district.made import NOW_US, dead, envelope, prefix, taken

SHARDS = ("--database", "postgresql:///a", "--database", "postgresql:///b", "--database", "postgresql:///c")
WIDE = ("--nats", "nats://x,nats://y,nats://z", "--host", "broker", *SHARDS)


def test_a_site_goes_where_the_crc_32_of_its_name_says() -> None:
    assert shard_of("123456789", 7) == 0xCBF43926 % 7, "the check value of CRC-32"
    assert shard_of("任意路口", 1) == 0
    assert shard_of_topic("rsu/1/pingshan/123456789/up/lo", 7) == 0xCBF43926 % 7
    assert shard_of_topic("rsu/1/pingshan/123456789/state", 7) == 0xCBF43926 % 7
    assert shard_of_topic("nonsense", 7) == 0


def test_many_sites_fill_all_shards() -> None:
    counts = [0] * 4
    for number in range(4000):
        counts[shard_of(f"sim-{number:05d}", 4)] += 1
    assert min(counts) > 900


@pytest.mark.anyio
async def test_a_database_is_never_taken_for_another_shard(
    new_database: Callable[[], Awaitable[str]],
) -> None:
    address = await new_database()
    for _ in range(2):  # the second time it knows
        sink = PostgresSink(address, (1, 3))
        await sink.open()
        await sink.aclose()
    for other in ((0, 3), (1, 2), (0, 1)):
        with pytest.raises(SystemExit, match="holds shard 1 of 3"):
            await PostgresSink(address, other).open()


def options(*told: str) -> argparse.Namespace:
    return checked(parser(), [*told])


def test_every_half_is_a_process_of_its_own() -> None:
    told = children_of(options(*WIDE, "--workers", "2"))
    assert [" ".join(each) for each in told if each[1] == "front"] == [
        "--role front --worker 1",
        "--role front --worker 2",
    ]
    assert sum(each[1] == "back" for each in told) == 6
    assert children_of(options(*WIDE, "--role", "front")) == [], "one alone is this process"
    assert children_of(options(*WIDE, "--role", "back", "--shard", "2")) == []
    some = children_of(options(*WIDE, "--role", "back", "--shard", "0", "--shard", "2"))
    assert [each[3] for each in some] == ["0", "2"]


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (SHARDS, "belong to --nats"),
        (("--database", "a.sqlite", "--role", "front"), "belong to --nats"),
        (("--nats", "nats://x", "--host", "b", "--database", "a.sqlite"), "a PostgreSQL of its own"),
        (("--nats", "nats://x", "--host", "b", *SHARDS[:2], *SHARDS[:2]), "a PostgreSQL of its own"),
        (("--nats", "nats://x", *SHARDS), "name the broker"),
        ((*WIDE, "--role", "back", "--shard", "3"), "--shard: 0 to 2"),
    ],
)
def test_what_cannot_be_is_said(told: tuple[str, ...], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options(*told)
    assert why in capsys.readouterr().err


async def shards(folder: Path) -> list[str]:
    """Two files with the sites that belong there, five records each, in turn by time."""
    files = [str(folder / f"{n}.sqlite") for n in range(2)]
    for number, file in enumerate(files):
        sink = SqliteSink(Path(file))
        sites = [f"site-{n}" for n in range(40) if shard_of(f"site-{n}", 2) == number][:5]
        for at, site in enumerate(sites):
            record = {"k": "flow", "t": NOW_US - 1_000_000 * (2 * at + number), "d": 60.0, "ln": 1, "n": {}}
            await sink.take(Batch([taken(envelope(1, record, site=site))]), NOW_US + at)
        await sink.take(Batch([], [dead(f"{prefix()}/up/lo", b"\xff")]), NOW_US)
        await sink.aclose()
    return files


@pytest.mark.anyio
async def test_several_databases_are_read_as_one(tmp_path: Path) -> None:
    files = await shards(tmp_path)
    reader = open_reader(files)
    try:
        sites = await reader.sites()
        assert len(sites) == len(await reader.lanes()) == 10
        assert sites == sorted(sites, key=lambda site: site.site)
        asked = "flow", None, NOW_US - 60_000_000, NOW_US + 60_000_000
        whole = await reader.history(*asked, FIRST, 100)
        assert [fact.t_us for fact in whole] == sorted(fact.t_us for fact in whole)
        paged, after = [], FIRST
        while page := await reader.history(*asked, after, 3):
            paged += page
            after = page[-1].cursor
        assert paged == whole
        assert len(whole) == 10
        for site in sites:
            assert {fact.site for fact in await reader.latest(site.site, 0)} == {site.site}
            assert len(await reader.history("flow", site.site, *asked[2:], FIRST, 100)) == 1
        assert len(await reader.arrived("flow", 0, 4)) == 4
        assert sum((await reader.dead_counts()).values()) == len(await reader.dead(100)) == 2
    finally:
        await reader.aclose()


@pytest.mark.anyio
async def test_a_shard_that_does_not_answer_is_no_smaller_district(tmp_path: Path) -> None:
    [there, _] = await shards(tmp_path)
    reader = open_reader([there, str(tmp_path / "away.sqlite")])
    with pytest.raises(ReaderLost):
        await reader.sites()
    await reader.aclose()
