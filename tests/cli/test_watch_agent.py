"""`rsu watch` of a running agent: forty columns, the nearest first, what is old is not the present."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rsu_agent.cli.status import SCREEN_COLUMNS, columns
from rsu_agent.cli.watch_agent import messages, signals, tracks, uplink
from rsu_agent.cli.words import KINDS
from rsu_agent.runtime.line_tap import MOST_AT_ONCE, LineTap
from rsu_agent.world.road_user import UserClass
from tests.cli.test_status_doctor import read_until
from tests.web.made_up import LIVE, MadeUpAgent, agent_at

RSU = Path(sys.executable).with_name("rsu")


@pytest.fixture
def agent() -> MadeUpAgent:
    return MadeUpAgent()


@pytest.fixture
def control(tmp_path: Path, agent: MadeUpAgent) -> Iterator[Path]:
    with agent_at(tmp_path / "ctl.sock", agent):
        yield tmp_path / "ctl.sock"


def watch(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(RSU), "watch", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def words_of(lines: Any) -> list[str]:
    return [words for words, _ in lines]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_line_is_wider_than_forty_columns(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RSU_LANG", language)
    state: dict[str, Any] = {**LIVE, "uplink": {**LIVE["uplink"], "produced": 10**14, "rtt_s": 3.25}}
    state["users"] = [
        {**LIVE["users"][0], "kind": kind.value, "track": 65535, "x": -199.9, "y": -199.9, "speed": 55.0}
        for kind in UserClass
    ]
    told = {"SPAT": {"age_s": 12.3, "hex": "ab" * 300, "message": "SPAT"}}
    lines = [*signals(state), *tracks(state), *messages(told), *messages(told, whole=True), *uplink(state)]
    assert len(lines) > 40
    assert max(columns(words) for words in words_of(lines)) <= SCREEN_COLUMNS
    assert {kind.value for kind in UserClass} == set(KINDS)


def test_lamps_that_are_old_lose_their_seconds_and_their_colour() -> None:
    fresh = list(signals(LIVE))
    assert ("  1 ■ red                33.5 s  50%", "red") in fresh
    old = list(signals({**LIVE, "signal": {**LIVE["signal"], "age_s": 7.0}}))
    assert ("lamps 7 s old", "bold red") in old
    assert ("  1 ■ red" + " " * 22, "dim") in old
    never = list(signals({**LIVE, "signal": {**LIVE["signal"], "age_s": None, "groups": []}}))
    assert ("no lamps heard", "bold red") in never


def test_the_road_user_nearest_to_the_middle_comes_first_and_hazards_last() -> None:
    assert words_of(tracks(LIVE)) == [
        "2 road users; metres east and north",
        "   42 pedestrian      -9.0   14.0   4 ",
        "   41 bus              5.0  -20.0  36↑",
        "! wrong way for 4 s",
    ]


def test_bytes_of_a_message_are_whole_only_where_they_are_asked_for() -> None:
    told = {"MAP": {"age_s": 0.4, "hex": bytes(range(30)).hex(), "message": "MAP"}}
    short, whole = words_of(messages(told)), words_of(messages(told, whole=True))
    assert short[0] == whole[0] == "MAP 0.4 s ago, 30 bytes"
    assert len(short) == 2
    assert bytes.fromhex("".join(whole[1:])) == bytes(range(30))
    assert words_of(messages({})) == ["nothing has been sent yet"]


def test_an_uplink_that_is_away_says_why_and_none_says_so() -> None:
    away = list(uplink({**LIVE, "uplink": {"connected": False, "reason": "refused", "backlog": 7}}))
    assert away[0] == ("not connected: refused", "bold red")
    assert away[1][0] == "waiting" + " " * 32 + "7"
    assert len(list(uplink({**LIVE, "uplink": None}))) == 1


@pytest.mark.parametrize("verb", ["signals", "tracks", "messages", "uplink"])
def test_into_a_pipe_it_is_plain_lines_and_objects_and_it_ends_in_time(verb: str, control: Path) -> None:
    plain = watch(verb, "--seconds", "0", "--socket", control)
    assert (plain.returncode, plain.stderr) == (0, "")
    assert "\x1b" not in plain.stdout
    assert len(plain.stdout.splitlines()) >= 2
    told = watch(verb, "--seconds", "0", "--socket", control, "--json")
    assert told.stdout.count("\n") == 1
    assert isinstance(json.loads(told.stdout), dict)


@pytest.mark.parametrize("verb", ["tracks", "messages", "uplink"])
def test_nobody_there_is_code_five(verb: str, tmp_path: Path) -> None:
    done = watch(verb, "--socket", tmp_path / "none.sock")
    assert done.returncode == 5
    assert "rsu run" in done.stderr


def test_on_a_terminal_it_is_a_screen_that_ends_cleanly_at_ctrl_c(control: Path) -> None:
    ours, theirs = pty.openpty()
    env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {
        "TERM": "xterm-256color",
        "COLUMNS": "40",
    }
    process = subprocess.Popen(
        [str(RSU), "watch", "tracks", "--socket", str(control)],
        stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    read_until(ours, lambda text: "\x1b[" in text and "pedestrian" in text)
    process.send_signal(signal.SIGINT)
    rest = read_until(ours, lambda text: "\x1b[?25h" in text)
    assert process.wait(60) == 0
    assert "Traceback" not in rest


def test_the_bytes_of_the_line_come_from_the_running_agent(
    control: Path, agent: MadeUpAgent, tmp_path: Path
) -> None:
    command = [str(RSU), "watch", "serial", "--hex", "--socket", str(control)]
    with (tmp_path / "seen").open("w") as seen:
        process = subprocess.Popen(command, stdout=seen, start_new_session=True)
    ends_s = time.monotonic() + 60
    while not (tmp_path / "seen").read_text() and time.monotonic() < ends_s:
        agent.tap("in", b"\x7e\x05", 1.0)  # until its stream is open it sees none of them
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert re.search(r"^in  \d+\.\d{3} 7E 05$", (tmp_path / "seen").read_text(), re.MULTILINE)


def test_a_reader_of_the_line_gets_each_piece_once_and_is_told_what_it_missed() -> None:
    tap = LineTap()
    tap("in", b"before", 0.0)
    number, told = tap.after(None)
    assert told == []
    tap("out", b"\x01", 1.0)
    number, told = tap.after(number)
    assert told == [{"t": 1.0, "dir": "out", "hex": "01"}]
    assert tap.after(number) == (number, [])
    for n in range(MOST_AT_ONCE + 50):
        tap("in", bytes([n % 256]), float(n))
    number, told = tap.after(number)
    assert len(told) == MOST_AT_ONCE
    number, told = tap.after(number)
    assert len(told) == 50
    for _ in range(3000):
        tap("in", bytes(16), 5.0)
    number, told = tap.after(number)
    assert told[0]["missed"] + MOST_AT_ONCE < 3000
    while told:
        number, told = tap.after(number)
    assert tap.after(number + 10) == (number, [])
