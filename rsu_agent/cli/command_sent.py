"""What `rsu command` does: loaded when a command is sent, for other verbs need neither MQTT nor keys."""

from __future__ import annotations

import json
import os
import ssl
from pathlib import Path
from typing import Any

import anyio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import stop
from rsu_agent.outlets.commands import CHECKS
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.command import Answer, public_text
from rsu_agent.ports.mqtt import Broker, connect
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime.commanding import Asker, NoAnswer, ask, offer
from rsu_agent.settings.language import say

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def make_key(file: Path) -> str:
    """A new private key in a file that its owner alone may read; the public one. Raises OSError."""
    made = Ed25519PrivateKey.generate()
    pem = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(number, "wb") as stream:
        stream.write(pem)
    return public_text(made)


def send_command(
    where: tuple[str, int],
    tls: tuple[Path | None, Path | None, Path | None],
    site: str,
    kind: str,
    key_file: Path,
    args: str,
    file: Path | None,
    *,
    as_json: bool,
) -> dict[str, Any]:
    """The answer. tls: authority, certificate, its key. Stops the program where there is none."""
    asker = Asker(f"rsu/1/{site}", _private(key_file, as_json), SystemClock())
    host, port = where
    try:
        data = None if file is None else file.read_bytes()
        given = _args(args, as_json) if file is None or data is None else offer(file.name, data)
        context = None if host in LOOPBACK and tls[0] is None else _tls(*tls)
        broker = Broker(host, port, identifier=f"rsu-command-{os.getpid()}", tls=context)
        answer = anyio.run(_asked, broker, asker, CHECKS[kind], kind, given, data)
    except OSError as error:
        stop(Exit.FAILED, str(error), as_json=as_json)
    except (DeviceLost, NoAnswer) as lost:
        stop(Exit.UNREACHABLE, str(lost), as_json=as_json, reason="unreachable")
    return {"seq": answer.seq, "result": answer.result, "code": answer.code, **answer.detail}


async def _asked(
    broker: Broker, asker: Asker, topic: str, kind: str, args: dict[str, Any], data: bytes | None
) -> Answer:
    """One connection, one command."""
    async with connect(broker) as session:
        return await ask(session, asker, topic, kind, args, data)


def _private(path: Path, as_json: bool) -> Ed25519PrivateKey:
    try:
        found = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        stop(Exit.FAILED, f"{path}: {error}", as_json=as_json)
    if not isinstance(found, Ed25519PrivateKey):
        stop(
            Exit.FAILED,
            say("{path}: no Ed25519 key: `rsu command key` makes one", path=path),
            as_json=as_json,
        )
    return found


def _args(text: str, as_json: bool) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        stop(Exit.USAGE, say("--args: {error}", error=error), as_json=as_json)
    if not isinstance(value, dict):
        stop(Exit.USAGE, say("--args: a JSON object"), as_json=as_json)
    return value


def _tls(ca: Path | None, cert: Path | None, cert_key: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca)
    if cert is not None:
        context.load_cert_chain(cert, cert_key)
    return context
