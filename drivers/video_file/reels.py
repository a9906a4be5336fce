"""Pictures in order with their times: the files of a folder, or a video."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from rsu_agent.ports.newest_frame import STAMP_MS, Capture
from rsu_agent.ports.opencv import file_capture, picture_of
from rsu_agent.ports.trouble import DeviceLost

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp"})
FOLDER_FPS = 10.0


class Reel(Protocol):
    """Pictures in order, once."""

    def go_on(self) -> float | None:
        """Move to the next picture; seconds since the first one, None: there is none. May block."""
        ...

    def picture(self) -> Any:
        """The present picture, None where it cannot be read. May block."""
        ...

    def close(self) -> None: ...


class FolderReel:
    """The pictures of a folder, in the order of their names."""

    def __init__(self, paths: list[Path], fps: float) -> None:
        self._paths, self._fps, self._at = paths, fps, -1

    def go_on(self) -> float | None:
        """As Reel."""
        self._at += 1
        return self._at / self._fps if self._at < len(self._paths) else None

    def picture(self) -> Any:
        """As Reel."""
        return picture_of(self._paths[self._at])

    def close(self) -> None:
        """Nothing is open."""


class VideoReel:
    """A video file; fps None: its own pace, by the time each picture tells, else by its frame rate."""

    def __init__(self, capture: Capture, own_fps: float, fps: float | None) -> None:
        self._capture, self._fps, self._own_fps = capture, fps, own_fps or FOLDER_FPS
        self._at, self._first_s, self._last_s = -1, 0.0, 0.0

    def go_on(self) -> float | None:
        """As Reel."""
        if not self._capture.grab():
            return None
        self._at += 1
        if self._fps is not None:
            return self._at / self._fps
        told_s = self._capture.get(STAMP_MS) / 1000
        if self._at == 0:
            self._first_s = told_s
        else:
            goes_on = told_s - self._first_s > self._last_s
            self._last_s = told_s - self._first_s if goes_on else self._last_s + 1 / self._own_fps
        return self._last_s

    def picture(self) -> Any:
        """As Reel."""
        good, image = self._capture.retrieve()
        return image if good else None

    def close(self) -> None:
        """Let go of the file."""
        self._capture.release()


def open_reel(path: Path, fps: float | None) -> Reel:
    """The folder or file from its beginning. Raises DeviceLost: missing, permission, refused."""
    try:
        if not path.is_dir():
            path.open("rb").close()
            return VideoReel(*file_capture(path), fps)
        paths = sorted(each for each in path.iterdir() if each.suffix.lower() in SUFFIXES)
    except FileNotFoundError:
        raise DeviceLost("missing", f"there is no {path}", "name a video or a folder of pictures") from None
    except PermissionError:
        raise DeviceLost("permission", f"{path} may not be read", "the user rsu-agent must read it") from None
    if not paths:
        raise DeviceLost("refused", f"{path} holds no pictures", f"they end in {', '.join(sorted(SUFFIXES))}")
    return FolderReel(paths, fps or FOLDER_FPS)
