"""What people are shown beside the live events: boxes and returns, the log's tail, the change that waits."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from rsu_agent.perception.heads.detection import Detection
from rsu_agent.ports.devices import RadarFrame, RadarPoint, RadarTarget
from rsu_agent.ports.nouns import pack, unpack
from rsu_agent.runtime.config_desk import ConfigDesk
from rsu_agent.runtime.log_tail import KEPT, LONGEST, LogTail
from rsu_agent.runtime.looks import MOST, Looks, aged
from rsu_agent.settings.generations import Generations, Refused
from rsu_agent.world.road_user import UserClass

BUS = Detection(UserClass.BUS, 0.912, (10.4, 20.0, 110.6, 80.2), (60.0, 80.0))


def test_a_camera_is_boxes_and_the_size_of_the_picture_without_a_pixel() -> None:
    looks = Looks()
    looks.camera("north", np.full((72, 128, 3), 77, np.uint8), [BUS], 100.0)
    told = unpack(pack(looks.told()))
    assert aged(told, 100.25) == {
        "north": {
            "kind": "camera",
            "size": [128, 72],
            "boxes": [["bus", 0.91, 10, 20, 111, 80]],
            "age_s": 0.25,
        }
    }


def test_a_radar_is_its_returns_and_its_own_tracks() -> None:
    looks = Looks()
    points = (RadarPoint(40.04, -3.0, 0.5, -9.06),)
    looks.radar("mast", RadarFrame(1, 7.0, points, (RadarTarget(1, 40.0, -3.0, -9.1, 0.0),)))
    assert aged(looks.told(), 7.0)["mast"] == {
        "kind": "radar",
        "points": [[40.0, -3.0, -9.1]],
        "targets": [[40.0, -3.0, -9.1]],
        "age_s": 0.0,
    }


def test_the_newest_alone_is_kept_and_bounded() -> None:
    looks = Looks()
    image = np.zeros((72, 128, 3), np.uint8)
    looks.camera("north", image, [BUS] * (MOST + 9), 1.0)
    looks.camera("south", image, [], 2.0)
    assert len(looks.told()["north"]["boxes"]) == MOST
    looks.camera("north", image, [], 3.0)
    assert looks.told()["north"]["boxes"] == []
    assert looks.told().keys() == {"north", "south"}


def test_the_log_is_kept_to_its_newest_lines_without_the_sites_secrets(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("uplink:\n  password: hunter-two\n")
    tail = LogTail([site])
    log = logging.Logger("rsu_agent.outlets.uplink")
    log.addHandler(tail)
    log.debug("never shown")
    for number in range(KEPT + 5):
        log.warning("%d refused: hunter-two at rtsp://me:word@10.0.0.9/%s", number, "x" * 999)
    lines = tail.told()["lines"]
    assert (len(lines), lines[-1]["n"], lines[-1]["level"]) == (KEPT, KEPT + 5, "warning")
    assert lines[-1]["of"] == "outlets.uplink"
    assert lines[0]["text"].startswith("5 refused: ")
    assert all("hunter-two" not in line["text"] and "me:word" not in line["text"] for line in lines)
    assert all(len(line["text"]) <= LONGEST for line in lines)


@pytest.fixture
def desk(tmp_path: Path) -> ConfigDesk:
    site = tmp_path / "site.yaml"
    site.write_text("uplink:\n  port: 1\n  password: hunter-two\n")
    return ConfigDesk(site, tmp_path / "state", lambda: (tmp_path / "again").touch())


def test_with_nothing_waiting_there_is_no_difference_and_nothing_to_end(desk: ConfigDesk) -> None:
    told = desk.told()
    assert (told["pending"], told["diff"], told["history"]) == (None, [], [])
    assert "port: 1" in told["text"]
    assert "hunter-two" not in told["text"]
    for act in (desk.confirm, desk.rollback):
        with pytest.raises(Refused, match="nothing waits"):
            act("li")


def test_a_change_that_waits_is_shown_and_ended_by_name(desk: ConfigDesk, tmp_path: Path) -> None:
    kept, new = Generations(tmp_path / "state" / "config"), b"uplink:\n  port: 2\n  password: hunter-three\n"
    kept.begin(tmp_path / "site.yaml", new, 100.0)
    told = desk.told()
    assert 90 < told["pending"]["left_s"] <= 100
    assert [line for line in told["diff"] if line[0] in "+-"][2:] == ["-  port: 1", "+  port: 2"]
    assert "hunter" not in str(told), "nor that it became another secret"
    assert desk.rollback("li") == {"generation": 1}
    assert (tmp_path / "again").exists(), "the agent reads the old file"
    assert kept.history()[-1]["why"] == "asked for by li"
    kept.begin(tmp_path / "site.yaml", new, 100.0)
    desk.confirm("li")
    assert (kept.pending(), (tmp_path / "site.yaml").read_bytes()) == (None, new)
