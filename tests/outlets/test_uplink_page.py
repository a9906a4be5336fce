"""docs/reference/uplink.md against the program: kinds, lanes, fields, and records as they are made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import pytest

from rsu_agent.outlets.outbox import Outbox, read_numbers
from rsu_agent.outlets.summary import HEALTH_S, QUEUE_US, Summary
from rsu_agent.outlets.summary_kinds import KINDS, LANE_OF, Kind
from rsu_agent.ports.envelope import LANES, LARGEST, Ack, Envelope, pack_ack, pack_envelope
from rsu_agent.settings.crossing import read_crossing
from rsu_agent.world.hazard import Hazard, HazardKind
from rsu_agent.world.health import DeviceHealth, DeviceState
from rsu_agent.world.road_user import RoadUser, Scene, SensorHealth, UserClass
from rsu_agent.world.signal import Colour

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "uplink.md").read_text()
OUTLETS = ROOT / "rsu_agent" / "outlets"
BY_NAME = {kind.kind: kind for kind in KINDS}
ROW = re.compile(r"^\| `(\w+)` \| (.*) \|$", re.MULTILINE)


def section(title: str) -> str:
    """A section's text, to the next title."""
    start = PAGE.index(f"\n{title}\n")
    end = re.compile(r"^#", re.MULTILINE).search(PAGE, start + len(title) + 2)
    return PAGE[start : end.start() if end else len(PAGE)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_the_page_tells_every_field_of_a_kind_as_the_program_has_it(kind: Kind) -> None:
    text = section(f"### `{kind.kind}`")
    assert f"Lane `{kind.lane}`. Purpose: {kind.purpose}. Written by `outlets/{kind.writer}.py`." in text
    rows = {key: tuple(rest.split(" | ")) for key, rest in ROW.findall(text)}
    assert rows == {
        field.key: (field.holds, field.meaning, "always" if field.always else "sometimes")
        for field in kind.fields
    }


def test_the_page_tells_of_no_kind_that_the_program_has_not() -> None:
    assert re.findall(r"^### `(\w+)`$", PAGE, re.MULTILINE) == [kind.kind for kind in KINDS]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_a_kind_has_a_lane_that_exists_and_a_writer_that_writes_it(kind: Kind) -> None:
    assert kind.lane in LANES
    assert f'"k": "{kind.kind}"' in (OUTLETS / f"{kind.writer}.py").read_text()


def test_the_page_tells_the_keys_of_envelope_and_acknowledgement() -> None:
    envelope = msgpack.unpackb(pack_envelope(Envelope("s", 1, "hi", 1, 1, ())))
    ack = msgpack.unpackb(pack_ack(Ack(1, "hi", 1)))
    assert {key for key, _ in ROW.findall(section("## Envelope"))} == set(envelope)
    assert {key for key, _ in ROW.findall(section("## Acknowledgement"))} == set(ack)
    assert f"At most\n{LARGEST} bytes" in section("## Envelope")


def made_by_the_summary() -> Iterator[dict[str, Any]]:
    """At least one record of every kind that the summary makes, from a queue, a passer-by and a hazard."""
    crossing = read_crossing(ROOT / "config" / "crossings" / "virtual.geojson")
    summary, lane = Summary(crossing, 0.0), next(lane for lane in crossing.lanes if lane.role == "entry")
    x, y = lane.points[-1][0], lane.points[-1][1] + 5.0  # of the north arm: five metres before the line
    car = RoadUser(1, UserClass.CAR, x, y, 0.0, 0.0, 0.0, None, 4.5, 1.8, 1.5, 0.3, ("camera",), 0.0)
    for tick in range(2 * QUEUE_US // 100_000):
        seen = SensorHealth("camera", True, "ok", 0.05, ("N", "E", "S", "W"))
        yield from summary.scene(Scene(tick / 10, tick, (car,), (seen,)), 0.0)
    hazard = Hazard(1, HazardKind.STOPPED_VEHICLE, 1.0, 5.0, x, y, 1, lane.lane, None, "stands")
    yield from summary.hazard(hazard, 0.0)
    yield from summary.changed(3, Colour.RED, 5)
    yield from summary.changed(3, Colour.GREEN, 6, source="controller")
    yield from summary.device(DeviceHealth("radar", DeviceState.LOST, "missing", 1.0), 7)
    made = {"file": "north-20261126T120000Z.png", "pictures": 34, "filled": 2}
    yield from summary.still("north", "tech", made, 8)
    yield from summary.still("north", "tech", {"refused": "busy"}, 9)
    yield from summary.beat(2 * HEALTH_S + 2.0, 0.0)


def conforms(record: dict[str, Any]) -> bool:
    kind = BY_NAME[record["k"]]
    known, always = {f.key for f in kind.fields}, {f.key for f in kind.fields if f.always}
    return always <= set(record) - {"k"} <= known


def test_every_record_of_the_summary_has_the_fields_of_its_kind_and_no_other() -> None:
    records = list(made_by_the_summary())
    assert [record for record in records if not conforms(record)] == []
    assert {record["k"] for record in records} == set(LANE_OF) - {"gap", "birth"}


def test_the_gap_record_of_a_full_outbox_has_the_fields_of_its_kind(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, 1 << 17)
    gaps: list[dict[str, Any]] = []
    for n in range(4000):
        assert outbox.append({"k": "phase", "g": n, "c": "red" * 20, "t": n}, "lo")
    outbox.close()
    assert read_numbers(tmp_path)["lo"]["dropped"] > 0
    outbox = Outbox(tmp_path, 1 << 20)
    for _, records in outbox.after("lo", 0, 10_000):
        gaps += [record for record in records if record["k"] == "gap"]
    outbox.close()
    assert gaps
    assert all(conforms(gap) for gap in gaps)
