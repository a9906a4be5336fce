"""The house's rule for metric names, held against the page that the core really gives."""

from __future__ import annotations

import re
import subprocess
import sys

from prometheus_client.parser import text_string_to_metric_families

NAME = re.compile(
    r"^rsu_[a-z0-9]+(_[a-z0-9]+)*_(total|seconds|bytes|ratio|valid|records|envelopes|messages)$"
)
PAGE = """
import rsu_agent.runtime.compose_core
from rsu_agent.runtime import measure
others = measure.OtherProcesses()
others.hear("uplink", measure.sample("uplink"))
print(measure.page(others))
"""


def test_metrics_are_named_noun_and_unit_or_total_and_nothing_else_is_on_the_page() -> None:
    """Times of creation used to come along as gauges once their text was parsed."""
    page = subprocess.run([sys.executable, "-c", PAGE], capture_output=True, text=True, check=True).stdout
    families = list(text_string_to_metric_families(page))
    names = {family.name + "_total" * (family.type == "counter") for family in families}
    assert {name for name in names if not NAME.match(name)} == set()
    resident = next(family for family in families if family.name == "rsu_process_resident_bytes")
    assert {"core", "uplink"} <= {sample.labels["process"] for sample in resident.samples}
