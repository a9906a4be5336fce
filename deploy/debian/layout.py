"""Where the files of the package lie on the target."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
from email.utils import formatdate
from pathlib import Path

from deploy.debian.meta import MAINTAINER, debian_version

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
SHELLS = {
    "bash": "usr/share/bash-completion/completions/rsu",
    "zsh": "usr/share/zsh/vendor-completions/_rsu",
    "fish": "usr/share/fish/vendor_completions.d/rsu.fish",
}
COPIES = {
    "deploy/rsu-agent.service": "lib/systemd/system/rsu-agent.service",
    "deploy/rsu-agent-web.service": "lib/systemd/system/rsu-agent-web.service",
    "deploy/60-rsu-agent.rules": "lib/udev/rules.d/60-rsu-agent.rules",
    "deploy/debian/sysusers.conf": "usr/lib/sysusers.d/rsu-agent.conf",
    "deploy/debian/tmpfiles.conf": "usr/lib/tmpfiles.d/rsu-agent.conf",
    "deploy/journald.conf": "usr/lib/systemd/journald.conf.d/60-rsu-agent.conf",
    "deploy/debian/copyright": "usr/share/doc/rsu-agent/copyright",
    "deploy/debian/lintian-overrides": "usr/share/lintian/overrides/rsu-agent",
    "deploy/README.md": "usr/share/doc/rsu-agent/README.md",
    "deploy/site.yaml": "usr/share/doc/rsu-agent/examples/site.yaml",
    "config/crossings/virtual.geojson": "usr/share/doc/rsu-agent/examples/crossing.geojson",
    "deploy/chrony.conf": "usr/share/doc/rsu-agent/examples/chrony.conf",
    "deploy/gpsd.default": "usr/share/doc/rsu-agent/examples/gpsd.default",
}
# The copy's own interpreter is the target's: only the packages are ours.
PYVENV = "home = /usr/bin\ninclude-system-site-packages = false\nversion = {python}\n"
CHANGE = """rsu-agent ({version}) stable; urgency=medium

  * What has changed is in CHANGELOG.md.gz.

 -- {maintainer}  {date}
"""
RSU = """#!/opt/rsu-agent/releases/{version}/bin/python
import sys

from {module} import main

sys.exit(main())
"""


def lay_out(tree: Path, version: str, python: str, wheel: Path, epoch: int) -> None:
    """Everything beside the packages, which are there already."""
    release = tree / "opt/rsu-agent/releases" / version
    _environment(release, version, python)
    (release / ".complete").write_text(hashlib.sha256(wheel.read_bytes()).hexdigest() + "\n")
    (tree / "usr/bin").mkdir(parents=True)
    (tree / "usr/bin/rsu").symlink_to("/opt/rsu-agent/current/bin/rsu")
    for source, target in COPIES.items():
        to = tree / target
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / source, to)
    _pages(tree, version, epoch)
    _completion(tree)


def _environment(release: Path, version: str, python: str) -> None:
    (release / "bin").mkdir()
    (release / "bin/python").symlink_to(f"/usr/bin/python{python}")
    (release / "bin/python3").symlink_to("python")
    (release / "pyvenv.cfg").write_text(PYVENV.format(python=python))
    entry = next(release.glob("lib/*/site-packages/rsu_agent-*.dist-info/entry_points.txt")).read_text()
    (module,) = [
        line.split("=")[1].strip().split(":")[0] for line in entry.splitlines() if line[:4] == "rsu "
    ]
    (release / "bin/rsu").write_text(RSU.format(version=version, module=module))
    (release / "bin/rsu").chmod(0o755)


def _pages(tree: Path, version: str, epoch: int) -> None:
    pages = tree / "usr/share/man/man1"
    pages.mkdir(parents=True)
    for page in sorted((ROOT / "deploy/man").glob("*.1")):
        _pack(page.read_bytes(), pages / f"{page.name}.gz")
    doc = tree / "usr/share/doc/rsu-agent"
    _pack((ROOT / "CHANGELOG.md").read_bytes(), doc / "CHANGELOG.md.gz")
    change = CHANGE.format(version=debian_version(version), maintainer=MAINTAINER, date=formatdate(epoch))
    _pack(change.encode(), doc / "changelog.gz")


def _pack(content: bytes, to: Path) -> None:
    to.write_bytes(gzip.compress(content, 9, mtime=0))


def _completion(tree: Path) -> None:
    """The lines that the command itself gives a shell for its words."""
    code = "from rsu_agent.cli.main import app; app(prog_name='rsu')"
    for shell, target in SHELLS.items():
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "_RSU_COMPLETE": f"source_{shell}"}
        said = subprocess.run(
            [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False
        )
        if "_RSU_COMPLETE" not in said.stdout:
            raise SystemExit(f"deb: rsu gives no words for {shell}\n{said.stderr}")
        to = tree / target
        to.parent.mkdir(parents=True)
        to.write_text(said.stdout)
