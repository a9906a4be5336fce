"""The page's server and its way to the agent: bounded, never stuck, never outside its own folder."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from rsu_agent.web import upstream as upstream_module
from rsu_agent.web.page import MOST_STREAMS
from rsu_agent.web.upstream import Newest, Upstream
from tests.web.made_up import LIVE, MadeUpAgent, agent_at, page_over, served, until

pytestmark = pytest.mark.anyio


def ask(url: str, path: str) -> tuple[int, dict[str, str], bytes]:
    at = urlsplit(url)
    connection = http.client.HTTPConnection(str(at.hostname), at.port, timeout=30)
    with contextlib.closing(connection):
        connection.putrequest("GET", path)  # as it stands: a browser would tidy up the dots
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()


def look(url: str) -> socket.socket:
    """A browser's stream, its answer not yet read."""
    at = urlsplit(url)
    stream = socket.create_connection((str(at.hostname), at.port or 80), timeout=30)
    stream.sendall(b"GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return stream


@pytest.fixture
def agent() -> MadeUpAgent:
    return MadeUpAgent()


@pytest.fixture
def page(tmp_path: Path, agent: MadeUpAgent) -> Iterator[str]:
    with agent_at(tmp_path / "ctl.sock", agent), page_over(tmp_path / "ctl.sock", tmp_path) as url:
        yield url


def test_the_agents_answers_are_passed_on_and_nothing_else_is(page: str) -> None:
    status, headers, body = ask(page, "/api/status")
    assert (status, json.loads(body)["users"]) == (200, len(LIVE["users"]))
    assert headers["content-security-policy"].startswith("default-src 'self'")
    assert ask(page, "/api/restart")[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/static/../page.py",
        "/static/..%2fpage.py",
        "/static/%2e%2e/%2e%2e/__init__.py",
        "/static//etc/passwd",
    ],
)
def test_no_path_leads_out_of_the_folder(page: str, path: str) -> None:
    status, _, body = ask(page, path)
    assert status == 404
    assert b"import" not in body


def test_an_absent_agent_is_a_503_and_a_silent_event(tmp_path: Path) -> None:
    with page_over(tmp_path / "nobody.sock", tmp_path) as url:
        status, _, body = ask(url, "/api/status")
        assert status == 503
        assert "nobody.sock" in json.loads(body)["error"]
        with look(url) as stream:
            assert b"event: silent" in heard(stream, b"event: silent")


def test_streams_are_bounded_even_when_all_come_at_once_and_places_come_free(page: str) -> None:
    streams = [look(page) for _ in range(MOST_STREAMS + 8)]
    try:
        heads = [heard(stream, b"\r\n").split(b" ", 2)[1] for stream in streams]
        assert heads.count(b"200") == MOST_STREAMS
        assert heads.count(b"503") == 8
    finally:
        for stream in streams:
            stream.close()
    until(lambda: admitted(page))


def test_one_stream_of_the_agent_serves_every_browser(page: str, agent: MadeUpAgent) -> None:
    streams = [look(page) for _ in range(8)]
    for stream in streams:
        heard(stream, b"data: ")
    before, from_s = agent.asked, time.monotonic()
    until(lambda: agent.asked >= before + 10)
    served_s = time.monotonic() - from_s
    assert agent.asked - before <= served_s / 0.1 + 3, "asked more often than one stream asks"
    for stream in streams:
        stream.close()


def test_a_page_that_is_ended_while_watched_ends_at_once_and_quietly(tmp_path: Path) -> None:
    ready = tmp_path / "page.json"
    command = [sys.executable, "-m", "rsu_agent.web.main", "--socket", str(tmp_path / "ctl.sock")]
    with agent_at(tmp_path / "ctl.sock", MadeUpAgent()):
        process = subprocess.Popen(
            [*command, "--port", "0", "--ready", str(ready)], stderr=subprocess.PIPE, text=True
        )
        until(lambda: ready.exists() and ready.read_text(), lambda: process.poll() is None)
        with look(json.loads(ready.read_text())["url"]) as stream:
            heard(stream, b"data: ")
            process.terminate()
            _, said = process.communicate(timeout=60)
    assert "Traceback" not in said


async def test_a_slow_reader_skips_what_was_overtaken() -> None:
    newest = Newest(Upstream(Path("/nowhere")))
    for text in ("one", "two", "three"):
        await newest._put(text)
    number, text = await newest.after(-1)
    assert text == "three"
    waiting = asyncio.ensure_future(newest.after(number))
    await asyncio.sleep(0)
    assert not waiting.done(), "nothing newer: it waits"
    await newest._put("four")
    assert (await waiting)[1] == "four"


async def test_silence_is_told_once() -> None:
    newest = Newest(Upstream(Path("/nowhere")))
    await newest._put("one")
    await newest._put(None)
    number = newest.number
    await newest._put(None)
    assert (newest.number, newest.value) == (number, None)


@pytest.mark.parametrize(("code", "body"), [(200, "{"), (200, "<html>"), (503, "{}"), (500, "oops")])
async def test_an_answer_that_is_no_answer_is_a_connection_error(
    tmp_path: Path, code: int, body: str
) -> None:
    async def answer(_request: object) -> Response:
        return PlainTextResponse(body, status_code=code)

    path = tmp_path / "ctl.sock"
    with served(Starlette(routes=[Route("/v1/status", answer)]), path), pytest.raises(ConnectionError):
        await Upstream(path).get("status")


async def test_an_agent_that_accepts_and_never_answers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream_module, "SILENT_S", 0.1)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "ctl.sock"))
        listener.listen()
        with pytest.raises(ConnectionError, match="no word"):
            await Upstream(tmp_path / "ctl.sock").get("status")


async def test_an_event_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream_module, "LARGEST_ANSWER", 100_000)

    def flood(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            peer, _ = listener.accept()
            peer.recv(4096)
            peer.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            while True:
                peer.sendall(b"x" * 4096)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "ctl.sock"))
        listener.listen()
        threading.Thread(target=flood, args=[listener], daemon=True).start()
        with pytest.raises(ConnectionError, match="too long"):
            async for _ in Upstream(tmp_path / "ctl.sock").events("live"):
                pass


def heard(stream: socket.socket, what: bytes) -> bytes:
    """What the stream says up to and with `what`."""
    said = b""
    while what not in said:
        piece = stream.recv(4096)
        assert piece, said
        said += piece
    return said


def admitted(url: str) -> bool:
    with look(url) as stream:
        return b" 200 " in heard(stream, b"\r\n")
