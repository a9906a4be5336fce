"""One worker of the district: connects, subscribes, receives, comes back when the line is lost."""

from __future__ import annotations

import logging
import os
import re
from collections import Counter
from typing import Protocol

import anyio

from rsu_agent.district.receiver import STATE_TOPIC, TOPIC
from rsu_agent.ports.mqtt import Broker, Session, connect
from rsu_agent.ports.trouble import DeviceLost

log = logging.getLogger(__name__)
RETRY_S = 0.5
GROUP = "RSU_DISTRICT_SHARE"  # of the environment: whoever knows the name can take our messages away
WELL_KNOWN = "ingest"


class Works(Protocol):
    """What a worker does over an open connection."""

    counters: Counter[str]

    async def run(self, session: Session, topics: tuple[str, ...]) -> None: ...


def shared_topic() -> str:
    """The subscription that workers share. Raises ValueError where the name of their group is none."""
    group = os.environ.get(GROUP) or WELL_KNOWN
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", group):
        raise ValueError(f"{GROUP}: letters, digits, _ and - only, at most 64")
    return f"$share/{group}/{TOPIC}"


async def work(receiver: Works, broker: Broker, number: int = 1, *, shared: bool = False) -> None:
    """For ever. Where the broker refuses shared subscriptions, the first worker alone hears everything."""
    broker.counts, together = receiver.counters, shared_topic()
    while True:
        topics = (together if shared else TOPIC, *((STATE_TOPIC,) if number == 1 else ()))
        try:
            async with connect(broker) as session:
                log.info("worker %d hears %s", number, "with others" if shared else topics[0])
                await receiver.run(session, topics)
        except* DeviceLost as group:
            lost = _first(group)
            log.info("worker %d: %s", number, lost)
            if shared and lost.reason == "refused" and together in lost.detail:
                shared = False
                if number > 1:
                    log.warning("no shared subscriptions here: worker %d stands idle", number)
                    await anyio.sleep_forever()
        await anyio.sleep(RETRY_S)


def _first(group: BaseExceptionGroup[DeviceLost]) -> DeviceLost:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
