"""The site decides which association is used; one that is refused leaves the gate, and that is told."""

from __future__ import annotations

import logging
from typing import Literal

import pytest

from rsu_agent.perception.learnt_association import LearntAssociation
from rsu_agent.runtime.associations import association

Wanted = Literal["gate", "learnt"]


@pytest.mark.parametrize(("wanted", "kind"), [("gate", type(None)), ("learnt", LearntAssociation)])
def test_what_the_site_asks_for_is_used_and_told(wanted: Wanted, kind: type) -> None:
    used, told = association(wanted)
    assert isinstance(used, kind)
    assert told == {"wanted": wanted, "used": wanted, "refused": None}


@pytest.mark.parametrize("model", ["models/association/gone.onnx", "models/detector/detector.int8.onnx"])
def test_a_missing_or_foreign_file_leaves_the_gate_and_is_logged(
    model: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        used, told = association("learnt", model)
    assert used is None
    assert (told["wanted"], told["used"]) == ("learnt", "gate")
    assert model.rpartition("/")[2] in told["refused"]
    assert "by the gate" in caplog.text
