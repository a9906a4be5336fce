"""The uplink process between the core's link and the outbox: what it takes, tells and gives up."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path
from typing import Any

import anyio
import pytest

from rsu_agent.outlets import outbox as outbox_module
from rsu_agent.outlets.outbox import Outbox
from rsu_agent.outlets.uplink import Uplink
from rsu_agent.ports.clock import SystemClock
from rsu_agent.runtime.compose_uplink import _take, _tell, health
from rsu_agent.world.health import DeviceHealth, DeviceState

pytestmark = pytest.mark.anyio
QUOTA = 8 << 20


class Core:
    """The core's end of the link."""

    def __init__(self, *records: dict[str, Any]) -> None:
        self.letters = deque({"id": n, "lane": "hi", "record": r} for n, r in enumerate(records))
        self.heard: list[tuple[str, Any]] = []

    async def receive(self) -> tuple[str, Any]:
        if not self.letters:
            await anyio.sleep_forever()
        return "record", self.letters.popleft()

    def send(self, topic: str, noun: Any, *, newest: bool = False) -> None:
        self.heard.append((topic, noun))

    def told(self, topic: str) -> list[Any]:
        return [noun for name, noun in self.heard if name == topic]


async def serve(core: Core, outbox: Outbox, gone: list[int], seconds: float, true: Any) -> Uplink:
    """Both directions until a condition holds."""
    uplink = Uplink(outbox, None, "p", "s", SystemClock())  # type: ignore[arg-type]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_take, core, outbox, gone)
        tasks.start_soon(_tell, core, outbox, uplink, gone, SystemClock())
        with anyio.fail_after(seconds):
            while not true():  # noqa: ASYNC110 (the writer is a thread)
                await anyio.sleep(0.01)
        tasks.cancel_scope.cancel()
    return uplink


async def test_what_is_on_disk_is_told_and_what_never_can_be_is_not_asked_for_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gone: list[int] = []
    outbox = Outbox(tmp_path, QUOTA, gone.extend, site="s")
    core = Core({"k": "event", "n": 1}, {"k": "event", "x": "y" * (1 << 18)}, {"k": "event", "n": 2})
    await serve(
        core, outbox, gone, 20, lambda: {0, 1, 2} == {n for some in core.told("committed") for n in some}
    )
    stored = [record for _, records in outbox.after("hi", 0, 10) for record in records]
    [lost] = [record for record in stored if record["k"] == "lost"]
    assert (lost["l"], lost["kd"], lost["n"], lost["why"]) == ("hi", "event", 1, "too_big")
    assert [record["n"] for record in stored if record["k"] == "event"] == [1, 2]
    assert "a record of kind event is lost: too_big" in caplog.text
    outbox.close()


async def test_a_declaration_waits_for_a_full_hand_over_as_any_record_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "HAND_OVER", 1)
    gone: list[int] = []
    outbox = Outbox(tmp_path, QUOTA, gone.extend, site="s")
    core = Core(*({"k": "event", "x": "y" * (1 << 18)} for _ in range(20)))
    await serve(
        core, outbox, gone, 20, lambda: len({n for some in core.told("committed") for n in some}) == 20
    )
    outbox.close()
    assert outbox.record_numbers()["hi"]["produced"] == 20


async def test_a_full_hand_over_waits_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "HAND_OVER", 3)
    gone: list[int] = []
    outbox = Outbox(tmp_path, QUOTA, gone.extend, site="s")
    core = Core(*({"k": "event", "n": n} for n in range(60)))
    await serve(core, outbox, gone, 20, lambda: sum(map(len, core.told("committed"))) == 60)
    outbox.close()
    assert outbox.record_numbers()["hi"]["produced"] == 60


async def test_a_lane_that_gives_something_up_is_an_alarm_and_metrics_say_how_much(tmp_path: Path) -> None:
    gone: list[int] = []
    outbox = Outbox(tmp_path, 1 << 20, gone.extend, site="s")
    core = Core(*({"k": "event", "n": n, "x": os.urandom(600).hex()} for n in range(200)))

    def alarmed() -> bool:
        return any(isinstance(h, DeviceHealth) and h.reason == "dropping_hi" for h in core.told("health"))

    uplink = await serve(core, outbox, gone, 20, alarmed)
    assert health(outbox, uplink) == (DeviceState.DEGRADED, "dropping_hi")
    page = core.told("metrics")[-1]
    assert 'rsu_outbox_records{lane="hi",what="dropped"}' in page
    assert 'rsu_outbox_uncommitted_max_seconds{lane="hi"}' in page
    outbox.close()
