"""The package's own description: control, checksums, scripts."""

from __future__ import annotations

import hashlib
from pathlib import Path

HERE = Path(__file__).parent
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
MAINTAINER = "the rsu-agent authors <rsu-agent@example.org>"
CONTROL = """Package: rsu-agent
Version: {version}
Architecture: {arch}
Maintainer: {maintainer}
Installed-Size: {size_kb}
Depends: python3 (>= {python}), python3 (<< {next_python}), libc6 (>= 2.28), libstdc++6, passwd
Recommends: chrony, systemd
Suggests: gpsd, zsh, fish
Section: net
Priority: optional
Description: agent of a connected intersection
 Reads the signal controller, watches the road, tells vehicles what is about
 to happen and the district what did. What it says on air is witnessed, or it
 says that it does not know.
 .
 All Python packages come along: nothing is fetched while installing.
"""
SCRIPTS = ("preinst", "postinst", "prerm", "postrm")


def machine_of(arch: str) -> str:
    """The processor as wheels name it."""
    return MACHINES[arch]


def debian_version(version: str) -> str:
    """A development version comes before the version itself."""
    return version.replace(".dev", "~dev").replace("rc", "~rc")


def write_meta(tree: Path, version: str, arch: str, python: str, *, bare: bool) -> None:
    """The folder DEBIAN. bare: our own wheel alone, which says so."""
    files = [path for path in sorted(tree.rglob("*")) if path.is_file() and not path.is_symlink()]
    folder = tree / "DEBIAN"
    folder.mkdir()
    major, minor = python.split(".")
    control = CONTROL.format(
        version=debian_version(version),
        arch=arch,
        maintainer=MAINTAINER,
        python=python,
        next_python=f"{major}.{int(minor) + 1}",
        size_kb=sum(path.stat().st_size for path in files) // 1024,
    )
    if bare:
        control += " .\n Built without its packages, for tests: does not run alone.\n"
    (folder / "control").write_text(control)
    sums = (f"{hashlib.md5(p.read_bytes()).hexdigest()}  {p.relative_to(tree)}\n" for p in files)
    (folder / "md5sums").write_text("".join(sums))
    for name in SCRIPTS:
        script = folder / name
        script.write_text((HERE / name).read_text().replace("@VERSION@", version))
        script.chmod(0o755)
