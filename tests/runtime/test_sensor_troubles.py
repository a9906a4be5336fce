"""What is wrong with a sensor is on the page of metrics with its seconds; what is over is 0 again."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY

from rsu_agent.perception.camera_care import TRUST
from rsu_agent.runtime.sensor_troubles import CAMERA, RADAR, SensorTroubles
from rsu_agent.world.road_user import SensorHealth


def seconds(device: str) -> dict[str, float]:
    """Of each reason that is on the page for this device."""
    name = "rsu_sensor_trouble_seconds"
    told = {why: REGISTRY.get_sample_value(name, {"device": device, "reason": why}) for why in CAMERA + RADAR}
    return {why: value for why, value in told.items() if value is not None}


def health(device: str, reason: str) -> SensorHealth:
    return SensorHealth(device, reason == "ok", reason, 0.0)


def test_a_trouble_counts_from_its_beginning_and_is_over_at_once() -> None:
    troubles = SensorTroubles(["yard"], ["yard-radar"])
    for now_s, reason in ((10.0, "ok"), (11.0, "dirty"), (12.0, "dirty"), (15.5, "dirty")):
        troubles.measure([health("yard", reason), health("yard-radar", "ok")], now_s)
    assert seconds("yard") == {**dict.fromkeys(CAMERA, 0.0), "dirty": 4.5}
    assert seconds("yard-radar") == {"silent": 0.0}
    troubles.measure([health("yard", "ok")], 16.0)
    assert set(seconds("yard").values()) == {0.0}
    troubles.measure([health("yard", "dirty")], 17.0)
    troubles.measure([health("yard", "dirty")], 19.0)
    assert seconds("yard")["dirty"] == 2.0, "from its own beginning"


def test_one_trouble_gives_way_to_another() -> None:
    troubles = SensorTroubles(["lane"], [])
    for now_s, reason in ((1.0, "dirty"), (5.0, "stalled"), (8.0, "stalled")):
        troubles.measure([health("lane", reason)], now_s)
    assert (seconds("lane")["dirty"], seconds("lane")["stalled"]) == (0.0, 3.0)


def test_a_camera_that_never_gave_a_picture_and_a_radar_never_heard_are_told() -> None:
    troubles = SensorTroubles(["dead"], ["dead-radar"])
    for now_s in (0.0, 60.0):
        troubles.measure([health("dead", "starting"), health("dead-radar", "silent")], now_s)
    assert seconds("dead")["stalled"] == 60.0
    assert seconds("dead-radar")["silent"] == 60.0


@pytest.mark.parametrize("word", [*TRUST, "stalled", "frozen", "black", "over_exposed"])
def test_every_word_of_a_camera_is_one_of_the_labels(word: str) -> None:
    assert word in CAMERA
