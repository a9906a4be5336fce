"""The self-check of the box: site file, port, map against controller, certificate, disk and its wear."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import NameOID
from typer.testing import CliRunner

from rsu_agent.cli import doctor_box
from rsu_agent.cli.doctor_box import Box, box_findings
from rsu_agent.cli.exits import Exit
from rsu_agent.cli.finding import Finding
from rsu_agent.cli.main import app
from rsu_agent.ports.assets import asset

BASE = asset("config/virtual.yaml").read_text()


def found(tmp_path: Path, text: str = BASE, **changes: Any) -> dict[str, Finding]:
    site = tmp_path / "site.yaml"
    site.write_text(text)
    given = {"site": site, "state": tmp_path / "state", "running": True, **changes}
    return {each.id: each for each in box_findings(Box(**given))}


def test_a_site_file_is_valid_or_its_first_fault_is_told(tmp_path: Path) -> None:
    assert found(tmp_path)["CFG01"].good is True
    wrong = found(tmp_path, BASE.replace("baud: 115200", "baud: 5"))["CFG01"]
    assert wrong.good is False
    assert "controller.baud" in wrong.found
    assert wrong.next.startswith("rsu config check ")
    assert found(tmp_path, site=None)["CFG01"].good is None


def test_a_port_is_looked_at_only_where_no_agent_holds_it(tmp_path: Path) -> None:
    port = tmp_path / "port"
    text = BASE.replace("/dev/serial/by-id/controller", str(port))
    assert "SER02" not in found(tmp_path, text)
    assert found(tmp_path, text, running=False)["SER02"].good is False
    port.touch()
    assert found(tmp_path, text, running=False)["SER02"].good is True


def test_groups_of_the_map_that_the_controller_does_not_tell_of_are_named(tmp_path: Path) -> None:
    crossing = {
        "lanes": [{"connections": [{"group": 3}, {"group": None}]}, {"connections": [{"group": 9}]}],
        "crosswalks": [{"group": 17}],
    }
    assert found(tmp_path, crossing=crossing, groups=(3, 9, 17, 20))["MAP01"].good is True
    wrong = found(tmp_path, crossing=crossing, groups=(3, 4))["MAP01"]
    assert (wrong.good, "[9, 17]" in wrong.found) == (False, True)
    assert "MAP01" not in found(tmp_path, crossing=crossing)


@pytest.mark.parametrize(
    ("written", "good", "said"),
    [
        ("0x01 0x02\n", True, "20% of its life used"),
        ("0x09 0x03\n", False, "90%"),
        ("0x0b 0x0b\n", False, "100%"),
        ("what\n", None, "cannot be read"),
        ("", None, "cannot be read"),
    ],
)
def test_the_wear_of_emmc_is_told(tmp_path: Path, written: str, good: bool | None, said: str) -> None:
    place = tmp_path / "sys" / "block" / "mmcblk0" / "device"
    place.mkdir(parents=True)
    (place / "life_time").write_text(written)
    told = found(tmp_path, sys=tmp_path / "sys")["DSK03"]
    assert (told.good, said in told.found, "mmcblk0" in told.found) == (good, True, True)
    assert "DSK03" not in found(tmp_path, sys=tmp_path / "nothing")


def test_a_disk_that_is_nearly_full_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "DSK01" in found(tmp_path)
    usage = type("Usage", (), {"total": 10**11, "used": 0, "free": 10**9})
    monkeypatch.setattr(doctor_box.shutil, "disk_usage", lambda _folder: usage)
    assert found(tmp_path)["DSK01"].good is False


def certificate(days: float) -> bytes:
    key, name = (
        ed25519.Ed25519PrivateKey.generate(),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")]),
    )
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), 1, now - timedelta(days=400), now + timedelta(days=days)
    )
    return made.sign(key, None).public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize(("days", "good"), [(400, True), (20, False), (-3, False)])
def test_a_certificate_that_ends_soon_is_told(tmp_path: Path, days: float, good: bool) -> None:
    text = BASE.replace("tls: false", "tls: {cert: c.pem, key: k.pem}")
    (tmp_path / "c.pem").write_bytes(certificate(days))
    assert found(tmp_path, text)["NET02"].good is good
    (tmp_path / "c.pem").write_text("no certificate")
    assert found(tmp_path, text)["NET02"].good is False
    (tmp_path / "c.pem").unlink()
    assert found(tmp_path, text)["NET02"].good is None
    assert "NET02" not in found(tmp_path)


def test_without_an_agent_the_box_is_checked_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(BASE.replace("baud: 115200", "baud: 5"))
    words = ["doctor", "--socket", str(tmp_path / "none.sock"), "--site", str(tmp_path / "site.yaml")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == Exit.UNREACHABLE
    assert "FAIL CFG01" in done.output
    told = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert (told["good"], told["reason"]) == (False, "unreachable")
    assert {"CFG01", "DSK01"} <= {each["id"] for each in told["findings"]}
