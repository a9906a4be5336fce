"""Probing an unknown line: silent first, questions only where nobody speaks, an end at a stranger."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

import rsu_agent.cli.probe as verb
from hil.devices.cabinets import CABINETS, Choices
from hil.devices.controller_view import Front
from hil.devices.gbt20999_codec import Profile
from hil.devices.gbt20999_front import Manners
from hil.devices.signal_model import SignalModel
from hil.devices.stranger import Stranger
from rsu_agent.cli.main import app
from rsu_agent.ports import memory_line
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.plugins import plugins
from rsu_agent.ports.recognising import SILENT_S
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime.probe import Found, probe

pytestmark = pytest.mark.anyio
PROTOCOLS = {name: plugin.recognise for name, plugin in plugins().items() if plugin.recognise is not None}


def cabinet(name: str, **profile: object) -> Front:
    choices = Choices(9600, 1, Profile(**profile), Manners(baud=9600, traps=False))  # type: ignore[arg-type]
    return CABINETS[name].front(SignalModel(1000.0), choices)


class Line:
    """A cabinet at the far end of a line in memory; counts what it hears, and when."""

    def __init__(self, front: Front | None, appears: Callable[[int], bool] = lambda _: False) -> None:
        self.clock = FakeClock()
        self.end = memory_line.plug("probed", self.clock)
        self.front, self.heard_s, self.appears = front, [], appears
        self.stranger = Stranger()

    heard_s: list[float]

    async def run(self) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._hear)
            if self.front is not None:
                self.front.opened(self.clock.now_s())
            while True:
                now_s = self.clock.now_s()
                frames = self.front.due(now_s) if self.front else []
                self.stranger.on = self.appears(len(self.heard_s))
                for frame in [*frames, *self.stranger.due(now_s)]:
                    await self.end.write(frame)
                await self.clock.sleep(0.02)

    async def _hear(self) -> None:
        while True:
            received = await self.end.read()
            self.heard_s.append(received.arrived_s)
            if self.front is not None:
                self.front.hear(received.data, received.arrived_s)

    async def probed(self, *, transmit: bool, seconds: float = 200.0) -> Found:
        found: list[Found] = []

        async def run() -> None:
            tell = lambda _text, _share: None  # noqa: E731
            found.append(await probe("memory:probed", PROTOCOLS, self.clock, tell, transmit=transmit))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.run)
            tasks.start_soon(run)
            for _ in range(int(seconds / 0.5)):
                await self.clock.advance(0.5)
                if found:
                    break
            tasks.cancel_scope.cancel()
        memory_line.unplug("probed")
        return found[0]


async def test_a_line_that_a_centre_polls_is_recognised_without_a_word_and_the_role_is_listener() -> None:
    line = Line(cabinet("gbt20999-listener"))
    found = await line.probed(transmit=True)
    assert found.driver == "gbt20999"
    assert found.section("p") == {
        "driver": "gbt20999", "port": "p", "baud": 9600, "controller_id": 0, "role": "listener"
    }  # fmt: skip
    assert {"host 200 asks", "lamp states are told"} <= found.sign.notes
    assert not line.heard_s


async def test_displays_and_publishing_controllers_are_recognised_by_listening() -> None:
    assert (await Line(cabinet("gat508")).probed(transmit=False)).driver == "gat508"
    found = await Line(cabinet("gat1743-serial")).probed(transmit=False)
    assert found.section("p")["controller_number"] == 1
    assert found.sign.foreign == 0


async def test_a_silent_controller_is_asked_only_after_a_silent_minute_at_most_twice_a_second() -> None:
    quiet = await Line(cabinet("gbt20999")).probed(transmit=False)
    assert (quiet.driver, quiet.asked) == (None, 0)
    line = Line(cabinet("gbt20999"))
    found = await line.probed(transmit=True)
    assert found.driver == "gbt20999"
    assert found.asked <= 3
    assert min(line.heard_s) - 1000.0 >= SILENT_S
    assert line.front is not None
    assert line.front.writes == 0


@pytest.mark.parametrize(
    ("profile", "settings"),
    [({"check": "1021"}, {"checksum": "1021"}), ({"controller": 9}, {"controller_id": 9})],
)
async def test_variants_are_found_by_asking(profile: dict[str, object], settings: dict[str, object]) -> None:
    found = await Line(cabinet("gbt20999", **profile)).probed(transmit=True)
    assert found.driver == "gbt20999"
    assert found.sign.settings.items() >= settings.items()


async def test_a_pmpp_unit_is_found_by_asking() -> None:
    line = Line(cabinet("ntcip1202-pmpp"))
    found = await line.probed(transmit=True)
    assert (found.driver, found.sign.settings["address"]) == ("ntcip1202", 1)
    gaps = [b - a for a, b in zip(line.heard_s, line.heard_s[1:], strict=False)]
    assert min(gaps, default=1.0) >= 0.45


async def test_at_the_first_frame_of_another_host_asking_stops_for_good() -> None:
    line = Line(None, appears=lambda asked: asked >= 3)
    found = await line.probed(transmit=True)
    assert found.driver is None
    assert found.stopped_by == "another host was heard"
    assert found.asked <= 6


async def test_into_a_line_on_which_somebody_speaks_unknown_words_nothing_is_asked() -> None:
    class Babbler(Stranger):
        def due(self, now_s: float) -> list[bytes]:
            return [b"hello, this is no protocol"] if int(now_s * 50) % 100 == 0 else []

    line = Line(None)
    line.stranger = Babbler()
    found = await line.probed(transmit=True)
    assert (found.driver, found.asked) == (None, 0)
    assert found.stopped_by == "somebody speaks here what is not recognised"
    assert found.heard_bytes > 50


# The verb


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], None]:
    def choose(result: object) -> None:
        def found(*_: object, **__: object) -> object:
            if isinstance(result, Exception):
                raise result
            return result

        monkeypatch.setattr(verb, "_found", found)

    return choose


def found_one() -> Found:
    recogniser = PROTOCOLS["gbt20999"](0.0)[0]
    recogniser.sign.frames = 12
    recogniser.sign.settings = {"controller_id": 5}
    recogniser.sign.notes = {"version 0100"}
    return Found("gbt20999", 19200, "even", recogniser.sign, 900, 1)


def test_the_verb_prints_the_section_and_writes_it_with_comments_kept(
    answered: Callable[[object], None], tmp_path: Path
) -> None:
    answered(found_one())
    site = tmp_path / "site.yaml"
    site.write_text("# ours\nsite: {id: x}\ncontroller: {driver: old}  # replaced\n")
    ran = CliRunner().invoke(app, ["probe", "/dev/ttyX", "--write", str(site)])
    assert ran.exit_code == 0, ran.output
    assert "gbt20999: 12 frames at 19200 baud, parity even" in ran.output
    assert "# ours" in site.read_text()
    section = YAML(typ="safe").load(site.read_text())["controller"]
    assert section == {
        "driver": "gbt20999", "port": "/dev/ttyX", "baud": 19200, "parity": "even", "controller_id": 5
    }  # fmt: skip


def test_nothing_recognised_is_exit_code_4_and_says_what_to_do_next(
    answered: Callable[[object], None],
) -> None:
    nothing = Found(None, 9600, "none", PROTOCOLS["gat508"](0.0)[0].sign, 0, 0)
    answered(nothing)
    ran = CliRunner().invoke(app, ["probe", "/dev/ttyX"])
    assert ran.exit_code == 4
    assert "rsu probe PORT --transmit" in ran.output
    told = json.loads(CliRunner().invoke(app, ["probe", "/dev/ttyX", "--json"]).stdout)
    assert told["recognised"] is False


def test_a_missing_port_says_so_and_asking_needs_its_silent_minute(
    answered: Callable[[object], None],
) -> None:
    answered(DeviceLost("missing", "/dev/ttyX", "check the plug"))
    assert CliRunner().invoke(app, ["probe", "/dev/ttyX"]).exit_code == 1
    assert CliRunner().invoke(app, ["probe", "/dev/ttyX", "--transmit", "--seconds", "5"]).exit_code == 2


async def test_a_controller_that_speaks_seldom_is_listened_to_for_another_minute() -> None:
    """A frame in nine seconds: less than three in the time that each rate has."""

    class Seldom(Stranger):
        def __init__(self) -> None:
            super().__init__()
            self.talker, self.said_s = cabinet("gbt20999-listener"), 0.0
            self.talker.opened(1000.0)

        def due(self, now_s: float) -> list[bytes]:
            frames = self.talker.due(now_s)
            if not frames or now_s - self.said_s < 9.0:
                return []
            self.said_s = now_s
            return frames[:1]

    line = Line(None)
    line.stranger = Seldom()
    found = await line.probed(transmit=False)
    assert found.driver == "gbt20999"
    assert not line.heard_s
