"""`--talkers` and `--liar`: what they start, what the site file says, and what they do not go with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML
from typer.testing import CliRunner

import hil.demo
from hil import commands
from hil.processes import RigFailure
from hil.rig import Rig, RigOptions, talkers_refused
from rsu_agent.cli.exits import Exit

app = typer.Typer()
app.command()(commands.demo)

TOLD: dict[str, dict[str, Any]] = {
    "controller": {"port": "/dev/pts/1", "baud": 115200},
    "time": {"host": "127.0.0.1", "port": 1001},
    "vehicle": {"host": "127.0.0.1", "port": 1002},
    "district": {"host": "127.0.0.1", "port": 1003},
    "camera": {"url": "http://127.0.0.1:1004/stream"},
    "radar": {"data_port": "/dev/pts/2", "baud": 921600},
}


class Started:
    """In place of the rig's processes: who would be started, and with what."""

    def __init__(self) -> None:
        self.children: dict[str, tuple[str, ...]] = {}

    def module(self, name: str, module: str, *arguments: str, ready: Path | None = None) -> None:
        self.children[name] = (module, *arguments)

    def wait_ready(self, *names: str) -> None:
        assert set(names) == set(self.children)

    def told(self, name: str) -> dict[str, Any]:
        return TOLD[name]


def brought_up(run_dir: Path, **options: Any) -> tuple[dict[str, tuple[str, ...]], dict[str, Any]]:
    """(the devices' command lines, the section `radio` of the site file)."""
    rig, started = Rig(run_dir, RigOptions(**options)), Started()
    rig.processes = started  # type: ignore[assignment]
    rig.start_devices()
    return started.children, dict(YAML(typ="safe").load(rig.site_file.read_text())["radio"])


def test_the_agent_listens_where_the_vehicles_send_and_trusts_what_the_rsu_has_checked(
    tmp_path: Path,
) -> None:
    devices, radio = brought_up(tmp_path / "run", talkers=0.05, seed=7)
    module, *arguments = devices["talkers"]
    said = dict(zip(arguments[::2], arguments[1::2], strict=True))
    assert module == "hil.devices.talking_vehicles"
    assert (said["--share"], said["--seed"], said["--run-dir"]) == ("0.05", "7", str(tmp_path / "run"))
    assert radio["receive_port"] == int(said["--port"]) > 0
    assert (radio["receive_host"], radio["forwards"]) == ("127.0.0.1", "verified")
    assert (radio["host"], radio["port"]) == ("127.0.0.1", 1002), "what is sent goes where it went"


def test_the_liar_is_asked_for_beside_the_share(tmp_path: Path) -> None:
    devices, _ = brought_up(tmp_path / "run", talkers=1.0, liar=True)
    assert "--liar" in devices["talkers"]


def test_without_talkers_there_is_no_device_and_nothing_in_the_site_file(tmp_path: Path) -> None:
    devices, radio = brought_up(tmp_path / "run")
    assert "talkers" not in devices
    assert not set(radio) & {"receive_host", "receive_port", "forwards"}


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"talkers": 0.05, "messages": "etsi"}, "BSMs of csae53 only, not with --messages etsi"),
        ({"talkers": 0.05, "messages": "j2735"}, "not with --messages j2735"),
        ({"talkers": 1.5}, "a share from 0 to 1"),
        ({"talkers": -0.1}, "a share from 0 to 1"),
        ({"talkers": 0.05, "senses": False}, "no road without senses"),
        ({"liar": True}, "nobody sends"),
    ],
)
def test_what_they_do_not_go_with_is_refused_before_anything_starts(
    tmp_path: Path, options: dict[str, Any], why: str
) -> None:
    with pytest.raises(RigFailure, match=why):
        Rig(tmp_path / "run", RigOptions(**options))
    assert not (tmp_path / "run").exists()


def test_what_goes_together_is_not_refused() -> None:
    assert talkers_refused(RigOptions()) is None
    assert talkers_refused(RigOptions(messages="etsi")) is None
    assert talkers_refused(RigOptions(talkers=0.05, liar=True)) is None


def test_the_verb_hands_them_on_and_refuses_them_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[RigOptions] = []

    def figures(_seconds: float, options: RigOptions, *_: Any) -> dict[str, Any]:
        asked.append(options)
        return {"missed": []}

    monkeypatch.setattr(hil.demo, "demo_figures", figures)
    ended = CliRunner().invoke(app, ["--for", "20", "--talkers", "0.05", "--liar", "--json"])
    assert ended.exit_code == 0
    assert [(options.talkers, options.liar) for options in asked] == [(0.05, True)]
    ended = CliRunner().invoke(app, ["--for", "20", "--talkers", "0.05", "--messages", "etsi", "--json"])
    assert ended.exit_code == int(Exit.USAGE)
    assert "--talkers: vehicles send BSMs of csae53 only" in json.loads(ended.stdout)["error"]
    assert len(asked) == 1
