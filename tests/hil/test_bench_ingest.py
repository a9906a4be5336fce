"""The benchmark of the receiver: real processes, few envelopes; every figure is there and holds together."""

from __future__ import annotations

import pytest

from hil.bench import ingest as bench
from hil.bench.command import over
from hil.mosquitto import MOSQUITTO
from hil.postgres import INITDB, MISSING
from rsu_agent.ports.envelope import unpack_envelope

pytestmark = pytest.mark.real


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (make tools)")
@pytest.mark.skipif(INITDB is None, reason=MISSING)
def test_every_figure_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "SITES", 20)
    monkeypatch.setattr(bench, "ROUNDS", 5)
    figures = bench.ingest(1)
    assert figures["envelopes"] == 2000
    assert [name for name in bench.FIGURES if not figures[name]] == []
    assert figures["cpu_us_per_envelope"] == pytest.approx(1e6 / figures["postgres_per_s"], rel=0.01)
    assert figures["ratio_copy"] < 1, "to store once costs more than to copy"


def test_what_was_not_measured_is_missed() -> None:
    assert "postgres_per_s None < 5000" in over("ingest", {"postgres_per_s": None})


def test_the_same_seed_sends_the_same_three_records_an_envelope(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "SITES", 2)
    first, again = (
        [[unpack_envelope(e).records for e in site] for site in bench.envelopes(7)] for _ in range(2)
    )
    assert {len(records) for site in first for records in site} == {3}
    assert [[r["k"] for r in records] for site in first for records in site] == [
        [r["k"] for r in records] for site in again for records in site
    ]
    assert first[0][0][0]["n"] == again[0][0][0]["n"]
