"""The newest picture of a capture that blocks: a thread grabs without pause, and is watched from outside."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

import anyio

from rsu_agent.ports.camera_declared import CameraDeclared
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.devices import Frame
from rsu_agent.ports.stream_time import StreamTime, Thinning
from rsu_agent.ports.trouble import DeviceLost

GRACE_S = 0.5  # a thread that is so much over its time-out does not keep it, and is given up
LEAVE_S = 0.3  # a thread that is told to end may take so long to let go of its device
MOST_GIVEN_UP = 8  # threads that hang, each with its device's memory; then a new process is the cure
STAMP_MS = 0  # CAP_PROP_POS_MSEC
NEARLY = 0.9  # of a time-out: what took so long was the time-out

_given_up: list[threading.Thread] = []


class Capture(Protocol):
    """What is used of OpenCV's VideoCapture. `grab` and `retrieve` block."""

    def grab(self) -> bool: ...

    def retrieve(self) -> tuple[bool, Any]: ...

    def get(self, what: int, /) -> float: ...

    def release(self) -> None: ...


class NewestFrame:
    """ports.devices.Camera. Between two asks the pictures go on; those overtaken are counted.

    A picture is stamped when it has been grabbed. The capture is opened, read and released by one thread,
    which nobody waits for: one that hangs is left behind and lets go of its device if it ever wakes.
    """

    def __init__(
        self, open_capture: Callable[[], Capture], settings: CameraDeclared, clock: Clock, where: str
    ) -> None:
        self._open_capture, self._settings, self._clock, self._where = open_capture, settings, clock, where
        self._lock = threading.Lock()
        self._frame: Frame | None = None
        self._fault: BaseException | None = None
        self._opened = self._over = False
        self._ending = threading.Event()
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name=f"camera {where}", daemon=True)
        self.counters: dict[str, int] = Counter()

    async def open(self) -> None:
        """Start the thread and wait until it has opened the capture. Raises DeviceLost."""
        _given_up[:] = [thread for thread in _given_up if thread.is_alive()]
        if len(_given_up) >= MOST_GIVEN_UP:
            raise RuntimeError(f"{len(_given_up)} cameras hang inside OpenCV: this process must begin anew")
        self._thread.start()
        await self._until(
            lambda: self._opened, self._settings.open_timeout_s, "timeout", "check the network to the camera"
        )

    async def end(self) -> None:
        """Tell the thread to end; wait a moment for it, and give it up if it hangs."""
        self._ending.set()
        if self._thread.ident is None:
            return
        with anyio.CancelScope(shield=True), anyio.move_on_after(LEAVE_S):
            await self._news_of(lambda: self._over)
        if not self._over:
            _given_up.append(self._thread)

    def __aiter__(self) -> AsyncIterator[Frame]:
        return self

    async def __anext__(self) -> Frame:
        await self._until(
            lambda: self._frame is not None, self._settings.read_timeout_s, "silent", "restart the camera"
        )
        with self._lock:
            frame, self._frame = self._frame, None
        assert frame is not None
        self.counters["pictures"] += 1
        return frame

    async def _until(self, true: Callable[[], bool], timeout_s: float, reason: str, hint: str) -> None:
        """Wait for the thread, or raise what ended it."""
        with self._clock.move_on_after(timeout_s + GRACE_S):
            await self._news_of(lambda: true() or self._fault is not None)
        if true():
            return
        if self._fault is None:
            raise DeviceLost(reason, f"{self._where}: nothing for {timeout_s:g} s", hint)
        raise self._fault

    async def _news_of(self, true: Callable[[], bool]) -> None:
        """Wait until the thread has made it true."""
        while not true():
            self._news.clear()
            if not true():
                await self._news.wait()

    def _run(self) -> None:
        capture: Capture | None = None
        try:
            capture = self._open_capture()
            self._opened = True
            self._tell()
            self._grab_on(capture)
        except BaseException as fault:  # noqa: BLE001  it is raised where the pictures are asked for
            self._fault = fault
        finally:
            if capture is not None:
                capture.release()
            self._over = True
            self._tell()

    def _grab_on(self, capture: Capture) -> None:
        stream, thinning = StreamTime(), Thinning(self._settings.most_fps)
        began_s = self._clock.now_s()
        while not self._ending.is_set():
            if not capture.grab():
                waited_s = self._clock.now_s() - began_s
                timed_out = waited_s >= NEARLY * self._settings.read_timeout_s
                raise DeviceLost("silent" if timed_out else "closed", f"{self._where}: the pictures end")
            began_s = at_s = self._clock.now_s()
            if not stream.took(capture.get(STAMP_MS), at_s):
                self.counters["out_of_order"] += 1
            elif not thinning.takes(at_s):
                self.counters["passed_over"] += 1
            else:
                self._keep(capture, at_s)

    def _keep(self, capture: Capture, at_s: float) -> None:
        """Put the picture that was grabbed at at_s in the place of the one before."""
        good, image = capture.retrieve()
        if not good or image is None:
            self.counters["undecodable"] += 1
            return
        self.counters["grabbed"] += 1
        captured_s = at_s - self._settings.latency_ms / 1000
        with self._lock:
            self.counters["overtaken"] += self._frame is not None
            self._frame = Frame(self.counters["grabbed"], captured_s, at_s, image)
        self._tell()

    def _tell(self) -> None:
        """Wake whoever waits; the loop may have gone."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._news.set)


@asynccontextmanager
async def open_newest(
    open_capture: Callable[[], Capture], settings: CameraDeclared, clock: Clock, where: str
) -> AsyncIterator[NewestFrame]:
    """A camera over a capture. open_capture runs in the camera's thread and may raise DeviceLost.

    where: for people; never with a password in it. Raises DeviceLost.
    """
    camera = NewestFrame(open_capture, settings, clock, where)
    try:
        await camera.open()
        yield camera
    finally:
        await camera.end()
