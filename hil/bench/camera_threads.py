"""A thread a camera, as the senses have them: at a rate, or flat out; what they did and what they cost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WARM = 2


@dataclass(frozen=True, slots=True)
class Looked:
    """Pictures a second of all cameras; the share done before the next one came; processors used."""

    pictures_a_second: float
    on_time: float
    cores_used: float


def look(cameras: Sequence[Callable[[], object]], rate_hz: float, seconds: float) -> Looked:
    """Each camera's work on a picture, by its own thread, `rate_hz` times a second or (0) without a pause."""
    done, late = [0] * len(cameras), [0] * len(cameras)
    for camera in cameras:
        for _ in range(WARM):
            camera()
    began_s, cpu_s = time.perf_counter(), time.process_time()

    def follow(n: int) -> None:
        while (now_s := time.perf_counter()) < began_s + seconds:
            due_s = began_s + (done[n] + n / len(cameras)) / rate_hz if rate_hz else now_s
            if due_s > now_s:
                time.sleep(due_s - now_s)
            cameras[n]()
            done[n] += 1
            late[n] += rate_hz > 0 and time.perf_counter() > due_s + 1 / rate_hz

    threads = [threading.Thread(target=follow, args=(n,)) for n in range(len(cameras))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall_s = time.perf_counter() - began_s
    used = (time.process_time() - cpu_s) / wall_s
    return Looked(round(sum(done) / wall_s, 1), round(1 - sum(late) / max(1, sum(done)), 4), round(used, 3))
