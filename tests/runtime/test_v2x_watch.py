"""An attack by a vehicle's own word is a device's health for a minute; who hears none tells nothing."""

from __future__ import annotations

from rsu_agent.perception.roadway import Roadway
from rsu_agent.perception.v2x import Vehicles
from rsu_agent.ports.assets import asset
from rsu_agent.runtime.v2x_watch import V2xWatch
from rsu_agent.settings.crossing import read_crossing
from rsu_agent.world.health import DeviceHealth, DeviceState
from rsu_agent.world.place import LocalFrame

CROSSING = read_crossing(asset("config/crossings/virtual.geojson"))


def test_an_attack_is_told_with_its_sender_and_is_over_after_a_minute() -> None:
    told: list[DeviceHealth] = []
    vehicles, watch = Vehicles(LocalFrame(CROSSING.origin), Roadway(CROSSING)), V2xWatch(told.append)
    watch.look(vehicles, 1.0)
    assert told == []
    vehicles.matched = 1
    watch.look(vehicles, 2.0)
    vehicles.jumps, vehicles.attacked_s, vehicles.attacker = 1, 2.5, "0102"
    watch.look(vehicles, 3.0)
    watch.look(vehicles, 63.0)
    assert [(each.device, each.state, each.reason, each.detail) for each in told] == [
        ("v2x", DeviceState.OK, "ok", ""),
        ("v2x", DeviceState.DEGRADED, "jump", "0102"),
        ("v2x", DeviceState.OK, "ok", ""),
    ]
