"""`python -m hil.drills.update_agent SOCKET CURRENT FAULT`: a control socket as good as the release in place.

With release 1.0 all is well; with another one SPaT is silent or the uplink lost.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from hil.answering_socket import answering_socket

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

    def answer() -> bytes:
        return json.dumps(state(Path(os.readlink(current)).name, fault)).encode()

    server = answering_socket(Path(socket), answer)
    server.serve_forever()


if __name__ == "__main__":
    main()
