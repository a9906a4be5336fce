"""The systemd units: known keys only, a tight sandbox, and what the agent needs left open."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from installing import ROOT

UNITS = ("rsu-agent.service", "rsu-agent-web.service")
analyze = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd-analyze is missing: sudo apt install systemd"
)


def lines_of(name: str, key: str) -> list[str]:
    text = (ROOT / "deploy" / name).read_text()
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


@analyze
@pytest.mark.real
@pytest.mark.parametrize("name", UNITS)
def test_systemd_knows_every_key(name: str, installed_once: Path, tmp_path: Path) -> None:
    text = (installed_once / "etc/systemd/system" / name).read_text()
    copy = tmp_path / name
    copy.write_text(text.replace("/opt/rsu-agent", f"{installed_once}/opt/rsu-agent"))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False)
    about_us = [line for line in done.stderr.splitlines() if name in line or "rsu-agent" in line]
    assert done.returncode == 0, done.stderr
    assert not about_us  # an unknown key is only a line on stderr


@analyze
def test_the_check_for_unknown_keys_would_see_one(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.service"
    wrong.write_text("[Service]\nExecStart=/bin/true\nWachdogSec=15\n")
    done = subprocess.run(["systemd-analyze", "verify", wrong], capture_output=True, text=True, check=False)
    assert "WachdogSec" in done.stderr


@analyze
@pytest.mark.parametrize("name", UNITS)
def test_the_exposure_is_at_most_two(name: str) -> None:
    command = ["systemd-analyze", "security", "--offline=yes", "--threshold=20", ROOT / "deploy" / name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def test_the_watchdog_is_that_of_the_parent() -> None:
    assert lines_of("rsu-agent.service", "Type") == ["notify"]
    assert lines_of("rsu-agent.service", "NotifyAccess") == ["main"]
    assert lines_of("rsu-agent.service", "WatchdogSec") == ["15"]
    assert lines_of("rsu-agent.service", "Restart") == ["always"]
    assert lines_of("rsu-agent.service", "StartLimitIntervalSec") == ["0"]


def test_the_agent_is_given_longer_to_stop_than_its_parent_gives_the_children() -> None:
    from rsu_agent.runtime.main import STOP_S

    (stop_s,) = lines_of("rsu-agent.service", "TimeoutStopSec")
    assert float(stop_s) > STOP_S


def test_serial_lines_and_cameras_stay_reachable() -> None:
    allowed = lines_of("rsu-agent.service", "DeviceAllow")
    for wanted in ("char-ttyS rw", "char-ttyUSB rw", "char-ttyACM rw", "char-video4linux rw"):
        assert wanted in allowed
    assert lines_of("rsu-agent.service", "SupplementaryGroups") == ["dialout video"]


def test_the_page_reaches_this_machine_only_and_no_device() -> None:
    name = "rsu-agent-web.service"
    assert lines_of(name, "IPAddressDeny") == ["any"]
    assert lines_of(name, "IPAddressAllow") == ["localhost"]
    assert lines_of(name, "PrivateDevices") == ["yes"]
    assert lines_of(name, "User") != lines_of("rsu-agent.service", "User")


def test_the_page_may_read_the_socket_that_the_agent_opens() -> None:
    (start,) = lines_of("rsu-agent-web.service", "ExecStart")
    (folder,) = lines_of("rsu-agent.service", "RuntimeDirectory")
    assert f"--socket /run/{folder}/ctl.sock" in start
    assert lines_of("rsu-agent-web.service", "SupplementaryGroups") == lines_of("rsu-agent.service", "Group")
    assert lines_of("rsu-agent.service", "RuntimeDirectoryMode") == ["0750"]


def test_the_page_starts_with_the_arguments_of_the_unit() -> None:
    (start,) = lines_of("rsu-agent-web.service", "ExecStart")
    module, *arguments = start.split(" -m ")[1].split()
    source = (ROOT / (module.replace(".", "/") + ".py")).read_text()
    for flag in [a for a in arguments if a.startswith("--")]:
        assert f'"{flag}"' in source, flag


def test_a_wrong_site_file_does_not_make_systemd_try_for_ever() -> None:
    from rsu_agent.cli.exits import Exit

    assert lines_of("rsu-agent.service", "RestartPreventExitStatus") == [str(int(Exit.INVALID))]


@pytest.mark.parametrize(
    "rule",
    [
        line
        for line in (ROOT / "deploy/60-rsu-agent.rules").read_text().splitlines()
        if line and not line.startswith("#")
    ],
)
def test_every_udev_rule_is_a_list_of_matches_and_assignments(rule: str) -> None:
    part = re.compile(r'[A-Z_]+(\{[^}]+\})?(==|!=|=|\+=|:=)"[^"]*"')
    parts = [piece.strip() for piece in rule.split(", ")]
    assert all(part.fullmatch(piece) for piece in parts), rule
    assert any("==" in piece for piece in parts)
    assert any("==" not in piece for piece in parts)
