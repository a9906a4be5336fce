"""The uplink process: the core's records into the outbox, the outbox to the district."""

from __future__ import annotations

import hashlib
import logging
import sys
import time
from typing import Any

import anyio

from rsu_agent.outlets import outbox_metrics
from rsu_agent.outlets.outbox import Outbox, Windows
from rsu_agent.outlets.receipt import Receipt
from rsu_agent.outlets.uplink import Uplink
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.link import Link
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime import measure
from rsu_agent.runtime.beside import BesideUplink
from rsu_agent.runtime.hub import join
from rsu_agent.runtime.post import Losses
from rsu_agent.runtime.process import Place, run_process
from rsu_agent.version import __version__
from rsu_agent.world.health import DeviceHealth, DeviceState

log = logging.getLogger(__name__)

STATUS_S = 1.0
HAND_OVER_WAIT_S = 0.05
LAST_S = 3.0  # of the ten seconds that the parent gives us to end
COMMITTED_AT_ONCE = 1000  # numbers in one message: a socket takes no message larger than its buffer


async def body(place: Place) -> None:
    """Until cancelled."""
    site = place.site.settings
    settings = site.uplink
    if settings is None:
        await anyio.sleep_forever()
        return
    clock = SystemClock()
    gone: list[int] = []
    outbox = Outbox(
        place.state / "outbox",
        settings.quota_mb << 20,
        gone.extend,
        site=site.site.id,
        birth={"ver": __version__, "cfg": hashlib.sha256(site.model_dump_json().encode()).hexdigest()},
        windows=Windows(),
    )
    prefix = f"rsu/1/{site.site.district}/{site.site.id}"
    beside = BesideUplink(place, prefix, outbox, clock)
    uplink = Uplink(
        outbox,
        lambda: beside.certificates.open((f"{prefix}/state", b'{"on":0}')),
        prefix,
        site.site.id,
        clock,
        beside=beside.parts,
        software=__version__,
    )
    try:
        async with anyio.create_task_group() as tasks:
            delivery = anyio.CancelScope(shield=True)
            tasks.start_soon(_deliver, uplink, delivery)
            try:
                await _hear_core(place, outbox, uplink, gone, clock, beside)
            finally:
                await _last_delivery(outbox, uplink)
                delivery.cancel()
    finally:
        outbox.close()


async def _deliver(uplink: Uplink, scope: anyio.CancelScope) -> None:
    """The uplink; the end that the parent asks for does not cut it off, `scope` does."""
    with scope:
        await uplink.run()


async def _last_delivery(outbox: Outbox, uplink: Uplink) -> None:
    """Told to end: what is on its way to disk and to a district that listens still gets there."""
    with anyio.move_on_after(LAST_S, shield=True):
        # The writer is a thread: there is no event to wait for.
        while not outbox.settled or outbox.held or (uplink.connected and uplink.status()["backlog"]):
            outbox.seal_soon()
            await anyio.sleep(HAND_OVER_WAIT_S)


async def _hear_core(
    place: Place,
    outbox: Outbox,
    uplink: Uplink,
    gone: list[int],
    clock: SystemClock,
    beside: BesideUplink,
) -> None:
    """Records in, word of what is committed out; the core may go and come again."""
    while True:
        link = await join(place.run, "uplink", clock)
        beside.linked(link)
        try:
            async with anyio.create_task_group() as both:
                both.start_soon(link.run_sender)
                both.start_soon(_tell, link, outbox, uplink, gone, clock, beside)
                await _take(link, outbox, gone, beside)
        except* DeviceLost:
            link.close()
        finally:
            beside.linked(None)


async def _take(link: Link, outbox: Outbox, gone: list[int], beside: BesideUplink | None = None) -> None:
    """Records from the core; a full hand-over waits, the core keeps what is not committed.

    What can never be stored is told as gone, or the core would send it for ever; it is counted.
    """
    while True:
        topic, letter = await link.receive()
        if topic != "record":
            if beside is not None:
                beside.hear(topic, letter)
            continue
        receipt = await _handed_over(outbox, letter["record"], letter["lane"], letter["id"])
        if receipt.reason is not None:
            log.error("a record of kind %s is lost: %s", letter["record"].get("k"), receipt.reason)
            lost = Losses()
            lost.add(letter["record"])
            told = lost.record(letter["lane"], receipt.reason, time.time_ns() // 1000)
            await _handed_over(outbox, told, "hi")
            gone.append(letter["id"])


async def _handed_over(outbox: Outbox, record: dict[str, Any], lane: str, tag: int = 0) -> Receipt:
    """A record given to the outbox, however long its hand-over is full; the receipt says if it was taken."""
    while (receipt := outbox.append(record, lane, tag)).reason == "overflow":  # noqa: ASYNC110 (of a thread)
        await anyio.sleep(HAND_OVER_WAIT_S)
    return receipt


async def _tell(
    link: Link,
    outbox: Outbox,
    uplink: Uplink,
    gone: list[int],
    clock: SystemClock,
    beside: BesideUplink | None = None,
) -> None:
    """What has been committed, how the uplink is, and its metrics."""
    said: tuple[DeviceState, str] | None = None
    next_s = 0.0
    while True:
        if gone:
            count = min(len(gone), COMMITTED_AT_ONCE)  # the writer's thread may add more meanwhile
            link.send("committed", gone[:count])
            del gone[:count]
        now_s = clock.now_s()
        if now_s >= next_s:
            next_s = now_s + STATUS_S
            link.send("status", uplink.status(), newest=True)
            outbox_metrics.tell(outbox, uplink)
            link.send("metrics", measure.sample("uplink"), newest=True)
            if beside is not None:
                beside.tell(link)
            if said != (said := health(outbox, uplink)):
                link.send("health", DeviceHealth("uplink", *said, now_s))
        await clock.sleep(0.05)


def health(outbox: Outbox, uplink: Uplink) -> tuple[DeviceState, str]:
    """How the way to the district is; a disk that refuses or a lane that gives up rows comes first."""
    if outbox.trouble != "ok":
        return DeviceState.DEGRADED, outbox.trouble
    if not uplink.connected:
        return DeviceState.LOST, uplink.reason
    return (DeviceState.OK if uplink.reason == "ok" else DeviceState.DEGRADED), uplink.reason


if __name__ == "__main__":
    sys.exit(run_process("uplink", body, yields=5))
