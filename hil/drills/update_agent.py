"""`python -m hil.drills.update_agent SOCKET CURRENT FAULT`: a control socket as good as the release in place.

With release 1.0 all is well; with another one SPaT is silent or the uplink lost.
"""

from __future__ import annotations

import json
import os
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import Any

SPAT = {"silent": {"valid": False, "reason": "no_signal", "sent": 0}}
UPLINK = {"lost": {"backlog": 9, "acked": 0, "connected": False}}


def state(version: str, fault: str) -> dict[str, Any]:
    """What `rsu status` would tell."""
    worse = fault if version != "1.0" else ""
    return {
        "spat": SPAT.get(worse, {"valid": True, "reason": None, "sent": 9}),
        "uplink": UPLINK.get(worse, {"backlog": 0, "acked": 9, "connected": True}),
        "devices": [],
    }


def main() -> None:
    """Answer until ended."""
    socket, current, fault = sys.argv[1:]

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(state(Path(os.readlink(current)).name, fault)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self) -> str:
            return "local"

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingUnixStreamServer(socket, Answering)
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    main()
