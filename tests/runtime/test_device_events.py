"""What drivers count is on the page of metrics, by device and name; opening anew never counts back."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import anyio
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime import measure
from rsu_agent.runtime.device_events import EVENTS, MOST_NAMES, OTHER, DeviceEvents
from rsu_agent.runtime.supervise import DeviceKeeper

NAME = "rsu_device_events_total"


def told(events: DeviceEvents, device: str) -> dict[str, int]:
    """The samples of one device as a scraper reads them."""
    registry = CollectorRegistry()
    registry.register(events)
    return counts(generate_latest(registry).decode(), device)


def counts(page: str, device: str) -> dict[str, int]:
    return {
        sample.labels["what"]: int(sample.value)
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == NAME and sample.labels["device"] == device
    }


def test_each_device_has_its_own_counts_by_the_drivers_own_names() -> None:
    events, radar, camera = DeviceEvents(), Counter(frames=3), Counter(pictures=1)
    events.opened("radio", Counter(sent_SPAT=2))
    assert told(events, "radio") == {"sent_SPAT": 2}
    events.opened("radar-1", radar)
    events.opened("north", camera)
    radar["garbled"] += 2
    assert told(events, "radar-1") == {"frames": 3, "garbled": 2}
    assert told(events, "north") == {"pictures": 1}
    radar["garbled"] += 1
    assert told(events, "radar-1") == {"frames": 3, "garbled": 3}


def test_a_device_opened_anew_goes_on_counting_where_it_was_even_if_nobody_had_looked() -> None:
    events, first, second = DeviceEvents(), Counter[str](), Counter[str]()
    events.opened("radar-1", first)
    first["frames"] += 7
    events.opened("radar-1", second)
    assert told(events, "radar-1") == {"frames": 7}
    second["frames"] += 2
    assert told(events, "radar-1") == {"frames": 9}
    first["frames"] += 100
    assert told(events, "radar-1") == {"frames": 9}, "the one that was closed counts no more"


def test_a_counter_that_its_driver_sets_back_is_not_set_back_on_the_page() -> None:
    events, counters = DeviceEvents(), Counter(clock_jumps=3)
    events.opened("radar-1", counters)
    assert told(events, "radar-1") == {"clock_jumps": 3}
    counters["clock_jumps"] = 1
    assert told(events, "radar-1") == {"clock_jumps": 3}


def test_names_are_bounded_and_none_is_lost() -> None:
    events, counters = DeviceEvents(), Counter[str]()
    events.opened("radar-1", counters)
    for n in range(500):
        counters[f"garbled_{n}"] += 1
    for strange in ("fra mes", 'a"b\nc', "", "x" * 49):
        counters[strange] += 1
    shown = told(events, "radar-1")
    assert len(shown) <= MOST_NAMES + 1
    assert sum(shown.values()) == 504
    assert shown[OTHER] >= 504 - MOST_NAMES
    assert max(map(len, shown)) <= 48


@pytest.mark.anyio
async def test_whoever_keeps_a_device_open_counts_for_the_page_and_over_every_loss() -> None:
    clock, seen = FakeClock(), []

    class Radar:
        def __init__(self) -> None:
            self.counters: dict[str, int] = Counter()

        async def __aenter__(self) -> Radar:
            return self

        async def __aexit__(self, *_: object) -> None: ...

    async def use(radar: Radar) -> None:
        for _ in range(4):
            radar.counters["frames"] += 1
            seen.append(counts(measure.page(measure.OtherProcesses()), "kept-radar")["frames"])
            await clock.sleep(0.05)
        raise DeviceLost("silent", "no byte")

    keeper = DeviceKeeper("kept-radar", clock, lambda _: None)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keeper.keep, Radar, use)
        await clock.advance(10.0)
        tasks.cancel_scope.cancel()
    assert len(seen) >= 12
    assert all(later == before + 1 for before, later in pairwise(seen))


def test_devices_of_other_processes_stand_beside_the_cores() -> None:
    EVENTS.opened("beside", Counter(frames=1))
    others = measure.OtherProcesses()
    others.hear("senses", f'# TYPE {NAME} counter\n{NAME}{{device="far",what="frames"}} 5.0\n')
    page = measure.page(others)
    assert page.count(f"# TYPE {NAME} counter") == 1
    assert counts(page, "far") == {"frames": 5}
    assert counts(page, "beside") == {"frames": 1}
