"""The edge of a chaos run: the product's outbox and uplink under a producer that notes what is committed.

Records carry the life of this process, their lane and a number within both. The note `life-N.json` is synced
after every batch and says up to which number receipts said committed.
"""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
import traceback
from pathlib import Path

import anyio

from hil.uplink_chaos.control import DeletesOnPuback
from rsu_agent.outlets.outbox import Outbox, Windows
from rsu_agent.outlets.receipt import Receipt
from rsu_agent.outlets.uplink import Uplink
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.envelope import LANES
from rsu_agent.ports.mqtt import Broker, connect

SITE, PREFIX, KIND = "chaos-1", "rsu/1/chaos/chaos-1", "chaos"
QUOTA = 512 << 20
WINDOWS = Windows(live_s=0.3, away_s=1.0)
BATCH, LO_EVERY = 64, 8  # records handed over together; one of so many is of the low lane
COMMITS_S = 30.0
LOOK_S = 0.01
RESEND_S, BACK_OFF_S = 1.0, 0.1
NOTE_BYTES = 256  # within one page: a kill finds the note old or new, never half


class Notes:
    """The side file of one life."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_WRONLY, 0o644)

    def write(self, committed: dict[str, int], worst: dict[str, dict[str, float]]) -> None:
        """On disk when this returns."""
        told = json.dumps({"committed": committed, "worst": worst}).encode().ljust(NOTE_BYTES)
        os.pwrite(self._file, told, 0)
        os.fdatasync(self._file)


def produce(outbox: Outbox, folder: Path, life: int) -> None:
    """Batches, each waited for and noted, as long as the outbox holds fewer rows than allowed."""
    notes, handed = Notes(folder / f"life-{life}.json"), dict.fromkeys(LANES, 0)
    while True:
        while sum(map(outbox.last, LANES)) >= int((folder / "allowed").read_text()):
            time.sleep(LOOK_S)
        receipts = [_hand_over(outbox, life, handed, at) for at in range(BATCH)]
        for receipt in receipts:
            receipt.wait(COMMITS_S)
        notes.write(handed, outbox.uncommitted_max())


def _hand_over(outbox: Outbox, life: int, handed: dict[str, int], at: int) -> Receipt:
    lane = "lo" if at % LO_EVERY == 0 else "hi"
    handed[lane] += 1
    record = {"k": KIND, "t": time.time_ns() // 1000, "life": life, "lane": lane, "n": handed[lane]}
    return outbox.append(record, lane)


def _produce_or_die(outbox: Outbox, folder: Path, life: int) -> None:
    """A producer that fails takes the process with it, so that the run sees it."""
    try:
        produce(outbox, folder, life)
    finally:
        traceback.print_exc()
        os._exit(1)


async def serve(options: argparse.Namespace) -> None:
    """For ever."""
    outbox = Outbox(options.folder / "outbox", QUOTA, site=SITE, birth={"site": SITE}, windows=WINDOWS)
    broker = Broker("127.0.0.1", options.port, SITE)
    make = DeletesOnPuback if options.control else Uplink
    uplink = make(
        outbox,
        lambda: connect(broker),
        PREFIX,
        SITE,
        SystemClock(),
        resend_s=RESEND_S,
        first_back_off_s=BACK_OFF_S,
    )
    told = outbox, options.folder, options.life
    threading.Thread(target=_produce_or_die, args=told, daemon=True).start()
    await anyio.Path(options.ready).write_text("{}")
    await uplink.run()


def main() -> None:
    """Parse and serve."""
    parser = argparse.ArgumentParser(prog="python -m hil.uplink_chaos.edge", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--life", type=int, required=True)
    parser.add_argument("--ready", type=Path, required=True)
    parser.add_argument("--control", action="store_true")
    anyio.run(serve, parser.parse_args())


if __name__ == "__main__":
    main()
