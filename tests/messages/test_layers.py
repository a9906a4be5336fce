"""A MAP too large for a frame is split by layerID: nothing is lost, what cannot be split is refused."""

from __future__ import annotations

import pytest

from hil.bench.crossing import site
from rsu_agent.messages.dsrc import codec
from rsu_agent.messages.dsrc.layers import layers
from rsu_agent.messages.dsrc.map import map_value


@pytest.fixture(scope="module")
def whole() -> dict[str, object]:
    return map_value(site().crossing, None, 3, region=None)


def test_a_map_that_fits_stays_one_with_layer_0(whole: dict[str, object]) -> None:
    assert layers(whole, 1400) == [whole]
    assert whole["layerID"] == 0


@pytest.mark.parametrize("most", [400, 250, 120])
def test_parts_fit_carry_every_lane_once_and_keep_approaches_together(
    whole: dict[str, object], most: int
) -> None:
    parts = layers(whole, most)
    assert [part["layerID"] for part in parts] == list(range(1, len(parts) + 1))
    assert all(len(codec.encode(part, "MapData")) <= most for part in parts)
    lanes = [lane for part in parts for lane in part["intersections"][0]["laneSet"]]
    (told,) = whole["intersections"]  # type: ignore[attr-defined]
    assert sorted(lane["laneID"] for lane in lanes) == sorted(lane["laneID"] for lane in told["laneSet"])
    approaches = [lane.get("ingressApproach", lane.get("egressApproach")) for lane in lanes]
    assert approaches == sorted(approaches)
    for part in parts:
        assert {**part["intersections"][0], "laneSet": 0} == {**told, "laneSet": 0}


def test_a_lane_that_fits_no_frame_is_refused_with_its_size(whole: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"lane \d+ alone makes a MAP of \d+ bytes, 40 may be sent"):
        layers(whole, 40)
