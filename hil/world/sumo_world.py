"""The world's process with SUMO's vehicles and cycles in place of the built-in traffic, in real time."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from hil.world.main import STEP_S, WorldProcess, asked, serve
from hil.world.sumo_net import NoSumo
from hil.world.sumo_traffic import SumoTraffic

WARM_S = 30.0  # before the first lamp is known all wait at red: longer, and the queues would fill the arms


def main() -> None:
    """`python -m hil.world.sumo_world --run-dir DIR --site FILE`."""
    options, site, crossing = asked()
    with tempfile.TemporaryDirectory(prefix="rsu-sumo-") as folder:
        traffic = SumoTraffic(crossing, options.seed, options.density, STEP_S, Path(folder))
        try:
            world = WorldProcess(options.run_dir, site, traffic)
            serve(world, options.run_dir, WARM_S, int(WARM_S / STEP_S))
        finally:
            traffic.close()


if __name__ == "__main__":
    try:
        main()
    except NoSumo as missing:
        sys.exit(str(missing))
