"""The control socket's live streams on a real unix socket: bounded, and ended quietly with the server."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from rsu_agent.runtime.control import MOST_STREAMS, control_app
from rsu_agent.runtime.serve_http import listen_unix, serve_http

pytestmark = pytest.mark.real
WAIT_S = 30.0
ASK = b"GET /v1/%s HTTP/1.1\r\nHost: agent\r\n\r\n"


class View:
    """An agent that says little."""

    def live(self) -> dict[str, Any]:
        return {"at": 1}

    status = crossing = messages = guard = changes = live

    def healthy(self) -> tuple[bool, str]:
        return True, "ok"


class Served:
    """The control application on its socket, in a thread of its own."""

    def __init__(self, path: Path) -> None:
        self.path, self.app = path, control_app(View())
        self._listener, self._up = listen_unix(path), threading.Event()
        self._thread = threading.Thread(target=anyio.run, args=(self._serve,))
        self._thread.start()
        assert self._up.wait(WAIT_S)

    async def _serve(self) -> None:
        self._end = anyio.Event()
        self._token = anyio.lowlevel.current_token()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve_http, self.app, self._listener, self.app.state.streams)
            self._up.set()
            await self._end.wait()
            tasks.cancel_scope.cancel()

    def end(self) -> None:
        if self._thread.is_alive():
            anyio.from_thread.run_sync(self._end.set, token=self._token)
            self._thread.join(WAIT_S)
        assert not self._thread.is_alive()

    def ask(self, what: bytes) -> socket.socket:
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.settimeout(WAIT_S)
        client.connect(str(self.path))
        client.sendall(ASK % what)
        return client


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path / "c.sock")
    yield served
    served.end()


def heard(client: socket.socket, wanted: bytes) -> bytes:
    data = b""
    while wanted not in data and (more := client.recv(4096)):
        data += more
    return data


def until(true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_answer_is_plain_json(served: Served) -> None:
    with served.ask(b"status") as client:
        body = heard(client, b"}").split(b"\r\n\r\n", 1)[1]
    assert json.loads(body) == {"at": 1}


def test_streams_are_bounded_even_when_all_come_at_once_and_places_come_free(served: Served) -> None:
    streams = [served.ask(b"live") for _ in range(MOST_STREAMS + 8)]
    codes = [heard(stream, b"\r\n").split(b" ", 2)[1] for stream in streams]
    assert (codes.count(b"200"), codes.count(b"503")) == (MOST_STREAMS, 8)
    for stream in streams:
        stream.close()
    until(lambda: served.app.state.streams.left == MOST_STREAMS)


def test_a_stream_ends_with_the_server_at_once_and_without_a_traceback(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    stream = served.ask(b"live")
    assert b"data: " in heard(stream, b"data: ")
    with caplog.at_level(logging.WARNING):
        served.end()
    assert heard(stream, b"never said") != b"", "the last chunk, then the end"
    assert stream.recv(1) == b""
    assert caplog.records == []
    stream.close()
