"""Reference pages of metrics, topics and the control socket name what the code has, and nothing else."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

import rsu_agent
from rsu_agent.cli.control_page import control_page
from rsu_agent.cli.generate import pages
from rsu_agent.cli.metrics_page import metrics_page, of_the_agent, of_the_district
from rsu_agent.cli.topics_page import topics_page
from rsu_agent.outlets.mqtt_topics import MQTT_TOPICS
from rsu_agent.runtime import topics
from rsu_agent.runtime.control import control_app
from rsu_agent.runtime.control_openapi import document
from rsu_agent.runtime.link_topics import LINK_TOPICS
from rsu_agent.runtime.still_desk import StillDesk

ROOT = Path(rsu_agent.__file__).parents[1]
RUNTIME = ROOT / "rsu_agent" / "runtime"


def routes() -> dict[str, set[str]]:
    """Every address of the control socket with its methods, stills among them."""

    class Nothing:
        def __getattr__(self, name: str) -> object:
            return dict

    app: Starlette = control_app(Nothing(), StillDesk(Nothing(), ROOT, lambda *_: None))  # type: ignore[arg-type]
    mine = [route for route in app.routes if isinstance(route, Route)]
    return {route.path: set(route.methods or ()) - {"HEAD"} for route in mine}


def test_the_document_names_every_address_of_the_control_socket_and_no_other() -> None:
    told = {path: {verb.upper() for verb in verbs} for path, verbs in document()["paths"].items()}
    assert told == routes()
    for schema in document()["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_reference_of_the_document_leads_to_a_schema() -> None:
    named = set(re.findall(r"#/components/schemas/(\w+)", str(document())))
    assert named <= document()["components"]["schemas"].keys()
    page = control_page(document())
    assert all(f"## {name}\n" in page for name in named)


def test_metrics_follow_the_rule_of_the_house_and_each_has_a_sentence() -> None:
    every = [*of_the_agent(), *of_the_district()]
    assert len({told.name for told in every}) == len(every) > 50
    for told in every:
        assert re.fullmatch(r"rsu_[a-z0-9]+(_[a-z0-9]+)+", told.name)
        assert told.help.endswith("."), told.name
        assert told.unit, f"{told.name} has no unit"
        assert told.name.endswith("_total") == (told.kind == "counter")
        assert (ROOT / "rsu_agent" / told.module).is_file()


def test_no_metric_of_the_code_is_missing_from_the_page() -> None:
    page = metrics_page()
    made = re.compile(r"\b(?:Gauge|Counter|Metric|Histogram|\w+MetricFamily)\(\s*\"(rsu_\w+)\"")
    found = {
        name for path in ROOT.glob("rsu_agent/**/*.py") for name in made.findall(path.read_text())
    }  # fmt: skip
    assert len(found) > 35
    assert {name for name in found if not re.search(rf"`{name}(_total)?`", page)} == set()


def test_the_board_s_topics_are_all_in_their_table() -> None:
    mine = {each for each in vars(topics).values() if isinstance(each, topics.Topic)}
    assert set(topics.TOPICS) == mine
    assert all(f"| `{topic.name}` | {topic.holds.__name__} |" in topics_page() for topic in mine)


def said(path: Path) -> Iterator[str]:
    """The first words of what a module sends over a link, as its source has them."""
    module = importlib.import_module(f"rsu_agent.runtime.{path.stem}")
    for call in ast.walk(ast.parse(path.read_text())):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
            continue
        spoken = ast.unparse(call.func)
        if not spoken.endswith(("link.send", "link.greet", "hub.send")):
            continue
        word = call.args[1 if spoken.endswith("hub.send") else 0]
        if isinstance(word, ast.JoinedStr):
            word = word.values[0]
            word = word.value if isinstance(word, ast.FormattedValue) else word
        if isinstance(word, ast.Constant):
            yield str(word.value).split()[0]
        elif isinstance(word, ast.Name) and hasattr(module, word.id):
            yield str(getattr(module, word.id))


def test_what_the_processes_say_to_each_other_is_in_the_table() -> None:
    found = {word for path in RUNTIME.glob("*.py") for word in said(path)}
    told = {topic.name for topic in LINK_TOPICS}
    assert found >= {"scene", "heads", "record", "still", "heard", "clock", "role", "live_rates"}
    assert found <= told
    assert told - found <= {"hello", "live"}, "of the link itself, and handed on under a name from elsewhere"


@pytest.mark.parametrize("topic", MQTT_TOPICS, ids=lambda topic: topic.name)
def test_a_topic_of_the_broker_is_in_the_protocol_with_its_quality(topic: object) -> None:
    at = next(each for each in MQTT_TOPICS if each == topic)
    text = (ROOT / "docs/protocol/README.md").read_text()
    (row,) = [line for line in text.splitlines() if line.startswith("| `.../") and f"`.../{at.name}`" in line]
    cells = [cell.strip(" *") for cell in row.strip("|").split("|")]
    assert (cells[1], cells[2]) == (str(at.qos), "yes" if at.retained else "no")
    assert cells[3].startswith(at.writer.split(",")[0])


def test_the_protocol_names_no_topic_that_is_not_in_the_table() -> None:
    text = (ROOT / "docs/protocol/README.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| `.../")]
    named = {name for row in rows for name in re.findall(r"`\.\.\./([\w/]+)`", row.split("|")[1])}
    assert named == {topic.name for topic in MQTT_TOPICS}


def test_the_committed_pages_are_those_that_are_made_now() -> None:
    reference = ROOT / "docs" / "reference"
    made = pages()
    for name in (
        "metrics.md",
        "topics.md",
        "control-api.md",
        "control.openapi.json",
        "district.openapi.json",
    ):
        assert (reference / name).read_text() == made[reference / name], f"{name}: make generate"
