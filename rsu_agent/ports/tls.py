"""Certificates of the uplink: read anew for every connection, watched while it lasts, said why they fail."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from rsu_agent.ports.credentials import credential_file
from rsu_agent.ports.trouble import DeviceLost

PROBE_S = 3.0
# What a server's alert, or our own check, says: (piece of OpenSSL's reason, our word).
REASONS: tuple[tuple[str, str], ...] = (
    ("CERTIFICATE_VERIFY_FAILED", "server_certificate"),
    ("CERTIFICATE_REQUIRED", "certificate_required"),
    ("HANDSHAKE_FAILURE", "certificate_required"),  # how TLS 1.2 says it
    ("CERTIFICATE_EXPIRED", "certificate_expired"),
    ("CERTIFICATE_REVOKED", "certificate_revoked"),
    ("UNKNOWN_CA", "certificate_refused"),
    ("BAD_CERTIFICATE", "certificate_refused"),
    ("CERTIFICATE_UNKNOWN", "certificate_refused"),
    ("DECRYPT_ERROR", "certificate_refused"),
    ("WRONG_VERSION_NUMBER", "no_tls"),
)
Stamp = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files. ca None: the system's authorities; cert and key None: we show no certificate."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    def stamp(self) -> Stamp:
        """Changes when any of the files is another one."""
        return tuple(_stamp(path) for path in (self.ca, self.cert, self.key))

    def context(self, utc_s: float) -> ssl.SSLContext:
        """For one connection. Raises DeviceLost with a reason that a technician can act on."""
        self._check_time(utc_s)
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.cert is not None:
                # A key with a passphrase is refused here: a box on a pole has nobody to ask.
                context.load_cert_chain(self.cert, self.key, password="")
        except FileNotFoundError as error:
            raise DeviceLost("certificate_missing", str(error)) from None
        except PermissionError as error:
            raise DeviceLost(
                "certificate_unreadable", str(error), "the agent's user must be able to read it"
            ) from None
        except (OSError, ValueError) as error:
            raise DeviceLost("certificate_unusable", str(error), "do certificate and key match?") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def ends(self) -> datetime | None:
        """When our certificate ends; None: there is none, or it cannot be read."""
        if self.cert is None:
            return None
        try:
            return x509.load_pem_x509_certificate(self.cert.read_bytes()).not_valid_after_utc
        except (OSError, ValueError):
            return None

    def _check_time(self, utc_s: float) -> None:
        ends = self.ends()
        if ends is not None and utc_s >= ends.timestamp():
            text = f"{self.cert} ended {ends.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
            raise DeviceLost("certificate_expired", text, "put the new certificate there: no restart needed")


def credential(name: str | None, folder: Path) -> Path | None:
    """A file named in the site file: absolute, among the service's credentials, or beside the site file."""
    return None if name is None else credential_file(name, folder)


def refusal(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """Why a server does not take us, in one word; None: not for a certificate's sake. Blocks for seconds.

    The MQTT library drops the alert that says so, so it is asked for again, without MQTT.
    """
    try:
        with (
            socket.create_connection((host, port), PROBE_S) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            secured.settimeout(PROBE_S)
            secured.recv(1)
    except ssl.SSLError as error:
        told = f"{error.reason or ''} {error}".upper().replace(" ", "_")
        return next((word for piece, word in REASONS if piece in told), "tls")
    except OSError:
        return None
    return None


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    try:
        status = path.stat() if path is not None else None
    except OSError:
        return None
    return status and (status.st_mtime_ns, status.st_size, status.st_ino)
