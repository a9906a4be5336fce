"""`rsu status` and `rsu doctor`: forty columns, plain where nobody looks, a clean end, findings that help."""

from __future__ import annotations

import copy
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.cli.doctor import CHECKS, LINE_HINTS
from rsu_agent.cli.finding import Finding
from rsu_agent.cli.status import columns, one_line, screen
from tests.web.made_up import LIVE, MadeUpAgent, agent_at

RSU = Path(sys.executable).with_name("rsu")


def state(**changes: Any) -> dict[str, Any]:
    made = copy.deepcopy(LIVE)
    made["users"] = len(made["users"])
    made["signal"]["end_error_p95_s"] = 0.05
    for name, value in changes.items():
        made[name] = made[name] | value if isinstance(value, dict) and made.get(name) else value
    return made


def findings(made: dict[str, Any]) -> dict[str, Finding]:
    return {finding.id: finding for check in CHECKS for finding in check(made)}


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Path]:
    with agent_at(tmp_path / "ctl.sock", MadeUpAgent()):
        yield tmp_path / "ctl.sock"


def rsu(*words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    command = [str(RSU), *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **more}
    )


def detector(**changes: Any) -> dict[str, Any]:
    """What the senses tell of their weights."""
    shares = {"CPUExecutionProvider": 1.0}
    told = {"model": "net.onnx", "refused": None, "head": "yolox", "providers": shares, "licence": "MIT"}
    return {**told, "use": "", "warnings": [], **changes}


words = st.text(st.characters(categories=["L", "N", "Zs", "So", "Mn"]), max_size=60) | st.just(
    "坪山大道与金牛路" * 9
)


@given(site=words, device=words, reason=words, kind=words)
def test_no_line_is_wider_than_forty_columns_whatever_the_names(
    site: str, device: str, reason: str, kind: str
) -> None:
    made = state(site=site, spat={"valid": False, "reason": reason, "sent": 10**9})
    made["devices"][0] |= {"device": device, "reason": reason}
    made["hazards"][0]["kind"] = kind
    for line, _ in screen(made):
        wide = sum(
            0
            if unicodedata.category(c) in ("Mn", "Me")
            else 2
            if unicodedata.east_asian_width(c) in "WF"
            else 1
            for c in line
        )
        assert wide <= 40, line
        assert columns(line) <= 40


def test_a_chinese_name_keeps_the_word_that_matters_beside_it() -> None:
    for valid, word in ((True, "on air"), (False, "UNAVAILABLE")):
        first, _ = screen(state(site="坪山大道与金牛路交叉口东北角", spat={"valid": valid, "reason": None}))[
            0
        ]
        assert first.endswith(word)


def test_an_agent_that_has_just_started_can_be_shown() -> None:
    made = state(uplink=None, hazards=[], devices=[])
    made["signal"] |= {"age_s": None, "plan": None, "stage": None}
    made["clock"] |= {"bound_ms": None}
    said = "\n".join(line for line, _ in screen(made))
    assert "age never" in said
    assert "not known" in said
    assert "None" not in said
    assert "None" not in one_line(made)


def test_into_a_pipe_it_is_plain_words(control: Path) -> None:
    done = rsu("status", "--socket", control, FORCE_COLOR="1")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert done.stdout.startswith("made-up-7  on air\n")
    assert "! wrong way" in done.stdout


def test_json_is_one_object_on_one_line(control: Path) -> None:
    done = rsu("status", "--socket", control, "--json")
    assert done.stdout.count("\n") == 1
    assert json.loads(done.stdout)["uplink"]["backlog"] == 7


def test_an_agent_that_is_not_there_is_code_five_and_what_to_do_next(tmp_path: Path) -> None:
    done = rsu("status", "--socket", tmp_path / "nobody.sock", "--json")
    assert done.returncode == 5
    assert json.loads(done.stdout)["reason"] == "unreachable"
    assert "rsu run" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("terminal", "sign"), [("xterm-256color", "\x1b["), ("dumb", "on air · plan 3")])
def test_watching_on_a_terminal_ends_cleanly_at_ctrl_c(control: Path, terminal: str, sign: str) -> None:
    ours, theirs = pty.openpty()
    env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": terminal, "COLUMNS": "40"}
    process = subprocess.Popen(
        [str(RSU), "status", "-w", "--socket", str(control)],
        stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    said = read_until(ours, lambda text: sign in text and "on air" in text)
    process.send_signal(signal.SIGINT)
    said += read_until(ours, lambda _: False)
    os.close(ours)
    assert process.wait(60) == 0
    assert "Traceback" not in said
    assert "Aborted" not in said
    if terminal != "dumb":
        assert said.rindex("\x1b[?25h") > said.rindex("\x1b[?25l"), "the cursor is shown again"


def seen(group: int, agrees: bool | None, *, contradicted: bool = False) -> dict[str, object]:
    """How one group's cameras stand."""
    return {"group": group, "agrees": agrees, "age_s": 0.1, "contradicted": contradicted}


def test_all_well_is_no_finding() -> None:
    made = state()
    made["devices"] = made["devices"][:1]
    assert all(finding.good is not False for finding in findings(made).values())


@pytest.mark.parametrize("reason", sorted(LINE_HINTS))
def test_every_reason_of_a_lost_device_has_a_next_step(reason: str) -> None:
    made = state()
    made["devices"][0] |= {"state": "lost", "reason": reason}
    found = findings(made)["SER01"]
    assert found.good is False
    assert found.reason == reason
    assert found.next == LINE_HINTS[reason]


@pytest.mark.parametrize(
    ("name", "changes", "good", "words"),
    [
        ("SIG01", {"spat": {"valid": False, "reason": "lamp_age"}}, False, "lamp_age"),
        ("SIG02", {"signal": {"end_error_p95_s": None}}, None, "not yet measured"),
        ("SIG02", {"signal": {"end_error_p95_s": 1.4}}, False, "1.40 s"),
        ("CLK20", {"clock": {"controller_offset_s": 0.4, "controller_shows": None}}, True, "+0.4 s"),
        (
            "CLK20",
            {"clock": {"controller_offset_s": 28800.2, "controller_shows": "local time"}},
            False,
            "local",
        ),
        ("CLK20", {"clock": {"controller_offset_s": None}}, None, "not told"),
        ("WIT01", {"witness": []}, None, "no camera watches"),
        ("WIT01", {"witness": [seen(1, True), seen(3, True)]}, True, "2 groups watched"),
        ("WIT01", {"witness": [seen(1, True), seen(3, False, contradicted=True)]}, False, "[3]"),
        ("WIT02", {"witness": [seen(1, None), seen(3, True)]}, True, "[1]"),
        ("WIT02", {"witness": [seen(1, None), seen(3, None)]}, False, "[1, 3]"),
        ("DET01", {"detector": None}, None, "no detector"),
        ("DET01", {"detector": detector()}, True, "net.onnx: yolox on CPUExecutionProvider 100%"),
        ("DET01", {"detector": {"model": "net.onnx", "refused": "no known head"}}, False, "no known head"),
        ("DET02", {"detector": detector()}, True, "MIT"),
        ("DET02", {"detector": detector(licence="")}, None, "not stated"),
        ("DET03", {"detector": detector(use="simulation_only")}, None, "simulation_only"),
        ("DET04", {"detector": detector(warnings=["slow"])}, None, "slow"),
        ("ASC01", {"association": {"used": "learnt", "refused": None}}, True, "learnt"),
        ("ASC01", {"association": {"used": "gate", "refused": "no such file"}}, False, "the gate is used"),
        ("CLK10", {"clock": {"trusted": False, "bound_ms": None}}, False, "unknown"),
        ("CLK10", {"clock": {"trusted": False, "bound_ms": 31.5}}, False, "31.5 ms"),
        ("NET01", {"uplink": None}, None, "no uplink"),
        ("NET01", {"uplink": {"connected": False, "backlog": 12}}, False, "12 waiting"),
    ],
)
def test_what_is_found_is_named_and_judged(
    name: str, changes: dict[str, Any], good: bool | None, words: str
) -> None:
    found = findings(state(**changes))[name]
    assert found.good is good
    assert words in found.found
    assert good is not False or found.next


def test_devices_of_one_kind_are_numbered_and_no_two_findings_share_a_name() -> None:
    made = state()
    made["devices"] = [made["devices"][1] | {"device": f"camera-{n}"} for n in range(3)]
    made["devices"].append(made["devices"][0] | {"kind": "lidar", "device": "new"})
    names = [finding.id for check in CHECKS for finding in check(made)]
    assert len(names) == len(set(names))
    assert {"CAM01", "CAM02", "CAM03", "DEV01"} <= set(names)
    assert all(re.fullmatch(r"[A-Z]{3}\d\d", name) for name in names)


def test_the_doctor_ends_with_code_four_and_tells_the_next_step(control: Path) -> None:
    done = rsu("doctor", "--socket", control)
    assert done.returncode == 4
    assert "FAIL CAM01 north-camera: lost (picture frozen)" in done.stdout
    assert "-> the picture does not change: restart the camera" in done.stdout
    told = json.loads(rsu("doctor", "--socket", control, "--json").stdout)
    assert told["good"] is False
    assert [f["id"] for f in told["findings"] if f["good"] is False] == ["CAM01", "MAP01"]


def read_until(terminal: int, true: Any, seconds: float = 90.0) -> str:
    """What a terminal shows until a condition holds or its program has ended."""
    said, end = "", time.monotonic() + seconds
    while not true(said):
        assert time.monotonic() < end, said
        if not select.select([terminal], [], [], 1.0)[0]:
            continue
        try:
            said += os.read(terminal, 65_536).decode(errors="replace")
        except OSError:  # the program has ended: Linux says EIO
            break
    return said
