"""Speaking to the control socket of a running agent."""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import stop

TIMEOUT_S = 5.0


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("rsu-agent", timeout=TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT_S)
        self.sock.connect(str(self._path))


def socket_path(given: Path | None) -> Path:
    """The socket: as given, else the user's own, else the system's."""
    if given is not None:
        return given
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and (own := Path(runtime) / "rsu-agent" / "ctl.sock").exists():
        return own
    return Path("/run/rsu-agent/ctl.sock")


def ask(path: Path, what: str, *, as_json: bool = False) -> Any:
    """One answer, such as `status`. Ends the program with exit code 5 when nobody answers."""
    try:
        connection = _UnixConnection(path)
        connection.request("GET", f"/v1/{what}")
        answer = connection.getresponse()
        said = json.loads(answer.read())
        if answer.status != http.HTTPStatus.OK or not isinstance(said, dict):
            raise ValueError(f"it answers {answer.status} {answer.reason}, not a state")
        return said
    except PermissionError:
        hint = "you may not read it: join the group rsu-agent, or use sudo"
        stop(Exit.PERMISSION, f"{path}: {hint}", as_json=as_json, reason="permission")
    except (OSError, http.client.HTTPException, ValueError) as error:
        hint = "is the agent running? start it with `rsu run SITE`, or name its socket with --socket"
        stop(Exit.UNREACHABLE, f"{path}: no answer ({error}); {hint}", as_json=as_json, reason="unreachable")


def stream(path: Path, what: str) -> Iterator[Any]:
    """Server-sent events of one kind, as they come. Raises OSError when the stream ends."""
    connection = _UnixConnection(path)
    connection.request("GET", f"/v1/{what}")
    answer = connection.getresponse()
    while line := answer.readline():
        if line.startswith(b"data: "):
            yield json.loads(line[6:])
