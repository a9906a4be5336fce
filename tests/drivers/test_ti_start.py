"""Starting a TI mmWave radar: a fresh one is given the file, a running one goes on, none is hung by us."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import anyio
import pytest
from pydantic import ValidationError
from ti_board import CONFIGURATION, FIXED, Board
from ti_frames import built, floats

from drivers.ti_mmwave.configuration import Configuration, read_configuration
from drivers.ti_mmwave.driver import PLUGIN
from drivers.ti_mmwave.settings import Settings
from drivers.ti_mmwave.start import start
from rsu_agent.ports import memory_line
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.memory_line import MemoryEnd, plug
from rsu_agent.ports.trouble import DeviceLost

pytestmark = pytest.mark.anyio
LONGEST_S = 60.0


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    file = tmp_path / "radar.cfg"
    file.write_text(CONFIGURATION)
    return Settings(
        data_port="memory:ti-data",
        cli_port="memory:ti-cli",
        configuration=str(file),
        state_folder=str(tmp_path),
    )


async def answer(far: MemoryEnd, board: Board) -> None:
    """The board at the other end of the command line."""
    held = b""
    while True:
        held += (await far.read()).data
        *lines, held = held.split(b"\n")
        for line in lines:
            await far.write(board.say(line.decode()).encode())


async def started(
    settings: Settings, board: Board, counters: Counter[str] | None = None
) -> Configuration | None:
    """What `start` gives on a clock that runs until it is done."""
    clock = FakeClock()
    far = plug("ti-cli", clock, 115_200)
    outcome: list[Configuration | DeviceLost | None] = []

    async def run() -> None:
        try:
            outcome.append(await start(settings, clock, Counter() if counters is None else counters))
        except DeviceLost as lost:
            outcome.append(lost)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(answer, far, board)
        tasks.start_soon(run)
        began_s = clock.now_s()
        while not outcome and clock.now_s() - began_s < LONGEST_S:
            await clock.advance(0.05)
        tasks.cancel_scope.cancel()
    memory_line.unplug("ti-cli")
    (ended,) = outcome
    if isinstance(ended, DeviceLost):
        raise ended
    return ended


def marks(folder: Path) -> list[Path]:
    return list(folder.glob("*.started"))


def change(settings: Settings, old: str, new: str) -> None:
    assert settings.configuration is not None
    file = Path(settings.configuration)
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


@pytest.mark.parametrize("echo", [True, False])
async def test_a_fresh_radar_is_given_every_command_of_the_file_one_at_a_time(
    settings: Settings, echo: bool
) -> None:
    board, counters = Board(echo), Counter[str]()
    configuration = await started(settings, board, counters)
    sent = [command.text for command in read_configuration(CONFIGURATION).commands]
    assert board.heard == ["sensorStop", "sensorStart 0", *sent]
    assert (board.started, counters["cli_commands"]) == (True, len(board.heard))
    assert configuration is not None
    assert configuration.doppler_limit_mps == pytest.approx(11.57, abs=0.01)


async def test_a_radar_that_runs_this_configuration_is_only_stopped_and_started_again(
    settings: Settings,
) -> None:
    board = Board()
    await started(settings, board)
    board.heard.clear()
    await started(settings, board)
    assert board.heard == ["sensorStop", "sensorStart 0"]
    assert board.started


async def test_after_a_power_cycle_the_file_is_sent_again(settings: Settings) -> None:
    board = Board()
    await started(settings, board)
    board.power_cycle()
    change(settings, "channelCfg 15 7 0", "channelCfg 15 5 0")
    await started(settings, board)
    assert board.started
    assert not board.hangs


@pytest.mark.parametrize("old", ["channelCfg 15 7 0", "adcCfg 2 1", "lowPower 0 0", "trackingCfg 1 2 800"])
async def test_a_changed_file_never_reaches_a_running_radar_and_says_what_to_do(
    settings: Settings, old: str
) -> None:
    board = Board()
    await started(settings, board)
    change(settings, old, old[:-1] + "9")
    board.heard.clear()
    for _ in range(3):
        with pytest.raises(DeviceLost) as lost:
            await started(settings, board)
        assert lost.value.reason == "refused"
        assert "needs power-cycle" in lost.value.hint
    assert not board.hangs
    assert not [line for line in board.heard if line.startswith(FIXED)]
    board.power_cycle()
    await started(settings, board)
    assert board.started


async def test_a_radar_that_somebody_else_started_is_not_taken_for_ours(settings: Settings) -> None:
    board = Board()
    for command in read_configuration(CONFIGURATION).commands:
        board.say(command.text)
    with pytest.raises(DeviceLost) as lost:
        await started(settings, board)
    assert (lost.value.reason, "not sent from here" in lost.value.detail) == ("refused", True)


async def test_a_hung_radar_is_told_after_three_timeouts_as_needing_a_power_cycle(settings: Settings) -> None:
    board, counters = Board(), Counter[str]()
    board.hangs = True
    with pytest.raises(DeviceLost) as lost:
        await started(settings, board, counters)
    assert (lost.value.reason, counters["cli_timeouts"]) == ("timeout", 3)
    assert lost.value.hint.startswith("needs power-cycle")


async def test_one_command_that_was_not_heard_is_said_again(settings: Settings) -> None:
    board, counters = Board(), Counter[str]()
    board.deaf = 2
    await started(settings, board, counters)
    assert (board.started, counters["cli_timeouts"]) == (True, 2)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("adcCfg 2 1", "adcCfg bad", "line 6, `adcCfg bad`: Error: Invalid usage"),
        ("adcCfg 2 1", "wrongCfg 2 1", "line 6, `wrongCfg 2 1`: 'wrongCfg' is not recognized"),
        ("chirpCfg", "cfarCfg", "line 17, `sensorStart`: Error: Full configuration"),
    ],
)
async def test_a_command_that_the_radar_refuses_is_told_with_its_line(
    settings: Settings, old: str, new: str, says: str
) -> None:
    board = Board()
    change(settings, old, new)
    with pytest.raises(DeviceLost) as lost:
        await started(settings, board)
    assert lost.value.reason == "refused"
    assert says in lost.value.detail
    assert not board.started


async def test_half_a_file_leaves_nothing_known_of_the_radar(settings: Settings, tmp_path: Path) -> None:
    board = Board()
    await started(settings, board)
    assert len(marks(tmp_path)) == 1
    board.power_cycle()
    change(settings, "trackingCfg 1", "trackingCfg bad")
    with pytest.raises(DeviceLost):
        await started(settings, board)
    assert not marks(tmp_path)


async def test_commands_that_are_ignored_do_not_stop_the_start(settings: Settings) -> None:
    board, counters = Board(), Counter[str]()
    change(settings, "flushCfg", "flushCfg\nanalogMonitor 0 0")
    await started(settings, board, counters)
    assert board.started
    assert counters["cli_ignored"] >= 2  # the radar was stopped already, twice


async def test_a_mark_that_cannot_be_written_is_counted_and_the_radar_runs(settings: Settings) -> None:
    board, counters = Board(), Counter[str]()
    await started(settings.model_copy(update={"state_folder": "/nowhere"}), board, counters)
    assert (board.started, counters["mark_not_written"]) == (True, 1)


async def test_a_file_that_is_not_there_or_unfit_is_told(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(DeviceLost) as lost:
        await started(settings.model_copy(update={"configuration": str(tmp_path / "no.cfg")}), Board())
    assert lost.value.reason == "missing"
    (tmp_path / "bad.cfg").write_bytes(b"\xff\xfe")
    for name, reason in (("bad.cfg", "refused"), (".", "permission")):
        with pytest.raises(DeviceLost) as lost:
            await started(settings.model_copy(update={"configuration": str(tmp_path / name)}), Board())
        assert lost.value.reason == reason


async def test_without_a_configuration_the_command_port_is_never_opened() -> None:
    assert await start(Settings(data_port="memory:x", cli_port="memory:none"), FakeClock(), Counter()) is None


def test_settings_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValidationError, match="configuration needs cli_port"):
        Settings(data_port="x", configuration="y")
    with pytest.raises(ValidationError, match="needs a named profile"):
        Settings(data_port="x", target_bytes=28)
    assert Settings(data_port="x", target_bytes=28, profile="sdk").target_bytes == 28


async def test_an_opened_radar_is_started_first_and_tells_the_limit_of_its_doppler(
    settings: Settings,
) -> None:
    clock, board = FakeClock(), Board()
    cli, data = plug("ti-cli", clock, 115_200), plug("ti-data", clock, 921_600)
    got = []

    async def run() -> None:
        async with PLUGIN.open(settings, clock) as radar:
            got.append(radar.doppler_limit_mps)
            got.append((await anext(radar)).number)
            got.append(radar.counters["cli_commands"])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(answer, cli, board)
        tasks.start_soon(run)
        while not got:
            await clock.advance(0.05)
        assert board.started
        await data.write(built("sdk", 7, (1, floats((1.0, 20.0, 0.0, 0.0)))))
        while len(got) < 3:
            await clock.advance(0.05)
        tasks.cancel_scope.cancel()
    memory_line.unplug("ti-cli")
    memory_line.unplug("ti-data")
    assert got == [pytest.approx(11.57, abs=0.01), 7, len(board.heard)]
