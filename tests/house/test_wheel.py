"""The built wheel, alone in an empty environment and an empty folder, brings up the whole product."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hil.score.bounds import BOUNDS

pytestmark = pytest.mark.real
ROOT = Path(__file__).parents[2]
OWN = ("rsu_agent", "_editable_impl", "__editable__")  # what of the running environment is ours, not others'
SHORT_RUN_S = 280  # a cycle of warm-up, five scored seconds, a drain, on a machine with other work

LOOK = """
import json, rsu_agent, drivers, hil, hil.commands
from importlib.metadata import entry_points
from rsu_agent.ports.assets import asset
from rsu_agent.ports.plugins import plugins
from rsu_agent.settings.read import read_site
names = ["models/detector/detector.onnx", "models/detector/manifest.json", "config/virtual.yaml",
         "config/crossings/virtual.geojson", "models/association/association.onnx",
         "models/association/manifest.json"]
print(json.dumps({
    "packages": [package.__file__ for package in (rsu_agent, drivers, hil)],
    "assets": [str(asset(name)) for name in names],
    "drivers": sorted(plugins()),
    "lanes": len(read_site(asset("config/virtual.yaml")).crossing.lanes),
}))
"""


@dataclass(frozen=True)
class Environment:
    """A virtual environment with the wheel and nothing else of ours, and an empty folder to stand in."""

    folder: Path
    empty: Path

    def run(self, program: str, *arguments: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        command = [str(self.folder / "bin" / program), *arguments]
        return subprocess.run(
            command, cwd=self.empty, capture_output=True, text=True, timeout=timeout_s, check=False
        )


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    place = tmp_path_factory.mktemp("alone")
    folder = place / "env"
    venv.create(folder, with_pip=False, symlinks=True)
    _lend_third_parties(folder, place / "third-parties")
    into = [sys.executable, "-m", "pip", "--python", str(folder / "bin/python"), "install", "--quiet"]
    # Dependencies are those of the lock, lent; pip then checks that nothing the extra asks for is missing.
    for arguments in (["--no-deps", str(wheel)], ["--no-index", f"{wheel}[rig]"]):
        done = subprocess.run([*into, *arguments], capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stderr
    empty = place / "empty"
    empty.mkdir()
    return Environment(folder, empty)


def _lend_third_parties(folder: Path, lent: Path) -> None:
    """Others' packages of the running environment, by links; ours stay behind."""
    lent.mkdir()
    for found in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if not found.name.startswith(OWN):
            (lent / found.name).symlink_to(found)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "lent.pth").write_text(f"{lent}\n")


@pytest.fixture(scope="module")
def looked(environment: Environment) -> dict[str, Any]:
    said = environment.run("python", "-c", LOOK)
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout)


def test_the_three_packages_come_from_the_wheel_only(
    environment: Environment, looked: dict[str, Any]
) -> None:
    assert len(looked["packages"]) == 3
    assert all(Path(path).is_relative_to(environment.folder) for path in looked["packages"])


def test_weights_site_and_crossing_are_package_data(environment: Environment, looked: dict[str, Any]) -> None:
    assert all(Path(path).is_relative_to(environment.folder) for path in looked["assets"])
    assert looked["lanes"] == 28


def test_every_driver_of_the_house_is_found(looked: dict[str, Any]) -> None:
    in_tree = sorted(path.parent.name for path in (ROOT / "drivers").glob("*/driver.py"))
    assert looked["drivers"] == in_tree


def test_the_help_shows_the_verbs_of_the_rig_too(environment: Environment) -> None:
    said = environment.run("rsu", "--help")
    assert said.returncode == 0
    assert "Usage:" in said.stdout
    for verb in ("run", "status", "doctor", "config", "demo", "hil"):
        assert f" {verb} " in said.stdout
    assert "not installed" not in said.stdout


def test_the_shipped_site_is_valid_by_the_installed_command(
    environment: Environment, looked: dict[str, Any]
) -> None:
    site = next(path for path in looked["assets"] if path.endswith("virtual.yaml"))
    said = environment.run("rsu", "config", "check", site, "--json")
    assert (said.returncode, json.loads(said.stdout)) == (0, {"valid": True, "faults": []})


@pytest.mark.timeout(2 * SHORT_RUN_S)
def test_the_demo_runs_and_gives_one_object_on_one_line(environment: Environment) -> None:
    said = environment.run("rsu", "demo", "--for", "5", "--json", timeout_s=SHORT_RUN_S)
    assert said.stdout.count("\n") == 1, said.stdout[-2000:] + said.stderr[-4000:]
    figures = json.loads(said.stdout)
    assert "error" not in figures, figures
    for section in ("spat", "map", "rsm", "latency", "tracks", "hazards", "uplink", "process"):
        assert isinstance(figures[section], dict), section
    assert {"seed", "commit", "cpu", "seconds", "warmup_s", "drain_s", "missed"} <= figures.keys()
    assert figures["seconds"] == 5
    # A shared machine may miss a bound of time, and five seconds are few for the road; then the exit status
    # says so. What is said of the signals and what is stored may not be wrong.
    assert (said.returncode == 1) == bool(figures["missed"])
    truths = {bound.path for bound in BOUNDS if bound.kind == "truth"}
    wrong = truths & {line.split()[0] for line in figures["missed"]}
    assert [path for path in wrong if not path.startswith(("tracks.", "hazards."))] == []
    assert figures["spat"]["first_valid_s"] > 0
    assert figures["spat"]["valid_share"] > 0  # the controller was read
    assert figures["tracks"]["recall"] > 0  # the weights were found, and saw somebody
    assert figures["uplink"]["produced"] == figures["uplink"]["stored"] > 0
    assert not list(environment.empty.iterdir())  # nothing is left where one stands
