"""Scenario files: the shipped ones read, wrong ones are refused with every fault at its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from hil.commands import hil
from hil.devices.fault_table import COMMON, FAULTS, checked, more
from hil.devices.line_spoiler import LineSpoiler
from hil.scenario.read import FAKE_FAULTS, read_scenario
from hil.scenario.run import shipped, speed_of
from rsu_agent.ports.assets import asset
from rsu_agent.settings.explain import SiteInvalid

HEAD = "says: something that holds\ngiven: {seconds: 20}\n"
WISH = "expect:\n  - {figure: spat.valid_share, least: 0.9}\n"


def faults(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(SiteInvalid) as caught:
        read_scenario(path)
    return [str(fault).removeprefix(str(path) + ":") for fault in caught.value.faults]


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.stem)
def test_every_shipped_scenario_reads_and_has_a_speed(path: Path) -> None:
    scenario = read_scenario(path)
    assert speed_of(scenario, None) == ("real" if scenario.real else "fake")
    assert scenario.expect


def test_steps_run_in_order_of_time_however_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(HEAD + "when:\n  - {at_s: 9, plan: 2}\n  - {at_s: 3, plan: 3}\n" + WISH)
    assert [step["at_s"] for step in read_scenario(path).when] == [3, 9]


def test_every_fault_of_a_file_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    text = "says: something that holds\ngiven: {seconds: 1, wheels: 4}\nexpect: []\n"
    found = faults(tmp_path, text)
    assert [entry.split(": ")[:2] for entry in found] == [
        ["2:8", "given"],
        ["2:18", "given.seconds"],
        ["3:9", "expect"],
    ]
    assert "wheels" in found[0]


@pytest.mark.parametrize(
    ("step", "place", "words"),
    [
        ("{at_s: 30, plan: 2}", "4:12: when.0.at_s", "after the end"),
        ("{at_s: 1, device: radio, fault: silence, on: true}", "4:23: when.0.device", "camera"),
        ("{at_s: 1, device: camera, fault: itch, on: true}", "4:23: when.0.device", "black"),
        ("{at_s: 1, device: camera, fault: kill, on: true}", "4:38: when.0.fault", "needs: real"),
        ("{at_s: 1, kill: core}", "4:21: when.0.kill", "needs: real"),
        ("{at_s: 1, plan: 2, mode: flash}", "4:5: when.0", "exactly one of"),
    ],
)
def test_a_senseless_step_is_refused_where_it_stands(
    tmp_path: Path, step: str, place: str, words: str
) -> None:
    (found,) = faults(tmp_path, HEAD + f"when:\n  - {step}\n" + WISH)
    assert found.startswith(place)
    assert words in found


@pytest.mark.parametrize(
    "wish",
    [
        "{heard: users, after_s: 1, within_s: 1}",
        "{heard: radar_users, after_s: 1, within_s: 1}",
        "{heard: camera_users, after_s: 1, within_s: 1}",
        "{figure: uplink.missing, most: 0}",
        "{told: dirty, of: north, after_s: 1, within_s: 1}",
    ],
)
def test_what_only_real_processes_show_is_not_expected_of_the_fake_clock(tmp_path: Path, wish: str) -> None:
    (found,) = faults(tmp_path, HEAD + f"expect:\n  - {wish}\n")
    assert "needs: real" in found


def test_a_wish_that_leaves_no_time_is_refused_where_it_stands(tmp_path: Path) -> None:
    wish = "{heard: valid, after_s: 1, not_before_s: 3, within_s: 3}"
    (found,) = faults(tmp_path, HEAD + f"expect:\n  - {wish}\n")
    assert found == "4:46: expect.0.not_before_s: leaves no time before within_s"


@pytest.mark.parametrize("text", ["a: [1\n", "- 1\n- 2\n", "", "a: 1\na: 2\n", "&a [*a]\n"])
def test_what_is_no_scenario_at_all_is_refused_with_a_place(tmp_path: Path, text: str) -> None:
    assert all(entry[0].isdigit() for entry in faults(tmp_path, text))


def test_a_file_that_is_not_there_is_a_fault_with_exit_code_three(tmp_path: Path) -> None:
    ended = CliRunner().invoke(hil, ["run", str(tmp_path / "none.yaml"), "--json"])
    assert ended.exit_code == 3
    assert "none.yaml:1:1: (file): cannot be read" in json.loads(ended.stdout)["error"]


def test_a_scenario_that_needs_real_processes_refuses_the_fake_clock(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("needs: real\n" + HEAD + WISH)
    ended = CliRunner().invoke(hil, ["run", str(path), "--speed", "fake"])
    assert ended.exit_code == 2
    assert "needs real processes" in ended.stderr


def test_the_fake_line_knows_only_what_the_controller_knows() -> None:
    assert set(FAKE_FAULTS) <= set(FAULTS["controller"])


def test_the_page_tells_of_every_device_what_each_fault_does() -> None:
    lines = asset("docs/reference/scenario.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    told = {row[0].strip("`"): row[1:] for row in rows if row[0].strip("`") in FAULTS}
    assert set(told) == set(FAULTS)
    for device, (*common, others) in told.items():
        assert len(common) == 4
        assert all(common), device
        assert all(f"`{name}`" in others for name in more(device))


@pytest.mark.parametrize("device", FAULTS)
def test_help_names_every_fault_of_every_device(device: str) -> None:
    shown = CliRunner().invoke(hil, ["fault", "--help"], env={"COLUMNS": "400", "TERM": "dumb"}).output
    assert device in shown
    assert all(name in shown for name in FAULTS[device])
    assert set(COMMON) | set(more(device)) == set(FAULTS[device])


def test_the_former_name_of_silence_still_works() -> None:
    assert checked("controller", "silent") == ("controller", "silence")


@pytest.mark.parametrize(
    ("device", "name", "words"),
    [("camra", "kill", "'camera'"), ("camra", "kill", "vehicle"), ("radar", "unplg", "'unplug'")],
)
def test_unknown_names_on_the_command_line_are_answered_with_the_known_ones(
    device: str, name: str, words: str
) -> None:
    ended = CliRunner().invoke(hil, ["fault", device, name, "on", "--json"])
    assert ended.exit_code == 2
    assert words in json.loads(ended.stdout)["error"]


def test_the_fault_verb_says_what_it_did_on_a_running_demo(tmp_path: Path) -> None:
    from hil.bus import Bus

    heard = Bus(tmp_path).subscribe("fault")
    ended = CliRunner().invoke(hil, ["fault", "time", "step", "0.5", "--run", str(tmp_path), "--json"])
    assert ended.exit_code == 0
    assert json.loads(ended.stdout) == {"device": "time", "fault": "step", "on": 0.5, "run": str(tmp_path)}
    assert heard.get() == ("fault", {"device": "time", "name": "step", "on": 0.5})
    heard.close()


@given(frame=st.binary(min_size=1, max_size=200), seed=st.integers(0, 1000))
def test_a_line_without_faults_changes_nothing(frame: bytes, seed: int) -> None:
    assert LineSpoiler(seed).spoil(frame) == (frame, True)


@given(frame=st.binary(min_size=2, max_size=200), seed=st.integers(0, 1000))
def test_a_frame_called_whole_is_on_the_line_whole(frame: bytes, seed: int) -> None:
    line = LineSpoiler(seed)
    line.obey("garbage", True)
    line.obey("truncate", True)
    data, whole = line.spoil(frame)
    assert data
    assert data.endswith(frame) or not whole
