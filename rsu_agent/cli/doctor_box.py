"""What the self-check looks at by itself, agent or not: site file, port, map, certificate, disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rsu_agent.cli.finding import Finding
from rsu_agent.ports.credentials import credential_file
from rsu_agent.settings.explain import SiteInvalid
from rsu_agent.settings.language import because, say
from rsu_agent.settings.read import SiteRead, read_site

LEAST_FREE_BYTES, LEAST_FREE_SHARE = 500_000_000, 0.05
SOON_DAYS = 30  # a certificate that ends within them is told
WEAR = "block/mmcblk*/device/life_time"  # of eMMC, under /sys: two numbers in tenths of its life
WORN_TENTHS = 9
SYS = Path("/sys")


@dataclass(frozen=True, slots=True)
class Box:
    """Where things are. site None: none is named and none lies at its usual place; state: the agent's folder.

    running: whether an agent answers; crossing: its geometry; groups: those that its controller tells of.
    """

    site: Path | None
    state: Path
    running: bool
    crossing: dict[str, Any] | None = None
    groups: tuple[int, ...] = ()
    sys: Path = SYS


def box_findings(box: Box) -> list[Finding]:
    """Every check of the box itself."""
    read, findings = _site(box)
    for check in CHECKS:
        findings += check(box, read)
    return findings


def _site(box: Box) -> tuple[SiteRead | None, list[Finding]]:
    if box.site is None:
        return None, [Finding("CFG01", None, say("no site file named; --site FILE looks at one"))]
    try:
        read = read_site(box.site)
    except SiteInvalid as invalid:
        first = str(invalid.faults[0])
        found = say("{count} fault(s) in the site file: {first}", count=len(invalid.faults), first=first)
        return None, [Finding("CFG01", False, found, f"rsu config check {box.site}")]
    except LookupError as error:
        return None, [Finding("CFG01", False, str(error), say("install the package again"))]
    return read, [Finding("CFG01", True, say("{file}: valid", file=box.site))]


def _port(box: Box, read: SiteRead | None) -> Iterator[Finding]:
    """The serial port, where no agent holds it."""
    port = getattr(read.settings.controller, "port", None) if read else None
    if box.running or not isinstance(port, str) or not port.startswith("/"):
        return
    if not Path(port).exists():
        yield Finding("SER02", False, say("{port}: no such port", port=port),
                      say("check the cable and the device name (ls /dev/serial/by-id)"))  # fmt: skip
    elif not os.access(port, os.R_OK | os.W_OK):
        yield Finding("SER02", None, say("{port}: may not be opened by this user", port=port),
                      say("add the service user to the group dialout"))  # fmt: skip
    else:
        yield Finding("SER02", True, say("{port}: is there", port=port))


def _disk(box: Box, _read: SiteRead | None) -> Iterator[Finding]:
    folder = next(each for each in (box.state, *box.state.parents) if each.exists())
    try:
        usage = shutil.disk_usage(folder)
    except OSError as error:
        yield Finding("DSK01", False, f"{folder}: {because(error)}")
        return
    share = usage.free / usage.total if usage.total else 0.0
    found = say("{gb:.1f} GB free ({share:.0%})", gb=usage.free / 1e9, share=share)
    enough = usage.free >= LEAST_FREE_BYTES and share >= LEAST_FREE_SHARE
    yield Finding(
        "DSK01", enough, found, say("make room: journalctl --vacuum-size=200M, old releases, core dumps")
    )
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        found = say("{folder}: read-only", folder=folder)
        yield Finding("DSK02", False, found, say("mount it read-write; nothing is kept meanwhile"))


def _wear(box: Box, _read: SiteRead | None) -> Iterator[Finding]:
    """eMMC tells how much of its life is used, in tenths; other disks are asked with smartctl."""
    for path in sorted(box.sys.glob(WEAR)):
        try:
            tenths = max(int(word, 16) for word in path.read_text().split())
        except (OSError, ValueError):
            yield Finding("DSK03", None, say("{disk}: its wear cannot be read", disk=path.parts[-3]))
            continue
        found = say("{disk}: {share:.0%} of its life used", disk=path.parts[-3], share=min(1.0, tenths / 10))
        yield Finding(
            "DSK03", tenths < WORN_TENTHS, found, say("plan its replacement; it may fail at any time")
        )


def _certificate(_box: Box, read: SiteRead | None) -> Iterator[Finding]:
    uplink = read.settings.uplink if read else None
    if read is None or uplink is None or not uplink.tls.cert:
        return
    path = credential_file(uplink.tls.cert, read.folder)
    if not path.exists():
        yield Finding("NET02", None, say("{file}: not readable here", file=uplink.tls.cert))
        return
    from cryptography import x509

    try:
        ends = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except (OSError, ValueError) as error:
        yield Finding("NET02", False, f"{path}: {error}", say("put the right certificate there"))
        return
    days = (ends - datetime.now(UTC)).days
    found = say("our certificate ends in {days} days", days=days)
    yield Finding(
        "NET02",
        days >= SOON_DAYS,
        found,
        say("ask the district for a new one; it is taken without a restart"),
    )


def _map(box: Box, _read: SiteRead | None) -> Iterator[Finding]:
    """The lamp groups of the map against those that the controller tells of."""
    if not box.crossing or not box.groups:
        return
    ways = (way for lane in box.crossing["lanes"] for way in lane["connections"])
    used = {way["group"] for way in ways if way["group"] is not None}
    used |= {walk["group"] for walk in box.crossing["crosswalks"]}
    unknown = sorted(used - set(box.groups))
    found = (
        say("the controller does not tell of groups {groups} of the map", groups=unknown)
        if unknown
        else say("the controller tells of all {count} groups of the map", count=len(used))
    )
    yield Finding(
        "MAP01",
        not unknown,
        found,
        say("compare the crossing file with the controller's plan: rsu map check"),
    )


CHECKS: tuple[Callable[[Box, SiteRead | None], Iterator[Finding]], ...] = (
    _port,
    _map,
    _certificate,
    _disk,
    _wear,
)
