"""The Debian package: what is in it, and its life on a copy of this machine, which it leaves as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from installing import ROOT

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="dpkg-deb is missing: sudo apt install dpkg"),
]
BUILD = ROOT / "deploy/debian/build.py"
RELEASE = "./opt/rsu-agent/releases"


def build(out: Path, wheel: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, BUILD, "--bare", "--out", out, "--wheel", wheel, *more]
    environ = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=240, check=False)


def built(out: Path, wheel: Path, *more: str) -> Path:
    done = build(out, wheel, *more)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def package(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our own wheel alone: the real build adds packages and nothing else."""
    return built(tmp_path_factory.mktemp("deb"), wheel, "--version", "98.0")


@pytest.fixture(scope="session")
def newer(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("newer"), wheel, "--version", "99.0")


@pytest.fixture(scope="session")
def members(package: Path) -> dict[str, tarfile.TarInfo]:
    done = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], capture_output=True, check=True)
    with tarfile.open(fileobj=BytesIO(done.stdout)) as whole:
        return {member.name: member for member in whole.getmembers()}


def field(package: Path, name: str) -> str:
    command = ["dpkg-deb", "-f", package, name]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_everything_is_where_debian_looks_for_it(members: dict[str, tarfile.TarInfo]) -> None:
    for name in (
        "./lib/systemd/system/rsu-agent.service",
        "./lib/systemd/system/rsu-agent-web.service",
        "./lib/udev/rules.d/60-rsu-agent.rules",
        "./usr/lib/sysusers.d/rsu-agent.conf",
        "./usr/share/man/man1/rsu-config.1.gz",
        "./usr/share/bash-completion/completions/rsu",
        "./usr/share/zsh/vendor-completions/_rsu",
        "./usr/share/fish/vendor_completions.d/rsu.fish",
        "./usr/share/doc/rsu-agent/copyright",
        "./usr/share/doc/rsu-agent/examples/site.yaml",
        f"{RELEASE}/98.0/.complete",
    ):
        assert members[name].isfile(), name
    assert members["./usr/bin/rsu"].linkname == "/opt/rsu-agent/current/bin/rsu"
    assert members[f"{RELEASE}/98.0/bin/python"].linkname == "/usr/bin/python3.11"
    assert members[f"{RELEASE}/98.0/bin/rsu"].mode == 0o755


def test_the_package_owns_nothing_that_the_agent_or_a_technician_writes(
    members: dict[str, tarfile.TarInfo],
) -> None:
    assert not [name for name in members if name.startswith(("./etc", "./var"))]
    assert "./opt/rsu-agent/current" not in members, "an update may have turned the link"
    assert {(m.uid, m.gid) for m in members.values()} == {(0, 0)}
    assert not [name for name, m in members.items() if m.mode & 0o022 and not m.issym()]


def test_it_asks_for_the_python_that_its_packages_are_made_for(package: Path) -> None:
    assert "python3 (>= 3.11), python3 (<< 3.12)" in field(package, "Depends")
    assert (field(package, "Package"), field(package, "Architecture")) == ("rsu-agent", "amd64")


def test_two_builds_are_equal_byte_for_byte(package: Path, wheel: Path, tmp_path: Path) -> None:
    again = built(tmp_path, wheel, "--version", "98.0")
    assert again.read_bytes() == package.read_bytes()


def test_another_wheel_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other-1.0-py3-none-any.whl"
    other.write_bytes(b"")
    done = build(tmp_path / "out", other)
    assert done.returncode == 1
    assert "is not a wheel of rsu-agent" in done.stderr


def test_every_package_is_locked_by_its_hash_as_the_tests_have_it() -> None:
    locked = (ROOT / "requirements/run.txt").read_text()
    tested = (ROOT / "requirements/dev.txt").read_text()
    pins = [line.split()[0] for line in locked.splitlines() if "==" in line and line[0] not in " #"]
    assert len(pins) > 20
    assert locked.count("--hash=sha256:") >= len(pins)
    assert not [pin for pin in pins if f"\n{pin} " not in tested]


@pytest.mark.parametrize("script", ["preinst", "postinst", "prerm", "postrm"])
def test_the_scripts_are_plain_shell(script: str) -> None:
    path = ROOT / "deploy/debian" / script
    assert path.read_text().splitlines()[2] == "set -e"
    subprocess.run(["sh", "-n", path], check=True)


@pytest.mark.extra
@pytest.mark.skipif(not shutil.which("lintian"), reason="lintian is missing: sudo apt install lintian")
def test_lintian_finds_no_error(package: Path) -> None:
    command = ["lintian", "--allow-root", "--fail-on", "error", package]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class Copy:
    """This machine with every change kept apart: an overlay over / in a mount namespace of each command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("space", "root"):
            (folder / name).mkdir()

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """A shell script in the copy; /packages is the host's folder of packages."""
        space, root = self.folder / "space", self.folder / "root"
        mount = f"mount -t overlay overlay -o lowerdir=/,upperdir={space}/up,workdir={space}/work {root}"
        ready = (
            f"mount -t proc proc {root}/proc; mount --bind /dev {root}/dev; mount -t tmpfs tmpfs {root}/run"
        )
        inside = f"mkdir -p {root}/packages && mount --bind {self.folder}/packages {root}/packages"
        command = f"set -e; {mount}; {ready}; {inside}; exec chroot {root} sh -ec '{script}'"
        return subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", command],
            env={
                "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin",
                "PYTHONPATH": sysconfig.get_paths()["purelib"],
            },
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )


@pytest.fixture
def copy(package: Path, newer: Path, tmp_path: Path) -> Iterator[Copy]:
    folder = tmp_path
    made = Copy(folder)
    (folder / "packages").mkdir()
    for path in (package, newer):
        shutil.copy(path, folder / "packages")
    tmpfs = subprocess.run(
        ["mount", "-t", "tmpfs", "tmpfs", folder / "space"], capture_output=True, text=True, check=False
    )
    if tmpfs.returncode:
        pytest.skip(f"needs root that may mount: {tmpfs.stderr.strip()}")
    try:
        for name in ("up", "work"):
            (folder / "space" / name).mkdir()
        tried = made.run("true")
        if tried.returncode:
            pytest.skip(f"no overlay of this machine: {tried.stderr.strip()}")
        yield made
    finally:
        subprocess.run(["umount", folder / "space"], check=True)


LIFE = """
rm -rf /var/lib/rsu-agent /etc/rsu-agent  # what earlier work on this machine may have left
look() { find /etc /opt /usr/bin /usr/share /usr/lib /lib/systemd /var/lib ! -path "/var/lib/dpkg*" | sort; }
look > /before
dpkg -i /packages/rsu-agent_98.0_amd64.deb
echo one $(rsu --version) $(readlink /opt/rsu-agent/current)
stat -c "%n %a %U %G" /etc/rsu-agent /etc/rsu-agent/site.yaml /var/lib/rsu-agent
test -L /etc/systemd/system/multi-user.target.wants/rsu-agent.service && echo enabled
echo "# by the technician" >> /etc/rsu-agent/site.yaml
dpkg -i /packages/rsu-agent_99.0_amd64.deb
echo two $(rsu --version) $(readlink /opt/rsu-agent/current) $(ls /opt/rsu-agent/releases)
tail -1 /etc/rsu-agent/site.yaml
touch /var/lib/rsu-agent/outbox.db
dpkg -r rsu-agent
test ! -e /opt/rsu-agent && test ! -e /usr/bin/rsu && test -e /var/lib/rsu-agent/outbox.db && echo removed
dpkg -P rsu-agent
look > /after
echo left $(diff /before /after)
getent passwd rsu-agent rsu-agent-web || echo nobody
getent group rsu-agent rsu-agent-web || echo no group
"""


@pytest.mark.extra
def test_install_upgrade_remove_and_purge_leave_the_machine_as_it_was(copy: Copy) -> None:
    done = copy.run(LIFE)
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.splitlines()
    from rsu_agent.version import __version__

    assert f"one {__version__} releases/98.0" in said
    assert "/etc/rsu-agent 770 root rsu-agent" in said
    assert "/etc/rsu-agent/site.yaml 640 root rsu-agent" in said
    assert "/var/lib/rsu-agent 750 rsu-agent rsu-agent" in said
    assert "enabled" in said
    assert f"two {__version__} releases/99.0 99.0" in said, "the old release is gone with its package"
    assert "# by the technician" in said
    assert "removed" in said
    assert said[-3:] == ["left", "nobody", "no group"]


@pytest.mark.extra
def test_a_box_of_the_install_script_is_not_installed_over(copy: Copy) -> None:
    done = copy.run(
        "mkdir -p /etc/systemd/system; touch /etc/systemd/system/rsu-agent.service;"
        "dpkg -i /packages/rsu-agent_98.0_amd64.deb && exit 7; rm /etc/systemd/system/rsu-agent.service"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "deploy/install --uninstall" in done.stderr


@pytest.mark.extra
@pytest.mark.parametrize("arch", ["amd64", "arm64"])
def test_the_real_package_where_it_was_built_holds_its_packages(arch: str) -> None:
    found = sorted((ROOT / "build").glob(f"rsu-agent_*_{arch}.deb"), key=lambda path: path.stat().st_mtime)
    if not found:
        pytest.skip(f"no build/rsu-agent_*_{arch}.deb: make deb")
    listed = subprocess.run(["dpkg-deb", "-c", found[-1]], capture_output=True, text=True, check=True).stdout
    for name in ("numpy", "onnxruntime", "cv2", "scipy", "cryptography", "rsu_agent", "drivers"):
        assert f"/site-packages/{name}/" in listed, name
    machine = {"amd64": "x86_64", "arm64": "aarch64"}[arch]
    other = {"amd64": "aarch64", "arm64": "x86_64"}[arch]
    assert f"-{machine}-linux-gnu.so" in listed
    assert f"-{other}-linux-gnu.so" not in listed
    assert field(found[-1], "Architecture") == arch
