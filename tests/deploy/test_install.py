"""deploy/install, run as a technician would, into a folder instead of the machine."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from installing import INSTALL, everything_in, install
from ruamel.yaml import YAML

from rsu_agent.ports.assets import asset
from rsu_agent.settings.explain import SiteInvalid
from rsu_agent.settings.read import read_site

pytestmark = pytest.mark.real


def release_in(root: Path) -> Path:
    return (root / "opt/rsu-agent/current").resolve()


def test_everything_is_where_the_units_look_for_it(installed_once: Path) -> None:
    release = release_in(installed_once)
    assert release.parent == installed_once / "opt/rsu-agent/releases"
    assert os.access(release / "bin/rsu", os.X_OK)
    for name in ("rsu-agent.service", "rsu-agent-web.service"):
        assert (installed_once / "etc/systemd/system" / name).is_file()
    assert (installed_once / "etc/udev/rules.d/60-rsu-agent.rules").is_file()
    assert (installed_once / "opt/rsu-agent/README.md").is_file()
    assert (installed_once / "etc/rsu-agent/site.yaml").stat().st_mode & 0o777 == 0o640
    assert (installed_once / "etc/rsu-agent").stat().st_mode & 0o777 == 0o770, "a change must go back"
    assert (installed_once / "usr/local/share/man/man1/rsu-config.1").is_file()
    assert (installed_once / "usr/local/bin/rsu").resolve() == release / "bin/rsu"


def test_the_installed_program_runs_and_comes_from_its_release(installed_once: Path, tmp_path: Path) -> None:
    release = release_in(installed_once)
    asked = [release / "bin/python", "-c", "import rsu_agent, drivers; print(rsu_agent.__file__)"]
    said = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert Path(said.stdout.strip()).is_relative_to(release)


def test_a_second_run_changes_nothing_and_keeps_the_site_file(box: Path, wheel: Path) -> None:
    site = box / "etc/rsu-agent/site.yaml"
    site.write_text(site.read_text() + "# by the technician\n")
    before = everything_in(box)
    again = install("--root", box, wheel)
    assert again.returncode == 0, again.stderr
    assert "is in place" in again.stdout
    assert f"kept {site}" in again.stdout
    link = "usr/local/bin/rsu"  # leads to the folder given, and this box is a copy
    assert {**before, link: ""} == {**everything_in(box), link: ""}


def test_a_half_built_release_is_built_anew(box: Path, wheel: Path) -> None:
    release = release_in(box)
    (release / ".complete").unlink()
    shutil.rmtree(release / "lib")
    assert install("--root", box, wheel).returncode == 0
    assert (release / ".complete").read_text().strip() == hashlib.sha256(wheel.read_bytes()).hexdigest()
    said = subprocess.run(
        [release / "bin/python", "-m", "pip", "--version"], capture_output=True, check=False
    )
    assert said.returncode == 0


def test_the_same_version_from_another_wheel_is_refused_unless_told(
    box: Path, wheel: Path, tmp_path: Path
) -> None:
    mark = release_in(box) / ".complete"
    mark.write_text("0" * 64 + "\n")
    before = everything_in(box)
    refused = install("--root", box, wheel)
    assert refused.returncode == 1
    assert "already installed from another wheel; --replace" in refused.stderr
    assert everything_in(box) == before
    assert install("--root", box, "--replace", wheel).returncode == 0
    assert mark.read_text() != "0" * 64 + "\n"


def test_a_release_that_does_not_start_is_never_switched_to(box: Path, wheel: Path, tmp_path: Path) -> None:
    newer = tmp_path / re.sub(r"-[^-]+-py3", "-99.0-py3", wheel.name)
    with zipfile.ZipFile(wheel) as whole, zipfile.ZipFile(newer, "w") as lacking:
        for item in whole.infolist():
            if item.filename != "rsu_agent/cli/exits.py":
                lacking.writestr(item, whole.read(item))
    before = os.readlink(box / "opt/rsu-agent/current")
    failed = install("--root", box, newer)
    assert failed.returncode == 1
    assert "the new release does not start; nothing was switched" in failed.stderr
    assert os.readlink(box / "opt/rsu-agent/current") == before
    assert (box / "opt/rsu-agent/current/bin/rsu").exists()


def test_without_a_network_and_with_an_empty_wheelhouse_it_says_what_to_do(
    wheel: Path, tmp_path: Path
) -> None:
    house = tmp_path / "wheelhouse"
    house.mkdir()
    failed = install(
        "--root", tmp_path / "root", "--wheelhouse", house, wheel, PIP_NO_DEPS="0", PYTHONPATH=""
    )
    assert failed.returncode == 1
    assert "could not be installed; without a network give --wheelhouse" in failed.stderr
    assert not (tmp_path / "root/opt/rsu-agent/current").exists()


def test_a_dry_run_says_every_step_and_changes_nothing(wheel: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    said = install("--dry-run", "--root", root, wheel)
    assert said.returncode == 0, said.stderr
    assert not root.exists()
    for step in ("-m venv", "pip install", "opt/rsu-agent/current", "rsu-agent.service", "site.yaml"):
        assert any(line.startswith("would run: ") and step in line for line in said.stdout.splitlines()), step
    assert "nothing was changed" in said.stdout


def test_a_dry_run_for_the_machine_itself_names_users_and_touches_nothing(wheel: Path) -> None:
    said = install("--dry-run", wheel)
    assert said.returncode == 0, said.stderr
    assert not Path("/opt/rsu-agent").exists() or "is in place" in said.stdout
    assert (
        "useradd --system --gid rsu-agent " in said.stdout or "rsu-agent:" in Path("/etc/passwd").read_text()
    )


def test_uninstalling_keeps_what_is_the_sites_and_purging_does_not(box: Path) -> None:
    records = box / "var/lib/rsu-agent/outbox"
    records.mkdir(parents=True)
    assert install("--uninstall", "--root", box).returncode == 0
    left = {str(p.relative_to(box)) for p in box.rglob("*") if p.is_file()}
    assert left == {"etc/rsu-agent/site.yaml"}
    assert records.is_dir()
    assert not (box / "usr/local/bin/rsu").is_symlink()
    assert install("--uninstall", "--purge", "--root", box).returncode == 0
    assert not (box / "etc/rsu-agent").exists()
    assert not records.exists()


def test_uninstalling_twice_is_harmless(tmp_path: Path) -> None:
    for _ in range(2):
        assert install("--uninstall", "--root", tmp_path / "empty").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([], 2, "name the wheel"),
        (["--colour"], 2, "no such option: --colour"),
        (["--root"], 2, "--root needs a value"),
        (["--purge", "a.whl"], 2, "--purge goes with --uninstall"),
        (["a.whl", "b.whl"], 2, "only one wheel"),
        (["--root", "DIR", "none-there.whl"], 1, "no such file; build one with"),
        (["--root", "DIR", "WRONG"], 1, "not a wheel of rsu-agent"),
        (["--root", "DIR", "--wheelhouse", "/none/there", "WHEEL"], 1, "no such folder of wheels"),
        (["--root", "DIR", "--python", "python-none", "WHEEL"], 1, "not found; sudo apt install"),
    ],
)
def test_wrong_use_is_told_with_what_to_do(
    arguments: list[str], status: int, said: str, wheel: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other-1.0-py3-none-any.whl"
    other.write_bytes(b"")
    stand_ins = {"DIR": str(tmp_path / "root"), "WHEEL": str(wheel), "WRONG": str(other)}
    done = install(*[stand_ins.get(a, a) for a in arguments])
    assert done.returncode == status
    assert said in done.stderr
    assert not (tmp_path / "root").exists()


def test_help_has_an_example_and_the_exit_statuses() -> None:
    done = subprocess.run([INSTALL, "--help"], capture_output=True, text=True, timeout=30, check=True)
    assert "Example: sudo deploy/install" in done.stdout
    assert "Exit status" in done.stdout


def test_the_site_file_given_to_fill_in_lacks_only_its_crossing(installed_once: Path, tmp_path: Path) -> None:
    template = installed_once / "etc/rsu-agent/site.yaml"
    with pytest.raises(SiteInvalid) as caught:
        read_site(template)
    (fault,) = caught.value.faults
    assert fault.path == "crossing.file"
    site = YAML(typ="safe").load(template.read_text())
    site["crossing"] = {"file": str(asset("config/crossings/virtual.geojson")), "ids": "test"}
    filled = tmp_path / "site.yaml"
    with filled.open("w") as out:
        YAML().dump(site, out)
    assert read_site(filled).settings.controller.driver == "gbt20999"
