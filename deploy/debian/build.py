"""Builds build/rsu-agent_VERSION_ARCH.deb from locked wheels, with plain dpkg-deb; it installs offline.

Example: python deploy/debian/build.py --arch amd64 arm64
"""

from __future__ import annotations

import argparse
import compileall
import io
import os
import py_compile
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import redirect_stdout
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
from deploy.debian.layout import lay_out  # noqa: E402  (a script's own folder is on the path, its parent is not)
from deploy.debian.meta import machine_of, write_meta  # noqa: E402

# Wheels of this age run on Debian 12 (glibc 2.36), Ubuntu 22.04 (2.35) and later.
GLIBC = ("2_28", "2_27", "2_26", "2_24", "2_17", "2_12", "2_5")


def say(text: str) -> None:
    """Progress, on stderr: stdout names the packages."""
    print(f"deb: {text}", file=sys.stderr, flush=True)


def run(*command: str | Path, **environ: str) -> None:
    """Raises SystemExit with what the command said."""
    done = subprocess.run(
        list(map(str, command)), env={**os.environ, **environ}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"deb: {command[0]} failed\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def pip(*arguments: str | Path) -> None:
    """The running environment's pip."""
    run(sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", *arguments)


def platforms(arch: str) -> list[str]:
    """Pip's options for wheels of another machine."""
    machine = machine_of(arch)
    names = [f"manylinux_{glibc}_{machine}" for glibc in GLIBC] + [f"manylinux2014_{machine}"]
    return [word for name in names for word in ("--platform", name)]


def download(arch: str, python: str, folder: Path) -> Path:
    """The locked wheels of one machine, each held against its hash; what is there is not fetched again."""
    folder.mkdir(parents=True, exist_ok=True)
    pip(
        *("download", "--no-deps", "--require-hashes", "--only-binary=:all:", "--implementation", "cp"),
        *("--python-version", python, *platforms(arch)),
        *("--find-links", folder, "-r", ROOT / "requirements/run.txt", "-d", folder),
    )
    return folder


def unpack(wheels: Iterable[Path], arch: str, python: str, target: Path) -> None:
    """Wheels into a folder of packages, as pip would on that machine."""
    target.mkdir(parents=True)
    pip(
        *("install", "--no-deps", "--no-index", "--no-compile", "--only-binary=:all:"),
        *(
            "--implementation",
            "cp",
            "--python-version",
            python,
            *platforms(arch),
            "--target",
            target,
            *wheels,
        ),
    )
    shutil.rmtree(target / "bin", ignore_errors=True)  # programs that name the interpreter of this machine


def compile_all(packages: Path, at: str) -> None:
    """Byte code that never looks at times: the same on every machine and at every build."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    with redirect_stdout(io.StringIO()):
        compileall.compile_dir(
            packages,
            maxlevels=30,
            stripdir=str(packages),
            prependdir=at,
            quiet=2,
            rx=re.compile(r"/tests?/"),
            workers=0,
            invalidation_mode=mode,
        )


def settle(tree: Path, epoch: int) -> None:
    """Modes and times that do not depend on who builds and when."""
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        os.utime(path, (epoch, epoch), follow_symlinks=False)


def version_of(wheel: Path) -> str:
    """The version that the wheel's name tells. Raises SystemExit."""
    if found := re.fullmatch(r"rsu_agent-([^-]+)-py3-none-any\.whl", wheel.name):
        return found[1]
    raise SystemExit(f"deb: {wheel.name} is not a wheel of rsu-agent")


def own_wheel(folder: Path, epoch: int) -> Path:
    """The wheel of this tree."""
    say("the wheel of this tree ...")
    command = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    run(*command, SOURCE_DATE_EPOCH=str(epoch))
    (wheel,) = folder.glob("rsu_agent-*.whl")
    return wheel


def package(arch: str, wheel: Path, options: argparse.Namespace, epoch: int) -> Path:
    """One package; its path."""
    version = options.version or version_of(wheel)
    python = options.python
    with tempfile.TemporaryDirectory(prefix="rsu-deb-") as scratch:
        tree = Path(scratch) / "tree"
        release = tree / "opt/rsu-agent/releases" / version
        packages = release / f"lib/python{python}/site-packages"
        wheels = [wheel]
        if not options.bare:
            say(f"{arch}: the locked wheels ...")
            wheels += sorted(download(arch, python, options.wheels / f"{arch}-{python}").glob("*.whl"))
        say(f"{arch}: unpacking {len(wheels)} wheels ...")
        unpack(wheels, arch, python, packages)
        if python == f"{sys.version_info.major}.{sys.version_info.minor}":
            say(f"{arch}: byte code ...")
            compile_all(packages, "/" + str(packages.relative_to(tree)))
        lay_out(tree, version, python, wheel, epoch)
        write_meta(tree, version, arch, python, bare=options.bare)
        settle(tree, epoch)
        out = Path(options.out) / f"rsu-agent_{version}_{arch}.deb"
        out.parent.mkdir(parents=True, exist_ok=True)
        say(f"{arch}: packing ...")
        run("dpkg-deb", "-Zgzip", "-z6", "--root-owner-group", "-b", tree, out, SOURCE_DATE_EPOCH=str(epoch))
    say(f"{out.name}: {out.stat().st_size / 1e6:.0f} MB")
    return out


def built_at() -> int:
    """SOURCE_DATE_EPOCH, else the time of the last commit, else that of the changelog."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(done.stdout or (ROOT / "CHANGELOG.md").stat().st_mtime)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="build.py", description=__doc__)
    parser.add_argument("--arch", nargs="+", choices=("amd64", "arm64"), default=["amd64"])
    parser.add_argument("--out", type=Path, default=ROOT / "build")
    parser.add_argument(
        "--wheels", type=Path, default=ROOT / "build/debian/wheels", help="kept between builds"
    )
    parser.add_argument("--wheel", type=Path, help="ours, already built")
    parser.add_argument(
        "--python", default="3.11", help="the target's: 3.11 of Debian 12, 3.12 of Ubuntu 24.04"
    )
    parser.add_argument("--version", help="of the package, else the wheel's")
    parser.add_argument(
        "--bare", action="store_true", help="our own wheel alone: for tests, does not run alone"
    )
    return parser.parse_args()


def main() -> int:
    """Build, name what was built."""
    options, epoch = parse(), built_at()
    if not shutil.which("dpkg-deb"):
        raise SystemExit("deb: dpkg-deb is missing: sudo apt install dpkg")
    with tempfile.TemporaryDirectory(prefix="rsu-wheel-") as folder:
        wheel = options.wheel or own_wheel(Path(folder), epoch)
        for arch in options.arch:
            print(package(arch, wheel, options, epoch))
    return 0


if __name__ == "__main__":
    sys.exit(main())
