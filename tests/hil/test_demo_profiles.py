"""The demo in the sets of Europe and America: its bounds hold, and tshark finds nothing malformed on air."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from hil.demo import demo_figures
from hil.rig import RigOptions
from hil.score.bounds import LACKS, figure
from hil.truth import read_truth
from tests.messages.tshark import ETHERNET, TSHARK, capture, fields

SECONDS = 10.0
SHORT_CYCLE = 3  # plan 3: 28 s; groups that it never serves stay red and have no end


def run(messages: str, folder: Path) -> dict[str, Any]:
    options = RigOptions(plan=SHORT_CYCLE, page=False, metrics_port=0, messages=messages)
    figures = demo_figures(SECONDS, options, keep=folder)
    assert [missed for missed in figures["missed"] if not missed.startswith("spat.times_share")] == []
    assert figures["spat"]["ends_announced"] > 500
    assert figures["spat"]["end_error_p95_s"] <= 0.2
    assert (figures["spat"]["wrong_colour_ms"], figures["air"]["not_understood"]) == (0.0, 0)
    for path in ("rsm.per_10s", "tracks.recall", "latency.camera_to_rsm_p95_ms"):
        assert path.startswith(LACKS[messages])
        assert figure(figures, path) is None
    return figures


@pytest.mark.skipif(TSHARK is None, reason="tshark is missing: make tools")
def test_the_demo_in_europe_and_every_frame_of_it_in_tshark(short_path: Path) -> None:
    run("etsi", short_path / "run")
    heard = [bytes.fromhex(entry["hex"]) for entry in read_truth(short_path / "run", "air")]
    names = (
        "geonw.src_pos.addr.type",
        "btpb.dstport",
        "its.messageID",
        "_ws.malformed",
        "_ws.expert.message",
    )
    told = Counter(map(tuple, fields(capture(short_path / "air.pcap", heard, ETHERNET), *names)))
    assert {row[:3] for row in told} <= {("15", "2002", "1"), ("15", "2003", "5"), ("15", "2004", "4")}
    assert {row[3:] for row in told} == {("", "")}, "malformed, or tshark has something to remark"
    assert told["15", "2004", "4", "", ""] > 100 * SECONDS / 10
    assert told["15", "2003", "5", "", ""] > SECONDS


def test_the_demo_in_america(short_path: Path) -> None:
    figures = run("j2735", short_path / "run")
    assert figures["messages"] == "j2735"
