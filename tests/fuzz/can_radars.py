"""ARS40x and NanoRadar under the fuzzer: messages of any identifier, length and content."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable

from drivers.ars40x.session import Session
from drivers.ars40x.settings import Settings
from rsu_agent.ports.can_line import CanFrame
from tests.fuzz.inputs import any_input

HEAD_BYTES = 4  # identifier, data bytes, milliseconds since the frame before
MOST_ROWS = 4 * 256  # three tables of an open cycle and the epochs, a row for each number
LENGTHS = {0x201: 8, 0x600: 5, 0x60A: 4, 0x60B: 8, 0x60C: 7, 0x60D: 8, 0x700: 4, 0x701: 8, 0x702: 5}


def reader(dialect: str) -> Callable[[], Callable[[bytes], int]]:
    """A session that configures and tells its motion, as on a pole; keeps so many rows."""

    def fresh() -> Callable[[bytes], int]:
        wanted = {"output": "objects", "quality": True, "store": True}
        keys = {"dialect": dialect, "model": "mr76", "sensor_id": 0, "still": True, "wanted": wanted}
        session, now_s = Session(Settings.model_validate(keys), 0.0, Counter()), 0.0

        def read(data: bytes) -> int:
            nonlocal now_s
            for start in range(0, len(data) - HEAD_BYTES + 1, HEAD_BYTES + 8):
                head = data[start : start + HEAD_BYTES]
                now_s += head[3] / 1000
                frame_id = int.from_bytes(head[:2], "big") & 0x7FF
                body = data[start + HEAD_BYTES : start + HEAD_BYTES + min(8, head[2])]
                for found in (*session.receive(CanFrame(frame_id, body, now_s)), *session.tick(now_s)):
                    assert all(math.isfinite(t.x_forward_m + t.y_left_m) for t in found.targets)
                    assert all(math.isfinite(p.doppler_mps) for p in found.points)
                session.next_frames(now_s)
                assert session.wake_s(now_s) < math.inf
            opened = session._link._open
            rows = sum(map(len, opened.rows.values())) if opened else 0
            return rows + len(session._reader._epochs._known)

        return read

    return fresh


def inputs(dialect: str) -> Callable[[random.Random], bytes]:
    """A few messages, most of sensor 0 and of the right length; some of it damaged."""

    def make(dice: random.Random) -> bytes:
        made = b""
        for _ in range(dice.randrange(1, 60)):
            message = dice.choice((*LENGTHS, 0x60B, 0x60C, 0x60D, 0x701, 0x68B))
            size = 8 if dialect == "nanoradar" else LENGTHS.get(message, 8)
            data = bytearray(dice.randbytes(8))
            if message in (0x60A, 0x600):
                data[:2] = bytes((dice.choice((0, 1, 3, 255)), dice.choice((0, 1))))
            elif dice.random() < 0.8:
                data[0] = dice.randrange(4)
            if dice.random() < 0.05:
                message, size = message | 0x10 * dice.randrange(8), dice.randrange(9)
            made += bytes((message >> 8, message & 0xFF, size, dice.choice((0, 0, 0, 1, 70)))) + data
        return made if dice.random() < 0.7 else any_input(dice, [made])

    return make
