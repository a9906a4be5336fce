"""Real mosquittos on free ports, and certificates of an authority made for the test."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import anyio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
DAY = timedelta(days=1)


@asynccontextmanager
async def mosquitto(
    folder: Path, port: int, extra: str = "allow_anonymous true\n", *, conf: str = ""
) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A broker on this port of the loopback while the context lasts. conf: the whole file, instead."""
    binary = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if binary is None:
        pytest.skip("mosquitto is not installed: apt install mosquitto")
    user = "user root\n" if os.geteuid() == 0 else ""
    lines = f"{conf}{user}" if conf else f"listener {port} {HOST}\n{user}{extra}"
    (folder / "mosquitto.conf").write_text(lines)
    with (folder / "mosquitto.log").open("wb") as log:
        process = subprocess.Popen([binary, "-v", "-c", str(folder / "mosquitto.conf")], stderr=log)  # noqa: ASYNC220
        try:
            await _listening(port)
            yield process
        finally:
            process.terminate()
            process.wait()


async def _listening(port: int) -> None:
    with anyio.fail_after(10):
        while True:
            try:
                stream = await anyio.connect_tcp(HOST, port)
            except OSError:
                await anyio.sleep(0.02)
                continue
            await stream.aclose()
            return


@dataclass(frozen=True)
class Signed:
    """A certificate and its key as files."""

    cert: Path
    key: Path


class Authority:
    """Signs certificates; its own lies in `cert`."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name)
        now = datetime.now(UTC)
        built = _builder(subject, self._key.public_key(), subject, now - DAY, now + 10 * DAY)
        built = built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.cert = folder / f"{name}.pem"
        self.cert.write_bytes(_pem(built.sign(self._key, hashes.SHA256())))

    def sign(self, name: str, begins: timedelta = -DAY, ends: timedelta = 10 * DAY) -> Signed:
        """A certificate for a name and the loopback's address; it holds from and to so long from now."""
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        built = _builder(_name(name), key.public_key(), _name(self._name), now + begins, now + ends)
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))])
        made = built.add_extension(names, critical=False).sign(self._key, hashes.SHA256())
        file = name.replace("/", "_")
        signed = Signed(self._folder / f"{file}.pem", self._folder / f"{file}.key")
        write(signed, _pem(made), key_pem(key))
        return signed


def write(into: Signed, cert: bytes, key: bytes) -> None:
    """Put both in place as a renewal does: beside, then renamed."""
    for path, data in ((into.key, key), (into.cert, cert)):
        draft = path.with_suffix(".new")
        draft.write_bytes(data)
        draft.replace(path)


def key_pem(key: ec.EllipticCurvePrivateKey, passphrase: bytes | None = None) -> bytes:
    how: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        how = serialization.BestAvailableEncryption(passphrase)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, key: ec.EllipticCurvePublicKey, issuer: x509.Name, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )


def _pem(cert: x509.Certificate) -> bytes:
    return cert.public_bytes(serialization.Encoding.PEM)
