"""What is found wrong with a camera reaches health and metrics; what was learnt outlives a restart."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from rsu_agent.cli.doctor import LINE_HINTS
from rsu_agent.perception.camera_care import TRUST
from rsu_agent.ports.assets import asset
from rsu_agent.runtime.camera_watches import CameraWatches
from rsu_agent.settings.read import read_site
from rsu_agent.world.health import DeviceHealth, DeviceState
from tests.perception.road_pictures import picture
from tests.perception.test_camera_care import once_learnt

CAMERA = "south-west"
WORDS = Path(__file__).parents[2] / "rsu_agent/web/static/words.js"


def cameras(**changed: Any) -> list[Any]:
    section = read_site(asset("config/virtual.yaml")).settings.cameras[0]
    return [section.model_copy(update=changed)]


def health(state: DeviceState = DeviceState.OK, device: str = CAMERA) -> DeviceHealth:
    return DeviceHealth(device, state, "ok" if state is DeviceState.OK else "silent", 5.0)


def metric(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"camera": CAMERA, **labels})


def slow(folder: Path) -> CameraWatches:
    """A camera of which ten pictures a second are expected gives two."""
    watches = CameraWatches(cameras(expected_fps=10.0), folder)
    for n in range(30):
        watches.of[CAMERA].saw(picture(n % 20), n * 0.5)
    return watches


def test_a_slow_camera_is_degraded_with_its_figure_and_told_on_the_page_of_metrics(tmp_path: Path) -> None:
    watches, before = slow(tmp_path), metric("rsu_camera_trouble_total", reason="slow") or 0.0
    told = watches.dressed(health(), 14.6)
    assert (told.state, told.reason) == (DeviceState.DEGRADED, "slow")
    assert told.detail == "2.0 of 10.0 pictures a second"
    for _ in range(3):
        watches.measure(14.6)
    assert metric("rsu_camera_trouble_total", reason="slow") == before + 1, "an event, not a state"
    assert metric("rsu_camera_rate_ratio") == pytest.approx(0.2)
    assert metric("rsu_camera_trust_ratio") == 1.0 / TRUST["slow"]


def test_what_the_line_says_stands_above_the_picture(tmp_path: Path) -> None:
    watches = slow(tmp_path)
    lost, radar = health(DeviceState.LOST), health(device="radar")
    assert watches.dressed(lost, 14.6) is lost
    assert watches.dressed(radar, 14.6) is radar
    fresh, good = CameraWatches(cameras(), tmp_path), health()
    assert fresh.dressed(good, 60.0) is good, "silence is the line's own business"


def test_a_gap_between_two_pictures_does_not_hide_what_is_wrong(tmp_path: Path) -> None:
    told = slow(tmp_path).dressed(health(), 17.0)
    assert (told.state, told.reason) == (DeviceState.DEGRADED, "slow")


def test_what_was_learnt_is_kept_and_used_again_unless_the_pose_is_another(tmp_path: Path) -> None:
    watches = CameraWatches(cameras(), tmp_path)
    watches.of[CAMERA].care = copy.deepcopy(once_learnt(0).care)
    watches.measure(1.0)
    again = CameraWatches(cameras(), tmp_path).of[CAMERA].care
    assert again.drift is not None
    assert again.sharpness.hours.keys() == {0}
    pose = cameras()[0].pose
    turned = cameras(pose=pose.model_copy(update={"yaw_deg": pose.yaw_deg + 1}))
    assert CameraWatches(turned, tmp_path).of[CAMERA].care.drift is None


SPOILT = [
    "", "{", "[]", '{"mark": 5}', '{"mark": "MARK", "learnt": {}}', "[" * 100_000,
    '{"mark": "MARK", "learnt": {"rate_hz": 1, "view": 2, "hours": {}}}',
]  # fmt: skip


@pytest.mark.parametrize("text", SPOILT)
def test_a_spoilt_file_costs_what_was_learnt_and_no_more(tmp_path: Path, text: str) -> None:
    CameraWatches(cameras(), tmp_path).measure(1.0)
    path = tmp_path / "cameras" / f"{CAMERA}.json"
    path.write_text(text.replace("MARK", json.loads(path.read_text())["mark"]))
    assert CameraWatches(cameras(), tmp_path).of[CAMERA].care.drift is None


def test_a_folder_that_may_not_be_written_costs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "cameras").write_text("a file in its place")
    watches = slow(tmp_path)
    watches.measure(14.6)
    assert watches.of[CAMERA].reason(14.6) == "slow"


def test_every_word_has_a_hint_and_a_chinese_name() -> None:
    for word in (*TRUST, "black", "over_exposed", "frozen"):
        assert word in LINE_HINTS
        assert f" {word}: " in WORDS.read_text(), word
