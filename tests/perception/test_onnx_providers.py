"""Execution providers: one that is not there or runs nothing is refused, or told of; slow int8."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import helper, numpy_helper

from rsu_agent.perception.heads.detector import Detector
from rsu_agent.perception.model_refused import ModelRefused
from rsu_agent.perception.onnx import CPU, Model
from rsu_agent.perception.onnx_file import DYNAMIC_INT8, operators
from tests.perception.made_nets import FLOAT, image, net

ABSENT = "TensorrtExecutionProvider"  # not in the locked run time
IDLE = "AzureExecutionProvider"  # in it, and takes no node of any usual graph


@pytest.fixture
def dense(tmp_path: Path) -> Path:
    """A detector's file that has a node to run for its picture."""
    return net(tmp_path / "m.onnx", {"o": np.full((1, 84, 8400), 0.001, np.float32)}, image())


def working(path: Path) -> Path:
    """y = sigmoid(x w): nodes that somebody must run."""
    weight = numpy_helper.from_array(np.ones((4, 3, 1, 1), np.float32), "w")
    nodes = [helper.make_node("Conv", ["x", "w"], ["c"]), helper.make_node("Sigmoid", ["c"], ["y"])]
    shape: list[Any] = [1, 3, 8, 8]
    x = helper.make_tensor_value_info("x", FLOAT, shape)
    y = helper.make_tensor_value_info("y", FLOAT, [1, 4, 8, 8])
    graph = helper.make_graph(nodes, "g", [x], [y], [weight])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def test_the_locked_run_time_has_what_these_tests_rest_on() -> None:
    assert set(ort.get_available_providers()) >= {IDLE, CPU}
    assert ABSENT not in ort.get_available_providers()


def test_the_processor_alone_is_told_as_such(dense: Path) -> None:
    detector = Detector(dense)
    assert (detector.provider, detector.shares) == (CPU, {CPU: 1.0})


def test_a_provider_that_is_not_there_is_refused_with_what_is(dense: Path) -> None:
    with pytest.raises(ModelRefused, match=f"{ABSENT} is not used: this machine's ONNX Runtime has .*{CPU}"):
        Detector(dense, providers=[ABSENT, CPU])


def test_a_provider_that_runs_no_node_is_refused_though_the_session_lists_it(tmp_path: Path) -> None:
    model = Model(working(tmp_path / "w.onnx"), providers=[IDLE, CPU])
    assert model.providers == (IDLE, CPU)
    with pytest.raises(
        ModelRefused, match=f"{IDLE} is not used: it took none of the graph's nodes(.|\n)*allow_fallback"
    ):
        model.shares({"x": np.zeros((1, 3, 8, 8), np.float32)})


def test_where_falling_back_is_allowed_it_is_told_and_never_silent(tmp_path: Path) -> None:
    model = Model(working(tmp_path / "w.onnx"), providers=[ABSENT, IDLE], allow_fallback=True)
    model.shares({"x": np.zeros((1, 3, 8, 8), np.float32)})
    assert any(ABSENT in text for text in model.warnings)


def test_the_share_of_nodes_is_what_a_profiled_run_tells(tmp_path: Path) -> None:
    model = Model(working(tmp_path / "w.onnx"), providers=[IDLE], allow_fallback=True)
    assert model.shares({"x": np.zeros((1, 3, 8, 8), np.float32)}) == {CPU: 1.0}
    assert model.warnings == [
        f"{IDLE} is not used: it took none of the graph's nodes",
        "100% of the nodes run on the CPU, which was not asked for",
    ]


def test_each_detector_has_a_session_of_its_own(dense: Path) -> None:
    one, other = Detector(dense), Detector(dense)
    assert one.model is not other.model
    assert one.model._session is not other.model._session


def test_a_graph_that_cannot_run_its_own_input_is_refused_when_opened(tmp_path: Path) -> None:
    made = {"o": np.full((1, 84, 8400), 0.001, np.float32)}
    path = net(tmp_path / "m.onnx", made, {"x": (FLOAT, [1, 3, 640, "w"])})
    (tmp_path / "m.toml").write_text("size = [640, 320]\n")
    with pytest.raises(ModelRefused, match="cannot be run"):
        Detector(path)


def quantised(path: Path, *kinds: str) -> Path:
    """A file that names these operators; nobody runs it."""
    nodes = [helper.make_node(kind, ["x"], ["y"], name="a ConvInteger by name only") for kind in kinds]
    x = helper.make_tensor_value_info("x", FLOAT, [1])
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", [x], [])), str(path))
    return path


def test_operators_of_quantisation_are_found_and_names_of_nodes_are_none(tmp_path: Path) -> None:
    assert operators(quantised(tmp_path / "a.onnx", "Relu")) == set()
    assert operators(quantised(tmp_path / "b.onnx", "ConvInteger", "Relu")) == {"ConvInteger"}
    qdq = operators(quantised(tmp_path / "c.onnx", "QuantizeLinear", "DequantizeLinear"))
    assert qdq == {"QuantizeLinear", "DequantizeLinear"}
    assert not qdq & DYNAMIC_INT8


def test_a_dynamically_quantised_detector_is_warned_of_with_the_remedy(tmp_path: Path, dense: Path) -> None:
    model = onnx.load(str(dense))
    number = numpy_helper.from_array(np.zeros(4, np.float32), "zeros")
    model.graph.initializer.append(number)
    model.graph.node.append(helper.make_node("DynamicQuantizeLinear", ["zeros"], ["q", "s", "z"]))
    onnx.save(model, str(tmp_path / "q.onnx"))
    warnings = Detector(tmp_path / "q.onnx").warnings
    assert any("quantised dynamically" in text and "QDQ" in text for text in warnings)
    assert not any("quantised dynamically" in text for text in Detector(dense).warnings)
