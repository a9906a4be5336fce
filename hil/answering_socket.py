"""A control socket that gives every caller the answer it is made with: in place of an agent."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import Any


def answering_socket(path: Path, answer: Callable[[], bytes], status: int = 200) -> ThreadingUnixStreamServer:
    """Bound, not yet serving. answer: the body, asked for each time."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answer()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self) -> str:
            return "local"

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingUnixStreamServer(str(path), Answering)
    server.daemon_threads = True
    return server
