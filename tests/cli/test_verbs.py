"""Every verb: help with an example, one JSON object alone on stdout, exit statuses, a clean end."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from speaking import GENEROUS_S, GOOD, RSU, agent, deaf_agent, one_object, rsu

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.main import RIG_VERBS, RIG_VERBS_WITHIN, add_other_verbs, app
from rsu_agent.version import __version__


def verbs(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path, command
    for name, child in sorted((inner or {}).items()):
        yield from verbs(child, (*path, name))


add_other_verbs()
VERBS = dict(verbs(typer.main.get_command(app)))
WITH_JSON = [path for path, verb in VERBS.items() if any("--json" in p.opts for p in verb.params)]
# Verbs that become something else, or only send a word to a running demo, print no object of their own.
WITHOUT_JSON = {("run",), ("district", "run"), ("district", "api"), ("hil", "fault"), ("bench",)}


@pytest.mark.parametrize("path", VERBS, ids=" ".join)
def test_every_verb_has_help_with_an_example(path: tuple[str, ...]) -> None:
    said = rsu(*path, "--help")
    assert said.returncode == 0
    assert "Usage:" in said.stdout
    if "needs the rig" not in said.stdout:
        assert "Example" in said.stdout
        assert f"rsu {' '.join(path)}" in said.stdout


def test_every_verb_gives_json_but_those_that_have_nothing_to_say() -> None:
    assert VERBS.keys() - set(WITH_JSON) <= WITHOUT_JSON


@pytest.mark.parametrize("path", WITH_JSON, ids=" ".join)
def test_a_wrong_option_is_an_object_with_json_and_words_without(path: tuple[str, ...]) -> None:
    with_json = rsu(*path, "--json", "--no-such-option")
    told = one_object(with_json)
    assert (with_json.returncode, told["reason"]) == (Exit.USAGE, "usage")
    assert "--no-such-option" in told["error"]
    without = rsu(*path, "--no-such-option")
    assert (without.returncode, without.stdout) == (Exit.USAGE, "")
    assert "--no-such-option" in without.stderr


@pytest.mark.parametrize(
    "arguments",
    [["none-such", "--json"], ["config", "none-such", "--json"], ["hil", "fault", "--json"], ["--json"]],
)
def test_a_wrong_verb_or_a_missing_argument_is_an_object_too(arguments: list[str]) -> None:
    done = rsu(*arguments)
    assert done.returncode == Exit.USAGE
    assert one_object(done)["error"]


def test_the_version_is_printed() -> None:
    assert rsu("--version").stdout == f"{__version__}\n"


@pytest.mark.parametrize("verb", ["status", "doctor"])
def test_an_agent_that_is_away_is_exit_5_with_what_to_do(verb: str, tmp_path: Path) -> None:
    socket = tmp_path / "ctl.sock"
    done = rsu(verb, "--json", "--socket", socket)
    told = one_object(done)
    assert (done.returncode, told["reason"]) == (Exit.UNREACHABLE, "unreachable")
    assert "rsu run SITE" in told["error"]
    assert str(socket) in told["error"]
    plain = rsu(verb, "--socket", socket)
    assert (plain.returncode, "DSK01" in plain.stdout) == (Exit.UNREACHABLE, verb == "doctor")
    assert "is the agent running?" in plain.stderr


@pytest.mark.parametrize("verb", ["status", "doctor"])
@pytest.mark.parametrize(
    ("answer", "status"), [(b"Not Found", 404), (b"{", 200), (b"[]", 200), (b"", 200), (b"{}", 503)]
)
def test_something_else_at_the_socket_is_no_agent(
    verb: str, answer: bytes, status: int, tmp_path: Path
) -> None:
    with agent(tmp_path / "ctl.sock", answer, status) as socket:
        done = rsu(verb, "--json", "--socket", socket)
    assert (done.returncode, one_object(done)["reason"]) == (Exit.UNREACHABLE, "unreachable")
    assert "Traceback" not in done.stderr


def test_status_gives_the_agents_own_object(tmp_path: Path) -> None:
    with agent(tmp_path / "ctl.sock", GOOD) as socket:
        done = rsu("status", "--json", "--socket", socket)
        screen = rsu("status", "--socket", socket)
    assert (done.returncode, one_object(done)) == (Exit.OK, GOOD)
    assert screen.stdout.splitlines()[0] == "virtual-12  on air"
    assert all(len(line) <= 40 for line in screen.stdout.splitlines())


def test_the_users_own_socket_is_found_by_itself(tmp_path: Path) -> None:
    (tmp_path / "rsu-agent").mkdir()
    with agent(tmp_path / "rsu-agent" / "ctl.sock", GOOD):
        done = rsu("status", "--json", XDG_RUNTIME_DIR=str(tmp_path))
    assert (done.returncode, one_object(done)["site"]) == (Exit.OK, "virtual-12")


def test_doctor_is_exit_0_when_all_is_well_and_4_when_a_check_fails(tmp_path: Path) -> None:
    with agent(tmp_path / "good.sock", GOOD) as socket:
        well = rsu("doctor", "--json", "--socket", socket)
    assert (well.returncode, one_object(well)["good"]) == (Exit.OK, True)
    lost = {"device": "controller", "kind": "controller", "state": "lost", "reason": "silent", "detail": ""}
    with agent(tmp_path / "bad.sock", {**GOOD, "devices": [lost]}) as socket:
        ill = rsu("doctor", "--json", "--socket", socket)
        words = rsu("doctor", "--socket", socket)
    told = one_object(ill)
    assert (ill.returncode, told["good"]) == (Exit.CHECK_FAILED, False)
    assert [f["id"] for f in told["findings"] if f["good"] is False] == ["SER01"]
    assert words.returncode == Exit.CHECK_FAILED
    assert "FAIL SER01" in words.stdout
    assert "-> check wiring" in words.stdout


def interrupted(socket: Path, arguments: list[str], heard: Any) -> subprocess.CompletedProcess[str]:
    """Start rsu, wait until `heard(process)`, press Ctrl-C, and give its end."""
    command = [*RSU, *arguments, "--socket", str(socket)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        first = heard(process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=GENEROUS_S)
    return subprocess.CompletedProcess(command, process.returncode, (first or "") + out, err)


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_ctrl_c_ends_watching_cleanly(extra: list[str], tmp_path: Path) -> None:
    with agent(tmp_path / "ctl.sock", GOOD) as socket:
        done = interrupted(socket, ["status", "-w", *extra], lambda p: p.stdout.readline())
    assert done.returncode in (0, 130)
    assert (done.stderr, "Traceback" in done.stdout) == ("", False)
    assert ("virtual-12" if extra else "on air") in done.stdout


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_ctrl_c_ends_waiting_for_an_answer_cleanly(extra: list[str], tmp_path: Path) -> None:
    with deaf_agent(tmp_path / "ctl.sock") as listener:

        def heard(_process: Any) -> None:
            heard.caller = listener.accept()[0]  # held open: the caller waits for an answer
            assert heard.caller.recv(4096).startswith(b"GET /v1/status")

        done = interrupted(tmp_path / "ctl.sock", ["status", *extra], heard)
        heard.caller.close()
    assert done.returncode == 130
    assert "Traceback" not in done.stderr


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as nobody:
        done = subprocess.run(
            [*RSU, "config", "schema"], stdout=nobody, stderr=subprocess.PIPE, timeout=GENEROUS_S, check=False
        )
    assert b"Traceback" not in done.stderr
    assert done.returncode == Exit.FAILED


@pytest.fixture
def without_rig(tmp_path: Path) -> Path:
    """A path on which the rig's package cannot be loaded."""
    (tmp_path / "hil").mkdir()
    (tmp_path / "hil" / "__init__.py").write_text("raise ImportError('the rig is away')\n")
    return tmp_path


@pytest.mark.parametrize("verb", RIG_VERBS)
def test_without_the_rig_its_verbs_say_how_to_get_it(verb: str, without_rig: Path) -> None:
    done = rsu(verb, "--for", "60", "--json", PYTHONPATH=str(without_rig))
    assert done.returncode == Exit.FAILED
    assert "pip install 'rsu-agent[rig]'" in one_object(done)["error"]
    assert "rsu-agent[rig]" in rsu("--help", PYTHONPATH=str(without_rig)).stdout


@pytest.mark.parametrize("verb", RIG_VERBS_WITHIN)
def test_nor_do_those_within_a_verb_of_ours(verb: str, without_rig: Path) -> None:
    within, _, name = verb.partition(".")
    done = rsu(within, name, "--for", "60", "--json", PYTHONPATH=str(without_rig))
    assert done.returncode == Exit.FAILED
    assert "pip install 'rsu-agent[rig]'" in one_object(done)["error"]
    assert "rsu-agent[rig]" in rsu(within, "--help", PYTHONPATH=str(without_rig)).stdout


def test_the_exit_codes_are_those_of_the_page() -> None:
    assert {code.name: int(code) for code in Exit} == {
        "OK": 0,
        "FAILED": 1,
        "USAGE": 2,
        "INVALID": 3,
        "CHECK_FAILED": 4,
        "UNREACHABLE": 5,
        "REVERTED": 6,
        "DIFFERS": 7,
        "TEMPORARY": 75,
        "PERMISSION": 77,
    }
