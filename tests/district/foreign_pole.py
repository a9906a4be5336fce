"""A pole of another make: docs/protocol, paho and msgpack; nothing of the product is imported here."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from typing import Any

import msgpack
import paho.mqtt.client as paho

from tests.outlets import spec_reader

WINDOW = 20
Record = dict[str, Any]


class Lane:
    """Rows in memory: a test outlives no power cut. `state` keeps the edge's duties of acknowledgement.md."""

    def __init__(self, site: str, name: str, before: Lane | None = None) -> None:
        self.site, self.name = site, name
        self.epoch, self.last = secrets.randbits(63), 0
        self.rows: dict[int, bytes] = {}
        self.state = spec_reader.Lane(self.epoch, name, set())
        old = (None, None) if before is None else (before.epoch, before.last)
        birth = {"k": "birth", "t": now_us(), "l": name, "e": self.epoch, "pe": old[0], "pq": old[1]}
        self.put(birth | {"why": "new", "ver": "foreign", "cfg": "0" * 64})

    def put(self, *records: Record, **changes: Any) -> int:
        """The next number, for an envelope of these records; changes: keys that are said otherwise."""
        seq = self.skip()
        value = {"v": 1, "s": self.site, "e": self.epoch, "l": self.name, "q": seq, "t": now_us()}
        value |= {"c": 2, "n": len(records), "r": list(records)}  # 2: many libraries write 2.0 so
        self.rows[seq] = msgpack.packb(value | changes)
        self.state.queued.add(seq)
        return seq

    def skip(self) -> int:
        """A number that is never sent."""
        self.last += 1
        return self.last

    def give_up(self, first: int, last: int) -> int:
        """Declare these lost."""
        for seq in range(first, last + 1):
            self.state.queued.discard(seq)
        gap = {"k": "gap", "t": now_us(), "l": self.name, "from": first, "to": last, "n": last - first + 1}
        return self.put(gap | {"why": "full"})


class Pole:
    """One connection. protocol: paho's MQTTv5 or MQTTv311."""

    def __init__(self, host: str, port: int, district: str, site: str, protocol: Any) -> None:
        self.site, self._prefix = site, f"rsu/1/{district}/{site}"
        self.lanes = {name: Lane(site, name) for name in ("hi", "lo")}
        self.acks: list[dict[str, Any]] = []
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, f"rsu-{site}", protocol=protocol)
        self._client.will_set(f"{self._prefix}/state", b'{"on":0}', 1, True)
        self._client.on_message = self._heard
        self._client.on_connect = self._connected
        self._client.connect(host, port, 12)

    def drain(self, over: Callable[[], bool] | None = None, seconds: float = 30.0) -> None:
        """Send within the window until every lane is empty; begin again where 5 s pass without a word."""
        ends_s, sent, heard_s = time.monotonic() + seconds, set[tuple[str, int]](), time.monotonic()
        while not (over() if over else not any(lane.state.queued for lane in self.lanes.values())):
            assert time.monotonic() < ends_s, {name: lane.state.queued for name, lane in self.lanes.items()}
            under_way = {(n, seq) for n, seq in sent if seq in self.lanes[n].state.queued}
            waiting = [(n, seq) for n in ("hi", "lo") for seq in sorted(self.lanes[n].state.queued)]
            for name, seq in [each for each in waiting if each not in under_way][: WINDOW - len(under_way)]:
                self.send(name, self.lanes[name].rows[seq])
                sent.add((name, seq))
            told = len(self.acks)
            self._client.loop(0.1)
            if len(self.acks) > told:
                heard_s = time.monotonic()
            elif time.monotonic() - heard_s > 5.0:
                sent, heard_s = set(), time.monotonic()

    def send(self, lane: str, payload: bytes) -> None:
        """Publish under the topic of a lane."""
        self._client.publish(f"{self._prefix}/up/{lane}", payload, 1)

    def said(self, lane: str) -> dict[str, Any]:
        """The newest acknowledgement of a lane."""
        return next(ack for ack in reversed(self.acks) if ack["l"] == lane)

    def close(self) -> None:
        """Leave in order."""
        self._client.publish(f"{self._prefix}/state", b'{"on":0}', 0, True)
        self._client.disconnect()

    def _connected(self, client: Any, *_: Any) -> None:
        client.subscribe(f"{self._prefix}/ack", 0)
        epochs = {name: str(lane.epoch) for name, lane in self.lanes.items()}
        client.publish(f"{self._prefix}/state", json.dumps({"on": 1, "ep": epochs}), 1, True)

    def _heard(self, _client: Any, _userdata: Any, message: Any) -> None:
        ack = spec_reader.acknowledgement(message.payload)
        self.acks.append(ack)
        self.lanes[ack["l"]].state.hear(ack)


def now_us() -> int:
    """UTC."""
    return time.time_ns() // 1000


def beat(up: int = 0) -> Record:
    """A heartbeat."""
    return {"k": "hb", "t": now_us(), "up": up, "ok": 3}
