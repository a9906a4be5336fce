"""Speaking to the control socket of a running agent."""

from __future__ import annotations

import http.client
import json
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import stop
from rsu_agent.settings.language import say

TIMEOUT_S = 5.0
ORDER_S = 45.0


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float = TIMEOUT_S) -> None:
        super().__init__("rsu-agent", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
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
    with _answering(path, as_json=as_json):
        status, body = _told(path, "GET", what)
        said = json.loads(body)
        if status != http.HTTPStatus.OK or not isinstance(said, dict):
            raise ValueError(say("it answers {status}, not a state", status=status))
        return said


def serving_pid(path: Path) -> int | None:
    """The process behind the socket; None where there is none."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return None
        told = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", told)[0])


def peek(path: Path, what: str = "status") -> dict[str, Any] | None:
    """One answer; None where there is none."""
    try:
        status, body = _told(path, "GET", what)
        said = json.loads(body)
    except (OSError, ValueError, http.client.HTTPException):
        return None
    return said if status == http.HTTPStatus.OK and isinstance(said, dict) else None


def fetch(path: Path, what: str, *, as_json: bool = False) -> bytes:
    """The bytes of a file. Ends the program with exit code 5 when there are none."""
    with _answering(path, as_json=as_json):
        status, body = _told(path, "GET", what)
        if status != http.HTTPStatus.OK:
            raise ValueError(say("it answers {status}", status=status))
        return body


def order(path: Path, what: str, body: dict[str, Any], *, as_json: bool = False) -> tuple[int, bytes]:
    """Status and body of the answer to an order, which may take long."""
    with _answering(path, as_json=as_json):
        return _told(path, "POST", what, json.dumps(body), ORDER_S)


def _told(
    path: Path, method: str, what: str, body: str | None = None, timeout_s: float = TIMEOUT_S
) -> tuple[int, bytes]:
    connection = _UnixConnection(path, timeout_s)
    connection.request(method, f"/v1/{what}", body)
    answer = connection.getresponse()
    return answer.status, answer.read()


@contextmanager
def _answering(path: Path, *, as_json: bool) -> Iterator[None]:
    try:
        yield
    except PermissionError:
        hint = say("you may not read it: join the group rsu-agent, or use sudo")
        stop(Exit.PERMISSION, f"{path}: {hint}", as_json=as_json, reason="permission")
    except (OSError, http.client.HTTPException, ValueError) as error:
        no_answer(path, error, as_json=as_json)


def no_answer(path: Path, why: Exception | None = None, *, as_json: bool, **more: Any) -> NoReturn:
    """End the program because no agent answers; more: what stands in the object beside."""
    hint = say("is the agent running? start it with `rsu run SITE`, or name its socket with --socket")
    said = say("{path}: no answer ({error}); {hint}", path=path, error=why or say("nobody there"), hint=hint)
    stop(Exit.UNREACHABLE, said, as_json=as_json, reason="unreachable", **more)


def stream(path: Path, what: str) -> Iterator[Any]:
    """Server-sent events of one kind, as they come. Raises OSError when the stream ends."""
    connection = _UnixConnection(path)
    connection.request("GET", f"/v1/{what}")
    answer = connection.getresponse()
    while line := answer.readline():
        if line.startswith(b"data: "):
            yield json.loads(line[6:])
