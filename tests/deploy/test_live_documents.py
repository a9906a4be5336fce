"""What the reference says of metrics and of the control socket is what a running crossing answers."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from living import pole_page, read, until
from prometheus_client.parser import text_string_to_metric_families

from hil.rig import Rig
from rsu_agent.cli import client
from rsu_agent.cli.metrics_page import Told, of_the_agent, of_the_district
from rsu_agent.runtime.control_openapi import READS, STREAMS, document

pytestmark = pytest.mark.real


def untold(page: str, told: list[Told]) -> list[str]:
    """What is on a page of metrics and not in the reference, or otherwise than it says."""
    known = {each.name: each for each in told}
    wrong = []
    for family in text_string_to_metric_families(page):
        name = family.name + "_total" * (family.type == "counter")
        if name not in known:
            wrong.append(f"{name} is not told")
            continue
        kind, labels = known[name].kind, set(known[name].labels) | {"le"}
        wrong += [f"{name} is a {family.type}"] if family.type != kind else []
        wrong += [f"{name}: {label}" for s in family.samples for label in s.labels if label not in labels]
    return wrong


def faults(value: Any, name: str) -> list[str]:
    """Where an answer is not as the document says."""
    schema = {**document(), "$ref": f"#/components/schemas/{name}"}
    return [fault.message for fault in jsonschema.Draft202012Validator(schema).iter_errors(value)]


def test_every_metric_of_the_agent_and_of_the_district_is_in_the_reference(
    crossing: Rig, district: str
) -> None:
    until(lambda: "rsu_uplink_round_trip_seconds" in pole_page(crossing), lambda: pole_page(crossing))
    assert untold(pole_page(crossing), of_the_agent()) == []
    until(lambda: "rsu_district_envelopes_total" in read(district), lambda: read(district))
    assert untold(read(district), of_the_district()) == []


@pytest.mark.parametrize("path", READS)
def test_an_answer_of_the_control_socket_is_as_its_document_says(path: str, crossing: Rig) -> None:
    def ask() -> Any:
        return json.loads(client.fetch(crossing.socket, path.removeprefix("/v1/")))

    until(lambda: crossing.socket.exists(), lambda: crossing.socket)
    until(lambda: b'"SPAT"' in client.fetch(crossing.socket, "messages"), ask)
    assert faults(ask(), READS[path][1]) == []


def test_the_live_stream_is_as_its_document_says_once_there_are_road_users(crossing: Rig) -> None:
    for live in client.stream(crossing.socket, "live"):
        assert faults(live, STREAMS["/v1/live"][1]) == []
        if live["users"]:
            return
    pytest.fail("the stream has ended")


def test_the_stream_of_the_line_is_as_its_document_says(crossing: Rig) -> None:
    for piece in client.stream(crossing.socket, "line"):
        assert faults(piece, STREAMS["/v1/line"][1]) == []
        if piece.get("hex"):
            return
    pytest.fail("the stream has ended")


def test_an_answer_that_lacks_a_key_or_has_another_type_is_found_out() -> None:
    good = {"table": [], "voice": "speaking", "judged": {}, "evidence": {}, "speaker": {}}
    assert faults(good, "Guard") == []
    assert faults({**good, "voice": 1}, "Guard") != []
    assert faults({"table": []}, "Guard") != []
    told = [Told("rsu_a_total", "counter", ("kind",), "", "")]
    page = '# TYPE rsu_a_total counter\nrsu_a_total{kind="x",why="y"} 1\n# TYPE rsu_b gauge\nrsu_b 1\n'
    assert untold(page, told) == ["rsu_a_total: why", "rsu_b is not told"]
