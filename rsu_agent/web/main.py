"""The page's own process: `python -m rsu_agent.web.main --socket CTL --port 8080`."""

from __future__ import annotations

import argparse
import json
import logging
import socket
import sys
from pathlib import Path

import uvicorn

from rsu_agent.runtime.serve_http import listen_tcp
from rsu_agent.web.page import page_app
from rsu_agent.web.upstream import Newest

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class _Server(uvicorn.Server):
    """Ends the live streams before it closes: they would never end of themselves."""

    def __init__(self, config: uvicorn.Config, newest: Newest) -> None:
        super().__init__(config)
        self._newest = newest

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._newest.end()
        await super().shutdown(sockets)


def main() -> int:
    """Serve the page until told to stop."""
    parser = argparse.ArgumentParser(prog="rsu-web")
    parser.add_argument("--socket", type=Path, required=True, help="the agent's control socket")
    parser.add_argument("--host", default="127.0.0.1", choices=LOOPBACK, help="only this machine may look")
    parser.add_argument("--port", type=int, default=8080, help="the next free one is taken when it is used")
    parser.add_argument("--ready", type=Path, help="write {host, port} here once listening")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="web: %(message)s")
    listener = listen_tcp(options.host, options.port)
    host, port = listener.getsockname()[:2]
    logging.info("the page is at http://%s:%d/", host, port)
    if options.ready:
        options.ready.parent.mkdir(parents=True, exist_ok=True)
        options.ready.write_text(json.dumps({"host": host, "port": port, "url": f"http://{host}:{port}/"}))
    app = page_app(options.socket)
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1)
    _Server(config, app.state.newest).run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
