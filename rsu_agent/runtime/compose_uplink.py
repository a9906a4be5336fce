"""The uplink process: the core's records into the outbox, the outbox to the district."""

from __future__ import annotations

import sys

import anyio

from rsu_agent.outlets.outbox import Outbox
from rsu_agent.outlets.uplink import Uplink
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.link import Link
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime import measure
from rsu_agent.runtime.beside import BesideUplink
from rsu_agent.runtime.hub import join
from rsu_agent.runtime.process import Place, run_process
from rsu_agent.world.health import DeviceHealth, DeviceState

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
    outbox = Outbox(place.state / "outbox", settings.quota_mb << 20, gone.extend)
    prefix = f"rsu/1/{site.site.district}/{site.site.id}"
    beside = BesideUplink(place, prefix, outbox, clock)
    uplink = Uplink(
        outbox,
        lambda: beside.certificates.open((f"{prefix}/state", b'{"on":0}')),
        prefix,
        site.site.id,
        clock,
        beside=beside.parts,
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
        while not outbox.settled or (uplink.connected and uplink.status()["backlog"]):  # noqa: ASYNC110
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
                both.start_soon(_tell, link, uplink, gone, clock, beside)
                await _take(link, outbox, beside)
        except* DeviceLost:
            link.close()
        finally:
            beside.linked(None)


async def _take(link: Link, outbox: Outbox, beside: BesideUplink | None = None) -> None:
    """Records from the core; a full hand-over waits, the core keeps what is not committed."""
    while True:
        topic, letter = await link.receive()
        if topic != "record":
            if beside is not None:
                beside.hear(topic, letter)
            continue
        # The writer is a thread: there is no event to wait for.
        while not outbox.append(letter["record"], letter["lane"], letter["id"]):  # noqa: ASYNC110
            await anyio.sleep(HAND_OVER_WAIT_S)


async def _tell(
    link: Link, uplink: Uplink, gone: list[int], clock: SystemClock, beside: BesideUplink | None = None
) -> None:
    """What has been committed, how the uplink is, and its metrics."""
    said: tuple[bool, str] | None = None
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
            link.send("metrics", measure.sample("uplink"), newest=True)
            if beside is not None:
                beside.tell(link)
            if said != (uplink.connected, uplink.reason):
                said = uplink.connected, uplink.reason
                state = DeviceState.OK if uplink.connected else DeviceState.LOST
                link.send("health", DeviceHealth("uplink", state, uplink.reason, now_s))
        await clock.sleep(0.05)


if __name__ == "__main__":
    sys.exit(run_process("uplink", body, yields=5))
