"""What the tests of dashboards and documents share: asking a running crossing and its district."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from installing import ROOT
from prometheus_client.parser import text_string_to_metric_families

from hil.rig import Rig

WAIT_S = 150.0
VECTORS = ROOT / "docs" / "protocol" / "vectors" / "envelopes.json"


def series_of(page: str) -> dict[str, list[dict[str, str]]]:
    """The labels of every series, by the name of its metric."""
    found: dict[str, list[dict[str, str]]] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.labels)
    return found


def until(true: Callable[[], Any], what: Callable[[], Any]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline, what()
        time.sleep(0.2)


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return str(answer.read().decode())


def garble(rig: Rig, on: bool) -> None:
    rig.bus.publish("fault", {"device": "controller", "name": "garbage", "on": on})


def pole_page(rig: Rig) -> str:
    port = rig.run_dir / "agent" / "metrics.port"
    return read(f"http://127.0.0.1:{port.read_text()}/metrics") if port.exists() else ""


def send(host: str, port: int) -> None:
    """What a pole sends: its state, an envelope, and something that nobody can read."""
    good = json.loads(VECTORS.read_text())[0]
    before, _, _ = good["topic"].rpartition("/up/")
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect(host, port)
    client.loop_start()
    said = [(good["topic"], bytes.fromhex(good["hex"])), (good["topic"], b"none")]
    for topic, payload in [*said, (f"{before}/state", b'{"on":1}')]:
        client.publish(topic, payload, 1, retain=topic.endswith("state")).wait_for_publish(30)
    client.loop_stop()
    client.disconnect()
