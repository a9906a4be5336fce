"""What is stored is read back the same from both databases: history by pages, the latest, what arrives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.district.condition import condition, conditions, freshness, worst
from rsu_agent.district.facts import utc
from rsu_agent.district.reading import (
    FIRST,
    Cursor,
    LaneRow,
    Reader,
    ReaderLost,
    SiteRow,
    cursor_text,
    latest_of,
    open_reader,
    read_cursor,
)
from rsu_agent.district.tail import Tail
from tests.district.made import NOW_US, batch, envelope
from tests.district.stored import MINUTE_US, content, sink_at

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["sqlite", "postgres"])
async def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "district.sqlite")
    return str(await request.getfixturevalue("new_database")())


@pytest.fixture
async def reader(address: str) -> AsyncIterator[Reader]:
    async with sink_at(address) as sink:
        await sink.take(content(), NOW_US)
        made = open_reader(address)
        yield made
        await made.aclose()


async def test_a_page_begins_where_the_last_one_ended_and_nothing_comes_twice(reader: Reader) -> None:
    seen: list[int] = []
    after: Cursor = FIRST
    pages = 0
    while facts := await reader.history("flow", None, NOW_US - 25 * MINUTE_US, NOW_US, after, 7):
        seen += [fact.seq for fact in facts]
        after = read_cursor(cursor_text(facts[-1].cursor))
        pages += 1
    assert seen == list(range(25, 0, -1)), "in order of time; numbers ran the other way"
    assert pages == 4


async def test_history_is_of_the_kind_and_the_site_that_were_asked_for(reader: Reader) -> None:
    whole = (0, NOW_US + 1, FIRST, 100)
    assert {f.site for f in await reader.history("health", "site-2", *whole)} == {"site-2"}
    assert len(await reader.history("health", None, *whole)) == 31
    assert await reader.history("flow", "site-2", *whole) == []
    [fact] = await reader.history("flow", None, NOW_US - MINUTE_US, NOW_US, FIRST, 9)
    assert fact.body["mv"] == {"through": 4}
    assert fact.body["v"] is None
    assert (fact.t_us, fact.stored_us) == (NOW_US - MINUTE_US, NOW_US)


async def test_the_latest_of_a_site_is_the_newest_of_each_device_and_hazards_that_last(
    reader: Reader,
) -> None:
    told = latest_of(await reader.latest("site-2", NOW_US - 10 * MINUTE_US))
    assert [(r["d"], r["s"]) for r in told["health"]] == [("camera", "lost")]
    assert [r["i"] for r in told["event"]] == ["h1"], "a hazard that is over is history"
    [flow] = latest_of(await reader.latest("site-1", NOW_US - 100 * MINUTE_US))["flow"]
    assert flow["t_us"] == NOW_US - MINUTE_US


async def test_every_site_is_told_with_its_numbers(reader: Reader) -> None:
    sites = conditions(await reader.sites(), await reader.lanes(), {}, NOW_US + 5_000_000)
    told = {site["site"]: site for site in sites}
    assert list(told) == ["site-1", "site-2", "site-3"]
    assert (told["site-1"]["age_s"], told["site-1"]["clock"], told["site-1"]["missing"]) == (5.0, "good", 0)
    assert (told["site-2"]["lat"], told["site-2"]["connected"], told["site-2"]["software"]) == (
        22.7,
        True,
        "2.1",
    )
    assert told["site-3"]["missing"] == 6
    assert told["site-1"]["backlog_s"] == 5.0


async def test_a_clock_that_once_ran_ahead_does_not_hide_how_far_behind_a_site_is(address: str) -> None:
    async with sink_at(address) as sink:
        await sink.take(batch(envelope(1, utc_us=(1 << 63) - 1)), NOW_US - 300_000_000)
        await sink.take(batch(envelope(2, utc_us=NOW_US - 200_000_000)), NOW_US)
        reader = open_reader(address)
        [site] = conditions(await reader.sites(), await reader.lanes(), {}, NOW_US)
        await reader.aclose()
    assert site["backlog_s"] == 200.0


async def test_dead_letters_are_counted_and_shown(reader: Reader) -> None:
    assert await reader.dead_counts() == {"unreadable": 1}
    [letter] = await reader.dead(9)
    assert (letter["site"], letter["hex"], letter["stored_us"]) == ("site-3", "c1206e6f6e73656e7365", NOW_US)


async def test_the_days_that_hold_anything_are_known_and_read_in_pieces(reader: Reader) -> None:
    day = utc(NOW_US - MINUTE_US).date()
    assert ("flow", day) in await reader.days()
    events = [fact async for facts in reader.facts("event", day) for fact in facts]
    assert [fact.body["i"] for fact in events] == ["h0", "h1"]


async def test_what_arrives_is_news_once(address: str) -> None:
    async with sink_at(address) as sink:
        await sink.take(content(), NOW_US)
        reader = open_reader(address)
        tail = Tail(reader)
        for kind in ("event", "health"):
            await tail.look(kind, NOW_US)
        await tail.look_at_sites(NOW_US)
        assert tail.health["site-2"]["camera"]["s"] == "lost"
        assert list(tail._news) == [], "what was there before is no news"
        hazard = {"k": "event", "t": NOW_US, "i": "h2", "h": "wrong_way", "s": "on"}
        well = {"k": "health", "t": NOW_US + 1, "d": "camera", "s": "ok", "w": "ok"}
        await sink.take(batch(envelope(7, hazard, well, site="site-2")), NOW_US + 1_000_000)
        for _ in range(3):
            for kind in ("event", "health"):
                await tail.look(kind, NOW_US + 1_000_000)
        await tail.look_at_sites(NOW_US + 1_000_000)
        told = [text.split("\n")[1] for _, text in tail._news]
        assert told == ["event: hazard", "event: device", "event: site"]
        await reader.aclose()


async def test_a_database_that_is_not_there_is_said_to_be_lost(tmp_path: Path) -> None:
    for database in (str(tmp_path / "none.sqlite"), f"postgresql://rsu@/none?host={tmp_path}"):
        reader = open_reader(database)
        with pytest.raises(ReaderLost):
            await reader.sites()


@given(st.tuples(st.integers(-(1 << 63), (1 << 63) - 1), st.text(max_size=64), st.integers(0, (1 << 63) - 1),
                 st.text(max_size=2), st.integers(0, 1 << 62), st.integers(0, 999)))  # fmt: skip
def test_any_cursor_survives_its_way_through_an_address(cursor: Cursor) -> None:
    assert read_cursor(cursor_text(cursor)) == cursor


@given(st.text(max_size=40) | st.lists(st.integers() | st.text(max_size=3)).map(lambda x: cursor_text(x)))  # type: ignore[arg-type]
def test_a_cursor_that_somebody_made_up_is_refused(text: str) -> None:
    try:
        read_cursor(text)
    except ValueError:
        return
    assert len(read_cursor(text)) == 6


def test_silence_goes_before_everything_that_is_old_by_then() -> None:
    lost: dict[str, dict[str, Any]] = {"camera": {"s": "lost"}}
    ok: dict[str, dict[str, Any]] = {"camera": {"s": "ok"}}
    assert [freshness(age) for age in (None, 1, 300, 900)] == ["never", "fresh", "late", "silent"]
    assert worst(900, 1, ["camera"], lost) == "silent"
    assert worst(1, 1, ["camera"], lost) == "lost"
    assert worst(300, 1, [], ok) == "degraded"
    assert worst(1, 0, [], ok) == "degraded"
    assert worst(1, 1, [], ok) == "ok"
    assert worst(1, None, [], {}) == "unknown"


def test_a_pole_has_one_outbox_with_an_epoch_a_lane_and_a_replaced_disk_makes_two() -> None:
    def lane(epoch: int, name: str) -> LaneRow:
        return LaneRow("a", epoch, name, 1, 1, 0, 1, 1, None, 1, 0, 0)

    site = SiteRow("a", "pingshan", None, None, None)
    whole = [lane(1, "hi"), lane(2, "lo")]
    assert condition(site, whole, {}, 1)["outboxes"] == 1
    assert condition(site, [*whole, lane(3, "hi"), lane(4, "lo")], {}, 1)["outboxes"] == 2
    assert condition(site, [], {}, 1)["outboxes"] == 0
