"""`python -m hil.bench.peers.install`: the peers' environment, made once; prints its interpreter's path."""

from __future__ import annotations

import sys

from hil.bench.peers.environment import peers_python
from hil.processes import RigFailure


def main() -> int:
    """0 when the environment is there; 1 and the reason when it cannot be made."""
    try:
        print(peers_python())
    except RigFailure as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
