"""CAN buses: frames in with their arrival, frames out. A thread waits for frames and wakes the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

import anyio
import anyio.lowlevel
import anyio.to_thread

from rsu_agent.ports.can_bus import CanSettings, hung_up, library, opened, shut
from rsu_agent.ports.can_faults import BUS_OFF, bus_off, lost_while_open, queue_full
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.trouble import DeviceLost

if TYPE_CHECKING:
    from can import BusABC, Message

QUEUE = 2048  # frames: half a second of a full bus at 500 kbit/s
RECV_S = 0.5  # how long closing may have to wait for the thread
WRITE_S = 1.0
CLOSE_S = 3.0


@dataclass(frozen=True, slots=True)
class CanFrame:
    """A data frame with an 11-bit identifier. arrived_s: monotonic instant at which it was in our hands."""

    id: int
    data: bytes
    arrived_s: float


class CanLine(Protocol):
    """A bus. `read` and `write` raise DeviceLost once it has gone.

    `counters`: dropped_frames (the oldest of a full queue), garbled, bus_errors, foreign_frames, unsent.
    """

    counters: Counter[str]

    async def read(self) -> tuple[CanFrame, ...]:
        """The frames that are there, at least one, oldest first. A cancelled read loses none."""
        ...

    async def write(self, frame_id: int, data: bytes) -> None:
        """Send one frame with an 11-bit identifier and up to eight bytes."""
        ...


@asynccontextmanager
async def open_can(settings: CanSettings, clock: Clock) -> AsyncIterator[CanLine]:
    """Open a bus. Raises DeviceLost: missing, permission, busy, refused, timeout, down or closed."""
    line = BusLine(await opened(settings, clock), settings.where, clock)
    try:
        yield line
    finally:
        await line.close()


class BusLine:
    """A bus of python-can. Use `open_can`.

    Of the counters the thread writes those of what comes, the event loop that of what goes: none is shared.
    """

    def __init__(self, bus: BusABC, where: str, clock: Clock) -> None:
        self._bus, self._where, self._clock = bus, where, clock
        self._can = library()
        self._loop = asyncio.get_running_loop()
        self._queue: deque[CanFrame] = deque(maxlen=QUEUE)
        self._lock = threading.Lock()
        self._waking = False  # a wake-up is on its way to the loop
        self._arrival = anyio.Event()
        self._closing = threading.Event()
        self._ended: Exception | None = None
        self.counters: Counter[str] = Counter()
        self._thread = threading.Thread(target=self._listen, name=where, daemon=True)
        self._thread.start()

    async def read(self) -> tuple[CanFrame, ...]:
        """All frames that wait."""
        await anyio.lowlevel.checkpoint()
        while True:
            with self._lock:
                frames = tuple(self._queue)
                self._queue.clear()
                self._waking, self._arrival = False, anyio.Event()
            if frames:
                return frames
            if self._ended is not None:
                raise self._ended
            await self._arrival.wait()

    async def write(self, frame_id: int, data: bytes) -> None:
        """Hand a frame to the bus; without room, as nobody acknowledges, it is counted unsent."""
        if self._ended is not None:
            raise self._ended
        message = self._can.Message(arbitration_id=frame_id, data=data, is_extended_id=False)
        send = partial(self._bus.send, message, timeout=WRITE_S)
        try:
            with self._clock.move_on_after(2 * WRITE_S):
                await anyio.to_thread.run_sync(send, abandon_on_cancel=True)
                return
        except (self._can.CanError, OSError) as error:
            if not queue_full(error):
                raise lost_while_open(self._where, error) from None
            self.counters["unsent"] += 1
            return
        raise DeviceLost("timeout", f"{self._where}: a frame is not taken", "check the adapter")

    async def close(self) -> None:
        """Give the bus back, also when cancelled; one that hangs is left to its thread."""
        self._closing.set()
        with anyio.CancelScope(shield=True), self._clock.move_on_after(CLOSE_S):
            await anyio.to_thread.run_sync(self._shut, abandon_on_cancel=True)

    def _shut(self) -> None:
        self._thread.join()
        shut(self._bus)

    def _listen(self) -> None:
        """The thread. Its end is told to the reader, whatever it was."""
        try:
            while not self._closing.is_set():
                self._receive()
            return
        except DeviceLost as lost:
            ended: Exception = lost
        except (self._can.CanError, OSError) as error:
            ended = lost_while_open(self._where, error)
        except Exception as error:  # noqa: BLE001 - a fault of ours belongs into the reader's tree
            ended = error
        with self._lock:
            self._ended = ended
            self._wake()

    def _receive(self) -> None:
        try:
            message = self._bus.recv(RECV_S)
        except self._can.CanError as error:
            if not isinstance(error.__cause__, UnicodeDecodeError):
                raise
            self._bus.flush()  # type: ignore[attr-defined]  # slcan keeps such a line, and all behind it
            self.counters["garbled"] += 1
            return
        except (ValueError, IndexError):  # slcan: a line that is no frame
            self.counters["garbled"] += 1
            return
        if message is not None:
            self._take(message, self._clock.now_s())
        elif self._bus.state is self._can.BusState.ERROR:
            raise bus_off(self._where)
        elif hung_up(self._bus):
            raise ConnectionResetError("the server ended the connection")

    def _take(self, message: Message, now_s: float) -> None:
        if message.is_error_frame:
            self.counters["bus_errors"] += 1
            if message.arbitration_id & BUS_OFF:
                raise bus_off(self._where)
            return
        if message.is_extended_id or message.is_remote_frame or message.is_fd:
            self.counters["foreign_frames"] += 1
            return
        frame = CanFrame(message.arbitration_id, bytes(message.data), now_s)
        with self._lock:
            self.counters["dropped_frames"] += len(self._queue) == QUEUE
            self._queue.append(frame)
            self._wake()

    def _wake(self) -> None:
        """Tell the loop, once for all that has come since it last looked. The lock is held."""
        if not self._waking:
            self._waking = True
            with suppress(RuntimeError):  # the loop is closed: nobody reads any more
                self._loop.call_soon_threadsafe(self._arrival.set)
