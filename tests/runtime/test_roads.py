"""The road's branch: lamps and scenes in, the minute's records on their way to the district."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio
import pytest

from rsu_agent.messages.moment import Instant
from rsu_agent.ports.assets import asset
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.runtime.roads import Roads
from rsu_agent.settings.read import read_site
from rsu_agent.world.road_user import RoadUser, Scene, SensorHealth, UserClass
from rsu_agent.world.signal import Colour, Control, Lamp, SignalReport

START_S = 1020.0
UTC_S = 1_790_000_040.0  # a whole minute


class Kept:
    """Records, as the post would send them."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def put(self, records: list[dict[str, Any]]) -> None:
        self.records += records


def roads(clock: FakeClock, post: Kept) -> Roads:
    """The branch with nobody to speak to."""
    silent = SimpleNamespace(
        users=lambda *_: [], hazards=lambda *_: [], record=lambda *_, **__: None, round_over=lambda: None
    )
    trust = SimpleNamespace(instant=lambda now_s, utc_s: Instant(now_s, utc_s))
    others: dict[str, Any] = {"air": silent, "trust": trust, "post": post, "window": SimpleNamespace()}
    site = read_site(cast("Path", asset("config/virtual.yaml")))
    return Roads(site, clock, **others, speaker=cast("Any", silent), recorder=cast("Any", silent))


def report(at_s: float) -> SignalReport:
    return SignalReport(at_s, at_s, (Lamp(1, Colour.GREEN),), True, Control.FIXED_TIME, 1, None)


def scene(at_s: float) -> Scene:
    """One car on its way south through the middle lane of the north arm, over 20 s."""
    since_s = at_s - START_S
    y = 90.0 - 9.0 * since_s
    body = 4.5, 1.8, 1.5, 0.3
    users = (RoadUser(1, UserClass.CAR, -5.25, y, 0.0, -9.0, 9.0, 180.0, *body, ("camera",), START_S),)
    seen = SensorHealth("camera", True, "ok", 0.05, ("N", "E", "S", "W"))
    return Scene(at_s, round(since_s * 10), users if y > -90.0 else (), (seen,))


@pytest.mark.anyio
async def test_who_passes_on_the_controllers_green_is_told_as_such() -> None:
    clock, post = FakeClock(START_S, UTC_S), Kept()
    branch = roads(clock, post)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(branch.run)
        for _ in range(620):
            branch.saw_lamps(report(clock.now_s()))
            branch.scene(scene(clock.now_s()))
            await clock.advance(0.1)
        tasks.cancel_scope.cancel()
    flows = {record["ln"]: record for record in post.records if record["k"] == "flow"}
    assert flows[2]["n"] == {"car": 1}
    assert (flows[2]["mv"], flows[2]["rt"]) == ({"through": 1}, {"go": 1})
    assert sum(flow["n"].get("car", 0) for flow in flows.values()) == 1
