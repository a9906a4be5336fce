"""Both ends of every controller protocol, written apart: the driver reads what the cabinet says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from drivers.gat508.session import Session as Displays
from drivers.gat508.settings import Settings as DisplaysSettings
from drivers.gat1743.session import Session as Gat1743
from drivers.gat1743.settings import Settings as Gat1743Settings
from drivers.gbt20999.listener import Listener
from drivers.gbt20999.memory import Memory, Shelf
from drivers.gbt20999.session import Session as Gbt20999
from drivers.gbt20999.settings import Settings as Gbt20999Settings
from drivers.lamp_sense.session import Session as LampSense
from drivers.lamp_sense.settings import Settings as LampSenseSettings
from drivers.ntcip1202.session import Session as Ntcip1202
from drivers.ntcip1202.settings import Settings as Ntcip1202Settings
from drivers.rsmp.session import Session as Rsmp
from drivers.rsmp.settings import Settings as RsmpSettings
from drivers.tscbm.session import Session as Tscbm
from drivers.tscbm.settings import Settings as TscbmSettings
from hil.devices.cabinets import CABINETS, Choices
from hil.devices.gbt20999_codec import Profile
from hil.devices.gbt20999_front import Manners
from hil.devices.signal_model import SignalModel
from hil.devices.signal_plan import GROUPS
from rsu_agent.ports.dialogue import Session
from rsu_agent.world.signal import Colour, Control, Programme, SignalReport

UTC_S = 1_790_000_000.0
TICK_S = 0.005
PORTS = {"serial": "/dev/x", "udp": "udp://192.0.2.1:9", "tcp": "tcp://192.0.2.1:9",
         "udp_to": "udp-in://0.0.0.0:9", "tcp_to": "tcp-in://0.0.0.0:9"}  # fmt: skip
OPENED: dict[str, Callable[[dict[str, object]], Session]] = {
    "gbt20999": lambda keys: Gbt20999(Gbt20999Settings(**keys), 0.0, Memory(Shelf())),  # type: ignore[arg-type]
    "gbt20999-listener": lambda keys: Listener(Gbt20999Settings(**keys), 0.0),  # type: ignore[arg-type]
    "gat1743": lambda keys: Gat1743(Gat1743Settings(**keys), 0.0, UTC_S),  # type: ignore[arg-type]
    "tscbm": lambda keys: Tscbm(TscbmSettings(**keys), 0.0),  # type: ignore[arg-type]
    "ntcip1202": lambda keys: Ntcip1202(Ntcip1202Settings(**keys), 0.0),  # type: ignore[arg-type]
    "gat508": lambda keys: Displays(DisplaysSettings(**keys), 0.0),  # type: ignore[arg-type]
    "lamp_sense": lambda keys: LampSense(LampSenseSettings(**keys), 0.0),  # type: ignore[arg-type]
    "rsmp": lambda keys: Rsmp(RsmpSettings(**keys), 0.0, UTC_S),  # type: ignore[arg-type]
}
FLASHES_UNSEEN = {"gat508", "ntcip1202", "ntcip1202-pmpp", "lamp_sense"}


@dataclass
class Bench:
    """A cabinet and the driver's session on one line without length, moved in small steps."""

    name: str
    mode: str = "fixed"
    got: list[SignalReport | Programme] = field(default_factory=list)
    shown: dict[int, Colour] = field(default_factory=dict)
    now_s: float = 0.0

    def __post_init__(self) -> None:
        cabinet = CABINETS[self.name]
        self.model = SignalModel(0.0, seed=2)
        self.model.utc_less_now_s = UTC_S
        if self.mode != "fixed":
            self.model.set_mode(self.mode, 0.0)
        choices = Choices(cabinet.baud, 1, Profile(), Manners(baud=cabinet.baud))
        self.front = cabinet.front(self.model, choices)
        keys: dict[str, object] = {"port": PORTS[cabinet.line], **cabinet.site}
        if cabinet.line == "serial":
            keys["baud"] = cabinet.baud
        kind = self.name if self.name == "gbt20999-listener" else cabinet.driver
        self.session = OPENED[kind](keys)
        self.front.opened(0.0)

    def run(self, until_s: float) -> Bench:
        while self.now_s < until_s:
            self.step()
        return self

    def step(self) -> None:
        now_s = self.now_s
        self.session.check(now_s)
        learnt = self.model.advance(now_s)[1]
        frames = self.front.changed(learnt, now_s) if learnt else []
        for data in frames + self.front.due(now_s):
            for item in self.session.receive(data, now_s):
                self.got.append(item)
                if isinstance(item, SignalReport):
                    self.shown |= {lamp.group: lamp.colour for lamp in item.lamps}
        if data := self.session.next_bytes(now_s):
            self.front.hear(data, now_s)
        self.now_s = round(now_s + TICK_S, 6)

    def reports(self) -> Iterator[SignalReport]:
        return (item for item in self.got if isinstance(item, SignalReport))

    def programme(self) -> Programme:
        return [item for item in self.got if isinstance(item, Programme)][-1]


@pytest.mark.parametrize("name", CABINETS)
def test_the_driver_reads_every_group_of_its_cabinet_and_asks_for_nothing_but_values(name: str) -> None:
    bench = Bench(name).run(12.0)
    assert bench.programme().groups == GROUPS
    assert any(report.complete for report in bench.reports())
    assert bench.front.writes == 0
    assert bench.session.counters.get("garbled", 0) == 0
    assert any(report.control is not None for report in bench.reports())


@pytest.mark.parametrize("name", CABINETS)
def test_colours_follow_the_lamps_through_a_cycle(name: str) -> None:
    bench = Bench(name).run(12.0)
    wrong = checked = 0
    since: dict[int, float] = {}
    slowest_s = 1.3 if CABINETS[name].slow else 0.9 if name.endswith("pmpp") else 0.35
    while bench.now_s < 75.0:
        before = dict(bench.model.known)
        bench.step()
        for group, colour in bench.model.known.items():
            if colour != before[group]:
                since[group] = bench.now_s
            said = bench.shown.get(group, Colour.UNKNOWN)
            unseen = colour == "green_flash" and name in FLASHES_UNSEEN
            if said == colour or (unseen and said in (Colour.GREEN, Colour.UNKNOWN)):
                continue
            if said in (Colour.UNKNOWN, Colour.DARK) and name in FLASHES_UNSEEN:
                continue  # a display goes blank for dark, a circuit that is off may flash
            checked += 1
            if bench.now_s - since.get(group, 0.0) > slowest_s:
                wrong += 1
    assert wrong == 0, f"{wrong} of {checked}"
    assert len(since) == 24, "every group has changed"


@pytest.mark.parametrize("name", ["gbt20999", "gat1743", "tscbm", "ntcip1202", "rsmp"])
@pytest.mark.parametrize(
    ("mode", "control"),
    [("fixed", Control.FIXED_TIME), ("actuated", Control.ACTUATED), ("manual", Control.MANUAL),
     ("flash", Control.FLASH)],
)  # fmt: skip
def test_the_mode_is_told_and_traffic_control_is_never_taken_for_fixed_time(
    name: str, mode: str, control: Control
) -> None:
    bench = Bench(name, mode).run(6.0)
    told = [report.control for report in bench.reports() if report.control is not None][-1]
    if name in ("tscbm", "ntcip1202"):
        control = {Control.FIXED_TIME: Control.ACTUATED}.get(control, control)
    if name == "ntcip1202" and mode == "manual":
        control = Control.ACTUATED  # no object that is certain tells it
    assert told is control


@pytest.mark.parametrize("name", ["gbt20999", "gat1743", "tscbm", "ntcip1202"])
def test_a_pre_emption_is_told_while_it_lasts(name: str) -> None:
    bench = Bench(name).run(6.0)
    bench.model.set_preempt(2, bench.now_s)
    bench.run(9.0)
    assert [report.preempt for report in bench.reports() if report.preempt is not None][-1] is True
    bench.model.set_preempt(0, bench.now_s)
    bench.run(12.0)
    assert [report.preempt for report in bench.reports() if report.preempt is not None][-1] is False


@pytest.mark.parametrize("name", ["gat1743", "tscbm", "gat508"])
def test_what_the_controller_says_of_the_end_is_what_it_knows(name: str) -> None:
    bench = Bench(name).run(8.0)
    report = [report for report in bench.reports() if report.times][-1]
    for times in report.times:
        span = bench.model.span(times.group, bench.now_s)
        colour = bench.model.known[times.group]
        if span.likely is None or colour == "dark" or (times.likely_s is None and times.most_s is None):
            continue
        age_s = bench.now_s - report.first_byte_s
        flash = next((s for c, s in bench.model.steps(times.group, 0, 0.0) if c == "green_flash"), 0)
        expected = span.likely + age_s + (flash if times.display and colour == "green" else 0)
        if times.display:
            assert times.likely_s is not None
            assert times.likely_s - 1.3 <= expected <= times.likely_s + 0.3
        else:
            assert times.least_s is not None
            assert times.most_s is not None
            assert times.least_s - 0.11 <= expected <= times.most_s + 0.11


@pytest.mark.parametrize(
    "name", ["gbt20999", "gat1743", "tscbm", "ntcip1202", "gat508", "lamp_sense", "rsmp"]
)
def test_a_frozen_cabinet_says_the_same_while_its_lamps_go_on(name: str) -> None:
    bench = Bench(name).run(8.0)
    bench.front.frozen = True
    bench.run(9.5)
    before = dict(bench.shown)
    bench.run(30.0)
    assert bench.shown == before
    assert bench.model.known != {group: str(colour) for group, colour in before.items()}
    bench.front.frozen = False
    bench.run(33.0)
    assert bench.shown != before


def test_lamp_numbers_that_begin_anew_in_each_direction_are_told_apart() -> None:
    from hil.devices.gat1743_front import Gat1743Front, Gat1743Manners

    bench = Bench("gat1743")
    bench.front = Gat1743Front(bench.model, Gat1743Manners(ids="per_direction"))
    bench.front.opened(0.0)
    bench.run(6.0)
    assert bench.programme().groups == GROUPS
    greens = sum(colour in ("green", "green_flash") for colour in bench.model.known.values())
    assert sum(colour in (Colour.GREEN, Colour.GREEN_FLASH) for colour in bench.shown.values()) == greens


def test_a_second_blob_version_is_read_too() -> None:
    from hil.devices.tscbm_front import TscbmFront, TscbmManners

    bench = Bench("tscbm")
    bench.front = TscbmFront(bench.model, TscbmManners(version=2))
    bench.front.opened(0.0)
    assert bench.run(4.0).session.counters["reports"] >= 39


def test_displays_of_the_old_generation_tell_four_directions() -> None:
    from hil.devices.gat508_front import Gat508Front, Gat508Manners

    bench = Bench("gat508")
    bench.front = Gat508Front(bench.model, Gat508Manners(generation=2004))
    bench.session = Displays(DisplaysSettings(port="x"), 0.0)
    bench.front.opened(0.0)
    bench.run(14.0)
    assert bench.programme().groups == (1, 2, 3, 4)
    assert {group: str(colour) for group, colour in bench.shown.items()} == {
        group: bench.model.known[group].replace("_flash", "") for group in (1, 2, 3, 4)
    }
