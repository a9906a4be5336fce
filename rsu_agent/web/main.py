"""The page's own process: `python -m rsu_agent.web.main --socket CTL --port 8080`."""

from __future__ import annotations

import argparse
import json
import logging
import os
import socket
import sys
from pathlib import Path

import uvicorn

from rsu_agent.runtime.serve_http import listen_tcp
from rsu_agent.settings.language import say
from rsu_agent.web.access import Access
from rsu_agent.web.accounts import AccountRefused, accounts_folder
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
    """Serve the page until told to stop; 2 where it may not listen as it is told."""
    options = _options()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="web: %(message)s")
    is_open = options.host in LOOPBACK
    secure = options.cert is not None and options.key is not None
    access = Access(options.state or _state(), open_view=is_open, secure=secure)
    if not is_open and (why := refused(access, secure=secure)):
        print(why, file=sys.stderr)
        return 2
    listener = listen_tcp(options.host, options.port)
    host, port = listener.getsockname()[:2]
    url = f"http{'s' if secure else ''}://{f'[{host}]' if ':' in host else host}:{port}/"
    logging.info("the page is at %s", url)
    if options.ready:
        options.ready.parent.mkdir(parents=True, exist_ok=True)
        options.ready.write_text(json.dumps({"host": host, "port": port, "url": url}))
    app = page_app(options.socket, access)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
        ssl_certfile=options.cert if secure else None,
        ssl_keyfile=options.key if secure else None,
    )
    _Server(config, app.state.newest).run(sockets=[listener])
    return 0


def refused(access: Access, *, secure: bool) -> str | None:
    """Why the page may not listen beyond this machine; None: it may."""
    if not secure:
        return say(
            "beyond this machine the page speaks TLS only: give --cert and --key, or leave out --host "
            "and come by ssh -L"
        )
    try:
        there = access.accounts.names()
    except (OSError, AccountRefused) as error:
        return str(error)
    if not there:
        return say("beyond this machine the page needs an account: rsu user add NAME --role technician")
    return None


def _state() -> Path:
    given = os.environ.get("STATE_DIRECTORY")
    return Path(given) if given else accounts_folder()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="rsu-web")
    parser.add_argument("--socket", type=Path, required=True, help="the agent's control socket")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="anything but this machine itself asks for --cert, --key, an account",
    )
    parser.add_argument("--port", type=int, default=8080, help="the next free one is taken when it is used")
    parser.add_argument("--ready", type=Path, help="write {host, port} here once listening")
    parser.add_argument("--cert", type=Path, help="TLS: our certificate, PEM")
    parser.add_argument("--key", type=Path, help="TLS: its key, PEM")
    parser.add_argument("--state", type=Path, help="folder of the accounts and of the audit")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
