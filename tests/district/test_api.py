"""The read API over the real database: as its own document says, bounded, every error with what to do."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import jsonschema
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.routing import Route

from rsu_agent.district.api import Api, api_app, serve_api
from rsu_agent.district.openapi import SITE, document
from rsu_agent.district.reading import open_reader
from rsu_agent.district.tail import Tail
from tests.district.made import NOW_US, batch, envelope, until
from tests.district.stored import MINUTE_US, content, sink_at

pytestmark = pytest.mark.anyio
COUNTERS = {"envelopes": 35, "duplicates": 2}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    address = str(tmp_path / "district.sqlite")
    async with sink_at(address) as sink:
        await sink.take(content(), NOW_US)
        reader = open_reader(address)
        tail = Tail(reader)
        await tail.look("health", NOW_US)
        await tail.look_at_sites(NOW_US)
        app = api_app(Api(reader, tail, COUNTERS, "http://poles/{site}/"))
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://district") as client:
            yield client
        await reader.aclose()


async def test_every_site_is_told_as_the_document_has_it(api: httpx.AsyncClient) -> None:
    told = (await api.get("/api/sites")).json()
    assert [(s["site"], s["health"]) for s in told["sites"]] == [
        ("site-1", "ok"),
        ("site-2", "lost"),
        ("site-3", "unknown"),
    ]
    for site in told["sites"]:
        jsonschema.validate(site, SITE)
        assert site.keys() == SITE["properties"].keys()
    assert told["receiver"] == COUNTERS


async def test_one_site_is_told_with_its_latest_records_and_the_way_to_its_page(
    api: httpx.AsyncClient,
) -> None:
    told = (await api.get("/api/sites/site-2")).json()
    assert told["latest"]["event"][0]["ev"] == "against"
    assert told["bad_devices"] == ["camera"]
    assert told["live"] == "http://poles/site-2/"
    assert {row["lane"] for row in told["lanes"]} == {"hi", "lo"}


async def test_history_is_paged_to_its_end(api: httpx.AsyncClient) -> None:
    query: dict[str, Any] = {"kind": "flow", "site": "site-1", "from": NOW_US - 20 * MINUTE_US, "limit": 8}
    told: list[int] = []
    while True:
        page = (await api.get("/api/history", params=query)).json()
        told += [record["t_us"] for record in page["records"]]
        if page["next"] is None:
            break
        query["after"] = page["next"]
    assert told == sorted(told)
    assert len(set(told)) == 20


async def test_hazards_of_a_time_in_words_are_found(api: httpx.AsyncClient) -> None:
    told = await api.get(
        "/api/events", params={"from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00+08:00"}
    )
    assert [record["body"]["i"] for record in told.json()["records"]] == ["h0", "h1"]


@pytest.mark.parametrize(
    ("path", "status", "hint"),
    [
        ("/api/history", 400, "?kind=flow"),
        ("/api/history?kind=flow&limit=0", 400, "fewer"),
        ("/api/history?kind=flow&limit=999999999999999999999", 400, "fewer"),
        ("/api/history?kind=flow&from=yesterday", 400, "2026-11-27T08:00:00Z"),
        ("/api/history?kind=flow&from=5&to=4", 400, "shorter"),
        ("/api/history?kind=flow&from=0", 400, "shorter"),
        ("/api/history?kind=flow&after=zzz", 400, "next"),
        ("/api/history?kind=%00", 400, "/api/sites"),
        (f"/api/history?kind={'k' * 99}", 400, "?kind=flow"),
        ("/api/sites/nobody", 404, "/api/sites"),
        ("/api/nothing", 404, "/openapi.json"),
    ],
)
async def test_every_error_says_what_to_do(api: httpx.AsyncClient, path: str, status: int, hint: str) -> None:
    answer = await api.get(path)
    assert answer.status_code == status
    assert answer.json().keys() == {"error", "do"}
    assert hint in answer.json()["do"]


async def test_nothing_can_be_changed(api: httpx.AsyncClient) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert (await api.request(method, "/api/sites")).status_code == 405


async def test_a_database_that_is_away_is_an_error_with_what_to_do(tmp_path: Path) -> None:
    reader = open_reader(str(tmp_path / "none.sqlite"))
    app = api_app(Api(reader, Tail(reader), {}))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://district") as client:
        for path in ("/api/sites", "/api/sites/a", "/api/history?kind=flow", "/metrics"):
            answer = await client.get(path)
            assert (answer.status_code, "again" in answer.json()["do"]) == (503, True), path


async def test_the_document_names_every_address_and_no_other(api: httpx.AsyncClient) -> None:
    told = (await api.get("/openapi.json")).json()
    assert told == document()
    reader = open_reader("none.sqlite")
    routes = api_app(Api(reader, Tail(reader), {})).routes
    served = {route.path for route in routes if isinstance(route, Route)} - {"/", "/openapi.json"}
    assert told["paths"].keys() == served
    for path in told["paths"].values():
        for parameter in path["get"]["parameters"]:
            jsonschema.Draft202012Validator.check_schema(parameter["schema"])
    for schema in told["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


async def test_metrics_are_told_per_site_and_by_reason(api: httpx.AsyncClient) -> None:
    text = (await api.get("/metrics")).text
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["rsu_site_missing_envelopes", "site-3"] == 6
    assert samples["rsu_site_connected", "site-2"] == 1
    assert ("rsu_site_connected", "site-1") not in samples, "what is not known is not zero"
    assert samples["rsu_district_sites", "lost"] == 1
    assert samples["rsu_district_dead_letters", "unreadable"] == 1
    assert samples[("rsu_district_envelopes_total",)] == 35
    assert samples["rsu_site_clock_bound_seconds", "site-1"] == 0.002


async def test_labels_are_bounded(api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rsu_agent.district.metrics.MOST_SITES", 1)
    text = (await api.get("/metrics")).text
    assert 'site="site-1"' in text
    assert 'site="site-2"' not in text
    assert 'rsu_district_sites{health="lost"} 1.0' in text, "they are still counted"


async def test_the_page_keeps_to_itself(api: httpx.AsyncClient) -> None:
    answer = await api.get("/")
    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["content-security-policy"]


async def test_news_comes_by_itself_and_a_listener_that_returns_misses_nothing(tmp_path: Path) -> None:
    address = str(tmp_path / "district.sqlite")
    async with sink_at(address) as sink, anyio.create_task_group() as tasks:
        began_us = time.time_ns() // 1000
        await sink.take(content(began_us), began_us)
        url = await tasks.start(serve_api, address, ("127.0.0.1", 0), COUNTERS)
        seq = iter(range(100, 200))

        async def hazard(name: str) -> None:
            record = {"k": "event", "t": began_us, "i": name, "h": "wrong_way", "s": "on"}
            await sink.take(batch(envelope(next(seq), record, lane="hi")), began_us + 1_000_000)

        async with httpx.AsyncClient(base_url=url, timeout=30) as http:
            async with http.stream("GET", "/api/stream") as answer:
                assert answer.headers["content-type"].startswith("text/event-stream")
                lines = answer.aiter_lines()
                assert (await anext(lines)).startswith(": from")

                async def looked() -> bool:
                    return (await http.get("/api/sites")).status_code == 200

                await until(looked)
                await hazard("h8")
                number = await heard(lines, '"i":"h8"')
            await hazard("h9")
            async with http.stream("GET", "/api/stream", headers={"Last-Event-ID": number}) as answer:
                assert await heard(answer.aiter_lines(), '"i":"h9"') > number
        tasks.cancel_scope.cancel()


async def heard(lines: AsyncIterator[str], word: str) -> str:
    """The number of the event that holds a word."""
    number = ""
    with anyio.fail_after(30):
        async for line in lines:
            if line.startswith("id: "):
                number = line[4:]
            if line.startswith("data: ") and word in line:
                return number
    raise AssertionError(word)
