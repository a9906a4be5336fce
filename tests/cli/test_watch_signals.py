"""`rsu watch signals`: lamps and bytes side by side, on a telephone, a desk, into a pipe, at a busy port."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any

import anyio
import pytest
import serial
import typer
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from hil.bus import Bus
from hil.processes import Processes
from rsu_agent.cli.watch import signals
from rsu_agent.cli.watch_lines import JsonLines, PlainLines
from rsu_agent.cli.watch_screen import LEAST_RAW_ROWS, RULE, Screen
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime.watch_signals import Event, Lost, Opened, Raw, RawLog, watch_signals
from rsu_agent.runtime.watched_signals import WatchedSignals
from rsu_agent.world.signal import (
    Colour,
    Control,
    GroupTimes,
    Lamp,
    Programme,
    SignalReport,
    StageReport,
    StageState,
)

ROOT = Path(__file__).parents[2]
GENEROUS_S = 60.0
LAST_S = 20.0  # a verb that is never interrupted ends by itself
LOST_BUSY = Lost(0.5, "busy", "/dev/ttyS1: locked", "if the agent runs here ... look at `rsu status`")


def report(at_s: float, lamps: dict[int, Colour], **more: Any) -> SignalReport:
    shone = tuple(Lamp(group, colour) for group, colour in lamps.items())
    return SignalReport(at_s, at_s + 0.01, shone, **more)


def watched(*events: Event) -> WatchedSignals:
    made = WatchedSignals()
    for event in events:
        made.take(event)
    return made


def a_crossing(groups: int = 24) -> WatchedSignals:
    """Watched for ten seconds: group 2 has turned red at eight, group 3 tells its end."""
    colours = list(Colour)
    lamps = {group: colours[group % len(colours)] for group in range(1, groups + 1)}
    facts: dict[str, Any] = {
        "control": Control.FIXED_TIME, "plan": 3, "faults": ("lamp 7 dark",), "alarms": (), "preempt": False,
        "stage": StageReport(2, StageState.RUNNING, 4.0, 17.0),
    }  # fmt: skip
    return watched(
        Opened(0.0, True, {"frames": 12, "garbled": 0, "timeouts": 3}),
        Raw(0.100, "out", bytes.fromhex("7e00490d7d")),
        Raw(0.200, "in", bytes(range(200))),
        report(0.2, lamps | {2: Colour.GREEN}, **facts),
        *(report(second / 10, lamps, times=(GroupTimes(3, 4.0, 5.0, 9.0),)) for second in range(80, 101)),
    )


def drawn(made: WatchedSignals, now_s: float, columns: int, rows: int) -> list[str]:
    return [row.plain for row in Screen(made, "made-up-7 any /dev/x", 0.0).rows(now_s, columns, rows)]


# The screen


def test_a_wide_terminal_shows_lamps_on_the_left_and_bytes_on_the_right() -> None:
    rows = drawn(a_crossing(), 10.0, 100, 40)
    assert rows[0] == "10 s made-up-7 any /dev/x"
    left, right = zip(*(row.split(RULE, 1) for row in rows[1:]), strict=True)
    said = "\n".join(left)
    assert next(row for row in left if row.startswith("  2 ")).split() == ["2", "██", "red", "2s"]
    assert next(row for row in left if row.startswith("  3 ")).split()[-1] == "-5"
    assert "mode fixed time  plan 3" in said
    assert "stage 2 running, 14 s in, 7 s left" in said
    assert "faults lamp 7 dark" in said
    assert "a report every" in said
    assert "frames 12  timeouts 3" in said
    assert "garbled" not in said
    assert right[0].rstrip() == "→ 0.100 7E 00 49 0D 7D"
    assert right[1].startswith("← 0.200 00 01 02")
    assert "".join(right).rstrip().endswith("C6 C7")


def test_forty_columns_are_stacked_with_the_newest_bytes_at_the_bottom() -> None:
    rows = drawn(a_crossing(), 10.0, 40, 24)
    assert len(rows) == 24
    rule = rows.index("─" * 40)
    assert rule == 24 - LEAST_RAW_ROWS - 1
    assert all(RULE not in row for row in rows)
    above = "\n".join(rows[:rule])
    assert " 3▒red flash   -5" in above
    assert "24▒green flash >10s" in above
    assert "mode fixed time  plan 3" in above
    assert rows[-1].rstrip().endswith("C6 C7")


@given(st.integers(20, 200), st.integers(6, 70), st.integers(0, 70), st.booleans())
def test_no_size_of_terminal_is_overrun(columns: int, rows: int, groups: int, lost: bool) -> None:
    made = a_crossing(max(2, groups))
    if lost:
        made.take(LOST_BUSY)
    shown = Screen(made, "路口" * 20, 0.0).rows(10.0, columns, rows)
    assert len(shown) <= rows
    assert all(row.cell_len <= columns for row in shown)


def test_groups_that_find_no_room_are_counted() -> None:
    said = "\n".join(drawn(a_crossing(64), 10.0, 80, 20))
    assert "groups: make the window taller" in said
    assert "groups: make" not in "\n".join(drawn(a_crossing(64), 10.0, 80, 80))


def test_what_is_old_says_so() -> None:
    assert "OLD" not in "\n".join(drawn(a_crossing(), 11.5, 100, 40))
    assert "OLD: no colours for 15 s" in "\n".join(drawn(a_crossing(), 25.0, 100, 40))


@pytest.mark.parametrize("columns", [40, 100])
def test_a_lost_line_shows_no_colours_but_its_hint(columns: int) -> None:
    made = a_crossing()
    made.take(LOST_BUSY)
    rows = drawn(made, 10.0, columns, 30)
    said = " ".join(" ".join(row.split("│")[0] for row in rows).split())
    assert "LINE LOST: busy" in said
    assert "/dev/ttyS1: locked" in said
    assert "look at `rsu status`" in said
    assert "red flash" not in said
    assert any("C6 C7" in row for row in rows), "what passed before is still there to be read"


def test_a_driver_that_shows_no_bytes_is_said_to() -> None:
    made = watched(Opened(0.0, False, {}), report(0.1, {1: Colour.GREEN}))
    said = "\n".join(drawn(made, 1.0, 100, 20))
    assert "no raw bytes" in said
    assert "green" in said


def test_the_words_stay_when_the_colour_goes() -> None:
    rows = Screen(a_crossing(), "x", 0.0).rows(10.0, 100, 40)
    for no_color in (False, True):
        console = Console(file=io.StringIO(), force_terminal=True, no_color=no_color, width=100)
        console.print(*rows, sep="\n")
        said = console.file.getvalue()  # type: ignore[attr-defined]
        assert ("\x1b[32m" in said) is not no_color
        assert "green" in said


# Lines and objects


def test_plain_lines_tell_bytes_always_and_meaning_when_it_changes() -> None:
    plain, made = PlainLines("any /dev/x", 100.0), WatchedSignals()
    said: list[str] = []
    for event in (
        Opened(100.0, True, {}),
        Raw(112.345, "in", b"\x7e\x01"),
        report(112.3, {3: Colour.GREEN}, control=Control.MANUAL, faults=()),
        report(112.4, {3: Colour.GREEN}, control=Control.MANUAL, faults=()),
        report(113.0, {3: Colour.YELLOW}, times=(GroupTimes(3, 2.0, None, 4.0),)),
        Lost(114.0, "closed", "/dev/x: end of file", "check the plug"),
    ):
        made.take(event)
        said += plain.lines(event, made, event.last_byte_s if isinstance(event, SignalReport) else 0.0)
    assert said == [
        "opened any /dev/x at 0.000",
        "in  12.345 7E 01",
        "group 3 green since before 12.300",
        "control manual at 12.310",
        "faults none at 12.310",
        "group 3 yellow since 13.000 left 2-4",
        "lost closed at 14.000: /dev/x: end of file: check the plug",
    ]


def test_words_of_a_controller_do_not_steer_the_terminal() -> None:
    evil = report(0.0, {1: Colour.RED}, alarms=("door\x1b[2J\nin  0.1 FF",))
    made = watched(Opened(0.0, True, {}), evil)
    (said,) = (line for line in PlainLines("any", 0.0).lines(evil, made, 0.0) if line.startswith("alarms"))
    assert said == "alarms door?[2J?in  0.1 FF at 0.010"
    made.take(Lost(1.0, "refused", "it says \x1b[2J", ""))
    assert "\x1b" not in "".join(drawn(made, 1.0, 100, 20))


def test_every_object_has_its_time() -> None:
    objects, made = JsonLines("any", None, 100.0, 1_790_000_000.0), WatchedSignals()
    stage = StageReport(4, StageState.IDLE)
    events = (
        Opened(100.5, True, {"frames": 2}),
        Raw(100.6, "out", b"\x7e\x01"),
        Programme("abc", (1, 2)),
        report(101.0, {1: Colour.RED}, plan=2, times=(GroupTimes(1, 3.0),), stage=stage),
        LOST_BUSY,
    )
    said: list[dict[str, Any]] = []
    for event in events:
        made.take(event)
        said += objects.objects(event, made, 101.5)
    assert all("t" in each for each in said)
    opened, raw, programme, state, lost = (json.loads(json.dumps(each)) for each in said)
    assert (opened["opened"], opened["utc"]) == ("any", "2026-09-21T14:13:20.500+00:00")
    assert raw == {"t": 0.6, "dir": "out", "hex": "7e01"}
    assert (programme["t"], programme["groups"]) == (1.5, [1, 2])
    assert (state["colours"], state["plan"], state["left_s"]) == ({"1": "red"}, 2, {"1": [3.0, None]})
    assert state["stage"] == {"stage": 4, "state": "idle", "remaining_s": None}
    assert (lost["lost"], lost["counters"]) == ("busy", {"frames": 2})


# Watching


@given(st.lists(st.integers(0, 90), max_size=60))
def test_the_log_of_bytes_is_bounded_and_keeps_the_newest(sizes: list[int]) -> None:
    log = RawLog(most_bytes=64, most_pieces=8)
    for n, size in enumerate(sizes):
        log.add(Raw(float(n), "in", bytes([n]) * size))
    kept = list(log.newest_first())
    assert log.held_bytes == sum(len(raw.data) for raw in kept) <= 64
    assert len(kept) <= 8
    assert [raw.at_s for raw in kept] == [len(sizes) - 1.0 - n for n in range(len(kept))]


class Source:
    """A controller that gives one report, and then loses its line when told to."""

    def __init__(self, clock: FakeClock, end: anyio.Event) -> None:
        self._clock, self._end, self._given = clock, end, False
        self.counters = {"frames": 1}

    def __aiter__(self) -> Source:
        return self

    async def __anext__(self) -> SignalReport:
        if self._given:
            await self._end.wait()
            raise DeviceLost("closed", "/dev/x: end of file", "check the plug")
        self._given = True
        if (tap := getattr(self, "tap", None)) is not None:
            tap("in", b"\x7e", self._clock.now_s())
        return report(self._clock.now_s(), {1: Colour.RED})


class Tapped(Source):
    """One that shows its bytes."""

    tap: Callable[[str, bytes, float], None] | None = None


async def told(source: type[Source], busy: int) -> list[Event]:
    """What is told of a port that is busy so many times, open, lost, and open again."""
    clock, end, events, left = FakeClock(), anyio.Event(), list[Event](), busy

    @asynccontextmanager
    async def open_controller() -> AsyncIterator[Source]:
        nonlocal left
        if left:
            left -= 1
            raise DeviceLost("busy", "/dev/x: locked", "fuser -v names it")
        yield source(clock, end)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch_signals, open_controller, clock, events.append)
        await clock.advance(30.0)
        end.set()
        await clock.advance(0.0)
        ended = len(events)
        await clock.advance(1.0)
        assert isinstance(events[ended], Opened), "the line is opened again by itself"
        tasks.cancel_scope.cancel()
    return events[:ended]


@pytest.mark.anyio
async def test_a_busy_port_is_told_with_the_way_out_until_it_is_free() -> None:
    events = await told(Tapped, 2)
    assert [type(event) for event in events] == [Lost, Lost, Opened, Raw, SignalReport, Lost]
    assert isinstance(events[0], Lost)
    assert "stop it (systemctl stop rsu-agent), or look at `rsu status`" in events[0].hint
    assert "fuser" in events[0].hint
    assert isinstance(events[2], Opened)
    assert events[2].raw
    assert isinstance(events[-1], Lost)
    assert (events[-1].reason, events[-1].hint) == ("closed", "check the plug")


@pytest.mark.anyio
async def test_without_a_tap_there_are_reports_alone() -> None:
    events = await told(Source, 0)
    assert [type(event) for event in events] == [Opened, SignalReport, Lost]
    assert isinstance(events[0], Opened)
    assert not events[0].raw


# The verb, on the virtual cabinet's pseudo-terminal


class Reader(io.StringIO):
    """Standard output whose reader presses Ctrl-C as soon as it has seen enough."""

    def __init__(self, enough: Callable[[str], bool], *, terminal: bool = False) -> None:
        super().__init__()
        self._enough, self._terminal, self.interrupted = enough, terminal, False

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> int:
        wrote = super().write(text)
        if not self.interrupted and self._enough(self.getvalue()):
            self.interrupted = True
            main = threading.main_thread().ident
            assert main is not None
            signal.pthread_kill(main, signal.SIGINT)
        return wrote


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The site file of a running cabinet."""
    run_dir = tmp_path_factory.mktemp("cabinet")
    processes = Processes(run_dir / "logs")
    ready = run_dir / "ready" / "controller.json"
    processes.module("controller", "hil.devices.controller", "--run-dir", str(run_dir), ready=ready)
    processes.wait_ready("controller")
    text = (ROOT / "config" / "virtual.yaml").read_text()
    (run_dir / "site.yaml").write_text(
        text.replace("/dev/serial/by-id/controller", str(run_dir / "dev" / "controller"))
    )
    yield run_dir / "site.yaml"
    processes.stop()


def watch(site: Path, monkeypatch: pytest.MonkeyPatch, reader: Reader, *, as_json: bool = False) -> list[str]:
    """Run the verb until its reader has seen enough; what it wrote."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", reader)
        signals(site, LAST_S, as_json=as_json)
    assert reader.interrupted, reader.getvalue()[-2000:]
    return reader.getvalue().splitlines()


@pytest.mark.real
def test_into_a_pipe_there_is_a_line_an_event(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = watch(site, monkeypatch, Reader(lambda text: "group 24 " in text and "plan 1 " in text))
    assert said[0].startswith(f"opened gbt20999 {site.parent}/dev/controller at ")
    assert any(line.startswith("out ") and line.split()[2:4] == ["7E", "00"] for line in said)
    assert any(line.startswith("in  ") and line.split()[2:4] == ["7E", "00"] for line in said)
    assert {int(line.split()[1]) for line in said if line.startswith("group ")} == set(range(1, 25))
    assert any(line.startswith("control fixed_time at ") for line in said)
    assert said[-1].startswith("ended at ")
    assert " frames " in said[-1]
    assert "\x1b" not in "\n".join(said)


@pytest.mark.real
def test_json_is_an_object_an_event_and_a_busy_port_is_opened_when_free(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = serial.Serial(str(site.parent / "dev" / "controller"), exclusive=True)

    def enough(text: str) -> bool:
        if '"lost":"busy"' in text:
            agent.close()
        return '"24":' in text

    said = [json.loads(line) for line in watch(site, monkeypatch, Reader(enough), as_json=True)]
    assert all("t" in each for each in said)
    assert said[0]["lost"] == "busy"
    assert "look at `rsu status`" in said[0]["hint"]
    assert {each["dir"] for each in said if "hex" in each} == {"in", "out"}
    (opened,) = (each for each in said if "opened" in each)
    assert (opened["opened"], opened["raw"]) == ("gbt20999", True)
    state = [each for each in said if "colours" in each][-1]
    assert set(state["colours"]) == {str(group) for group in range(1, 25)}
    assert set(state["colours"].values()) <= set(Colour)
    assert (state["control"], state["plan"]) == ("fixed_time", 1)
    assert said[-1]["ended"]
    assert said[-1]["counters"]["frames"] > 0


@pytest.mark.real
def test_a_port_pulled_out_and_put_back_is_lost_and_opened_again(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus, done = Bus(site.parent), list[str]()

    def enough(text: str) -> bool:
        for name, sign in (("unplug", "group 24 "), ("replug", "lost ")):
            if sign in text and name not in done:
                done.append(name)
                bus.publish("fault", {"device": "controller", "name": name, "on": True})
        return "group 24 " in text.rpartition("lost ")[2] and "lost " in text

    said = watch(site, monkeypatch, Reader(enough))
    kinds = [line.split()[0] for line in said if line.startswith(("opened", "lost", "group 24 "))]
    assert kinds[:3] == ["opened", "group", "lost"]
    assert kinds[-2:] == ["opened", "group"]
    assert next(line for line in said if line.startswith("lost ")).startswith("lost closed at ")
    assert sum(line.startswith("group 24 ") and "since before" in line for line in said) == 2, (
        "not carried over"
    )


@pytest.mark.real
def test_on_a_telephone_it_is_a_screen_and_its_last_picture_stays(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"COLUMNS": "40", "LINES": "40", "TERM": "xterm", "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)
    watch(
        site, monkeypatch, reader := Reader(lambda text: "24 ██" in text and "7E 00" in text, terminal=True)
    )
    screen, left = reader.getvalue().rsplit("\x1b[?1049l", 1)
    assert screen.startswith("\x1b[?1049h")
    assert "\x1b[31m" not in screen, "NO_COLOR takes the colour"
    assert "─" * 40 in left
    assert "virtual-12 gbt20999" in left
    assert " 24 ██ " in left


@pytest.mark.real
def test_ctrl_c_on_a_real_terminal_is_a_clean_end(site: Path) -> None:
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    env.pop("NO_COLOR", None)
    command = [sys.executable, "-P", "-m", "rsu_agent.cli.main", "watch", "signals", "--site", str(site)]
    with Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True
    ) as process:
        os.close(theirs)
        said = ""
        while "\x1b[32m█" not in said:
            assert select.select([ours], [], [], GENEROUS_S)[0], said
            said += os.read(ours, 65536).decode(errors="replace")
        process.send_signal(signal.SIGINT)
        while select.select([ours], [], [], GENEROUS_S)[0]:
            try:
                said += os.read(ours, 65536).decode(errors="replace")
            except OSError:  # nobody is at the other end any more
                break
        assert process.wait(GENEROUS_S) == 0
    os.close(ours)
    assert "Traceback" not in said
    assert RULE in said.rpartition("\x1b[?1049l")[2].replace("\x1b[2m", ""), "the last picture stays"
    assert said.rindex("\x1b[?25h") > said.rindex("\x1b[?25l"), "the cursor is shown again"


def test_a_line_that_gives_nothing_is_code_four_and_a_wrong_site_three(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "config" / "virtual.yaml").read_text()
    (tmp_path / "site.yaml").write_text(text.replace("/dev/serial/by-id/controller", f"{tmp_path}/none"))
    with pytest.raises(typer.Exit) as ended:
        signals(tmp_path / "site.yaml", 0.01)
    assert ended.value.exit_code == 4
    assert "lost missing at " in capsys.readouterr().out
    with pytest.raises(typer.Exit) as ended:
        signals(tmp_path / "none.yaml", as_json=True)
    assert ended.value.exit_code == 3
    assert json.loads(capsys.readouterr().out)["reason"] == "invalid"


def test_a_reader_that_goes_away_ends_it_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone(io.StringIO):
        def fileno(self) -> int:
            return spare

        def write(self, text: str) -> int:
            raise BrokenPipeError

    text = (ROOT / "config" / "virtual.yaml").read_text()
    (tmp_path / "site.yaml").write_text(text.replace("/dev/serial/by-id/controller", f"{tmp_path}/none"))
    spare = os.open(os.devnull, os.O_WRONLY)
    monkeypatch.setattr(sys, "stdout", Gone())
    with pytest.raises(typer.Exit) as ended:
        signals(tmp_path / "site.yaml", LAST_S)
    assert ended.value.exit_code == 1
    os.close(spare)
