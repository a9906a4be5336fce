"""A pole written from docs/protocol alone speaks to the district's process through mosquitto."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgpack
import paho.mqtt.client as paho
import pytest
import zstandard

from rsu_agent.district.broker import free_port
from tests.district.foreign_pole import Lane, Pole, beat
from tests.district.receiving import district
from tests.runtime.brokers import HOST, mosquitto

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[paho.MQTTv5, paho.MQTTv311], ids=["mqtt5", "mqtt311"])
async def pole(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Pole]:
    port = free_port()
    async with mosquitto(tmp_path, port):
        with district(tmp_path, str(tmp_path / "d.sqlite"), "--host", HOST, "--port", port):
            made = Pole(HOST, port, "abroad", "foreign-1", request.param)
            yield made
            made.close()


def rows(folder: Path, query: str, *values: Any) -> list[Any]:
    with closing(sqlite3.connect(folder / "d.sqlite")) as db:
        return db.execute(query, values).fetchall()


def stored(folder: Path, lane: Lane) -> list[int]:
    found = rows(
        folder,
        "SELECT seq FROM envelope WHERE site=? AND epoch=? AND lane=?",
        lane.site,
        lane.epoch,
        lane.name,
    )
    return sorted(seq for (seq,) in found)


async def test_both_lanes_a_gap_and_a_new_disk_are_stored_once_and_complete(
    pole: Pole, tmp_path: Path
) -> None:
    hi, lo = pole.lanes["hi"], pole.lanes["lo"]
    for n in range(60):
        lo.put(beat(n), beat(n))
    hi.put({"k": "weather", "of": "tomorrow"})
    pole.drain()
    lost = lo.skip(), lo.skip()
    lo.put(beat())
    assert lo.give_up(*lost) == lo.last
    pole.drain()
    assert stored(tmp_path, lo) == [n for n in range(1, lo.last + 1) if n not in lost]
    pole.drain(over=lambda: pole.said("lo")["c"] == lo.last)
    assert pole.said("lo") | {"w": 0} == {"e": lo.epoch, "l": "lo", "c": lo.last, "r": [], "x": [], "w": 0}
    pole.lanes["lo"] = Lane("foreign-1", "lo", before=lo)
    pole.drain()
    assert stored(tmp_path, pole.lanes["lo"]) == [1], (
        "the same number under another epoch is another envelope"
    )
    assert rows(tmp_path, "SELECT count(*) FROM record WHERE kind = 'hb'") == [(121,)]
    assert stored(tmp_path, hi) == [1, 2]


async def test_a_number_carries_what_came_under_it_first(pole: Pole, tmp_path: Path) -> None:
    lo = pole.lanes["lo"]
    seq = lo.put(beat(1))
    pole.drain()
    value = msgpack.unpackb(lo.rows[seq])
    pole.send("lo", msgpack.packb(value | {"r": [beat(2)]}))
    told = len(pole.acks)
    pole.drain(over=lambda: len(pole.acks) > told)
    [(body,)] = rows(tmp_path, "SELECT body FROM record WHERE kind = 'hb'")
    assert json.loads(body)["up"] == 1


async def test_what_is_refused_is_named_and_the_lane_goes_on(pole: Pole, tmp_path: Path) -> None:
    lo = pole.lanes["lo"]
    frame = zstandard.compress(msgpack.packb({"v": 1}))
    codes = {
        lo.put(beat() | {"x": math.nan}): "invalid",
        lo.put(beat() | {"x": "a\0b"}): "invalid",
        lo.put(beat(), v=0): "invalid",
        lo.put(beat(), s="another"): "misdirected",
        lo.put(beat() | {"x": "x" * (256 << 10)}): "too_big",
        (short := lo.put(beat())): "unreadable",
        (behind := lo.put(beat())): "unreadable",
    }
    lo.rows[short] = lo.rows[short][:-2]
    lo.rows[behind] = zstandard.compress(lo.rows[behind]) + frame
    later = lo.put({"k": "x"}, v=2)
    lo.put({"k": "gap", "l": "lo", "from": 40, "to": 90, "n": 51, "why": "full"})
    lo.put(beat())
    pole.drain()
    assert lo.state.dead == codes
    assert rows(tmp_path, "SELECT seq, version FROM raw_envelope") == [(later, 2)]
    pole.drain(over=lambda: pole.said("lo")["c"] == lo.last)
    assert pole.said("lo")["r"] == [], "numbers to come are waited for"
