"""Videos and folders of pictures as cameras: order, pace, loops, ends, and what cannot be read."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from drivers.video_file.driver import Player, open_camera
from drivers.video_file.settings import Settings
from rsu_agent.ports.devices import Frame
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.opencv import FFMPEG_OPTIONS
from rsu_agent.ports.trouble import DeviceLost

pytestmark = pytest.mark.anyio
START_S = 1000.0


class Hurried(FakeClock):
    """Who sleeps on it has slept at once."""

    async def sleep_until(self, at_s: float) -> None:
        self._now_s = max(self._now_s, at_s)


@pytest.fixture(autouse=True)
def _no_rtsp_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its option `nobuffer` makes OpenCV leave out a file's first picture too."""
    monkeypatch.delenv(FFMPEG_OPTIONS, raising=False)


def grey(level: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((48, 64, 3), level, np.uint8)


def folder(path: Path, levels: dict[str, int]) -> Path:
    path.mkdir()
    for name, level in levels.items():
        assert cv2.imwrite(str(path / name), grey(level))
    return path


def video(path: Path, levels: list[int], fps: float) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (64, 48))
    assert writer.isOpened()
    for level in levels:
        writer.write(grey(level))
    writer.release()
    return path


def levels(frames: list[Frame]) -> list[int]:
    return [round(float(frame.image.mean()) / 10) * 10 for frame in frames]


def times(frames: list[Frame]) -> list[float]:
    return [round(frame.captured_s - START_S, 3) for frame in frames]


async def played(clock: FakeClock, most: int = 99, **told: object) -> tuple[list[Frame], str, dict[str, int]]:
    """Frames until the end, or so many; how it ended; what was counted."""
    frames: list[Frame] = []
    async with open_camera(Settings.model_validate({**told, "path": str(told["path"])}), clock) as camera:
        try:
            async for frame in camera:
                frames.append(frame)
                if len(frames) == most:
                    return frames, "going on", camera.counters
        except DeviceLost as lost:
            return frames, lost.reason, camera.counters
    raise AssertionError("a camera ends in DeviceLost")


async def test_a_folder_is_shown_in_the_order_of_its_names_at_ten_a_second(tmp_path: Path) -> None:
    path = folder(tmp_path / "a", {"c.png": 30, "a.png": 10, "b.JPG": 20})
    (path / "notes.txt").write_text("no picture")
    frames, end, counted = await played(Hurried(), path=path)
    assert (levels(frames), times(frames), end) == ([10, 20, 30], [0.0, 0.1, 0.2], "ended")
    assert [frame.number for frame in frames] == [1, 2, 3]
    assert counted["pictures"] == 3


@pytest.mark.parametrize(("fps", "gap_s"), [(None, 0.04), (5.0, 0.2)])
async def test_a_video_goes_at_its_own_pace_or_at_the_one_it_is_told(
    tmp_path: Path, fps: float | None, gap_s: float
) -> None:
    path = video(tmp_path / "a.avi", [10, 50, 90, 130], 25.0)
    frames, end, _ = await played(Hurried(), path=path, fps=fps)
    assert (levels(frames), end) == ([10, 50, 90, 130], "ended")
    assert times(frames) == [pytest.approx(n * gap_s, abs=0.002) for n in range(4)]


@pytest.mark.parametrize("kind", ["folder", "video"])
async def test_a_loop_goes_on_without_a_gap_and_its_times_never_go_back(tmp_path: Path, kind: str) -> None:
    shades = [10, 50, 90]
    names = {f"{n}.png": level for n, level in enumerate(shades)}
    path = folder(tmp_path / "a", names) if kind == "folder" else video(tmp_path / "a.avi", shades, 10.0)
    frames, end, _ = await played(Hurried(), most=7, path=path, loop=True)
    assert (levels(frames), end) == ([10, 50, 90, 10, 50, 90, 10], "going on")
    assert times(frames) == [pytest.approx(n / 10, abs=0.002) for n in range(7)]
    assert [frame.number for frame in frames] == list(range(1, 8))


async def test_a_slow_user_gets_the_picture_of_now_and_the_others_are_counted(tmp_path: Path) -> None:
    path = video(tmp_path / "a.avi", [10, 30, 50, 70, 90, 110, 130, 150], 10.0)
    clock = Hurried()
    async with open_camera(Settings(path=str(path)), clock) as camera:
        assert isinstance(camera, Player)
        first = await anext(camera)
        clock._now_s += 0.45
        second = await anext(camera)
        assert levels([first, second]) == [10, 90]
        assert camera.counters["overtaken"] == 3


async def test_a_picture_that_is_none_is_counted_and_the_others_are_shown(tmp_path: Path) -> None:
    path = folder(tmp_path / "a", {"1.png": 10, "3.png": 30})
    (path / "2.png").write_bytes(b"\x89PNG but not really")
    frames, _, counted = await played(Hurried(), path=path)
    assert (levels(frames), times(frames), counted["undecodable"]) == ([10, 30], [0.0, 0.2], 1)


@pytest.mark.parametrize(
    ("name", "reason"), [("nothing", "missing"), ("empty", "refused"), ("text.mp4", "refused")]
)
async def test_what_cannot_be_played_says_why(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.mp4").write_text("this is no video")
    with pytest.raises(DeviceLost) as lost:
        await played(Hurried(), path=tmp_path / name)
    assert lost.value.reason == reason


async def test_a_folder_of_nothing_but_broken_pictures_ends_even_in_a_loop(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").write_bytes(b"broken")
    frames, end, _ = await played(Hurried(), path=tmp_path / "a", loop=True)
    assert (frames, end) == ([], "refused")


async def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a refusal made up, as root may read everything."""
    path = video(tmp_path / "a.avi", [10], 10.0)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DeviceLost, match="permission"):
        await played(Hurried(), path=path)
