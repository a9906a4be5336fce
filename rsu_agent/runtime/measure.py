"""Metrics of all processes on one page: the others' samples arrive as text and join the core's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    REGISTRY,
    CollectorRegistry,
    Gauge,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from rsu_agent.ports.recording import Recorder

LARGEST_TEXT = 256_000

for unlabelled in (GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR):
    REGISTRY.unregister(unlabelled)  # four processes share one page: only metrics that name their process
disable_created_metrics()  # type: ignore[no-untyped-call]  # parsed from text they become gauges named by no rule of ours

LOST = Gauge("rsu_recorder_lost_records", "Entries that the black box lost: a full queue or disk.")
WAITING = Gauge("rsu_recorder_waiting_records", "Entries that the black box has not written yet.")
RESIDENT = Gauge("rsu_process_resident_bytes", "Memory the process holds.", ["process"])


def resident_bytes() -> int:
    """Resident memory of this process, from /proc/self/statm."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def recorder(black_box: Recorder) -> None:
    """What the black box has lost, and what waits."""
    LOST.set(black_box.dropped)
    WAITING.set(black_box.waiting)


def sample(process: str) -> str:
    """This process's metrics as text for the core's page."""
    RESIDENT.labels(process).set(resident_bytes())
    return generate_latest(REGISTRY).decode()


class OtherProcesses:
    """The newest samples of the other processes, merged by family."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def hear(self, process: str, text: str) -> None:
        """Newest samples of one process."""
        if len(text) <= LARGEST_TEXT:
            self._texts[process] = text

    def gone(self, process: str) -> None:
        """Its samples are no longer true."""
        self._texts.pop(process, None)

    def families(self) -> Iterator[Metric]:
        """Every family of every other process."""
        for text in self._texts.values():
            yield from text_string_to_metric_families(text)


def page(others: OtherProcesses) -> str:
    """The whole /metrics page."""
    merged: dict[str, Metric] = {}
    own = text_string_to_metric_families(sample("core"))
    for family in [*own, *others.families()]:
        if family.name in merged:
            merged[family.name].samples.extend(family.samples)
        else:
            merged[family.name] = family
    return generate_latest(_Fixed(merged.values())).decode()


class _Fixed(CollectorRegistry):
    """A registry that holds ready families."""

    def __init__(self, families: Iterable[Metric]) -> None:
        super().__init__()
        self._ready = list(families)

    def collect(self) -> Iterator[Metric]:
        yield from self._ready
