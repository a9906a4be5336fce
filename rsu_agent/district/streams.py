"""NATS JetStream, the only file that knows nats-py: a work queue a shard, three copies of each.

What lies here is on its way, and no receipt: the pole's acknowledgement leaves after the shard's commit, so
whatever the cluster loses is sent again. So it lies in the nodes' memory, where a killed one gets it from the
others; over a file that a kill has torn, nodes of nats-server 2.9 may stay behind for ever.
No message is named to the server as known already (Nats-Msg-Id): a pole that sends again has not heard its
acknowledgement, and a second copy that the server swallowed would never be answered.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgpack
import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext, api
from nats.js.errors import APIError

from rsu_agent.district.shards import shard_of_topic
from rsu_agent.ports.envelope import LARGEST
from rsu_agent.ports.trouble import DeviceLost

log = logging.getLogger(__name__)
COPIES = 3
STREAM, SUBJECT, CONSUMER = "rsu-in-{}", "rsu.in.{}", "store"
MOST_BYTES = 256 << 20  # of a stream, at each node; a full one takes no more, the poles keep what they have
MOST_AGE_S = 600.0  # what is older has been sent again, or will be
MOST_UNDER_WAY = 20_000  # pulled and not yet committed, of all workers of a shard
AGAIN_S = 15.0  # then what a worker has pulled and not answered goes to another
PULLED = 500  # messages at once
FIRST_S, MORE_S = 1.0, 0.02  # how long one pull waits for a first message, the next for company
UNANSWERED = 4_000  # published and not yet answered by the cluster
CONNECT_S, BACK_S, STARTS_S, STALL_S = 5, 0.5, 60.0, 5.0
LOST = (NatsError, asyncio.TimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the cluster is, and how one is let in. addresses: nats://host:port."""

    addresses: tuple[str, ...]
    credentials: Path | None = None  # a .creds file
    authority: Path | None = None  # TLS: who signed the servers' certificates


def pack_message(topic: str, payload: bytes) -> bytes:
    """What stands in the stream; of a payload that is too big anyway, enough to see that it is."""
    return bytes(msgpack.packb([topic, payload[: LARGEST + 1]]))


def unpack_message(data: bytes) -> tuple[str, bytes] | None:
    """(topic, payload); None for what no worker of ours has written."""
    try:
        topic, payload = msgpack.unpackb(data, max_str_len=1 << 16)
    except (ValueError, TypeError, msgpack.exceptions.UnpackException):
        return None
    return (topic, payload) if isinstance(topic, str) and isinstance(payload, bytes) else None


class Streams:
    """An open connection to the cluster."""

    def __init__(
        self, client: Client, context: JetStreamContext, shards: int, counters: Counter[str]
    ) -> None:
        self._client, self._context, self._shards, self.counters = client, context, shards, counters
        self._unanswered: deque[tuple[float, asyncio.Future[api.PubAck]]] = deque()

    async def prepare(self, copies: int) -> None:
        """Make the streams and their consumers where they are not there yet. Raises DeviceLost."""
        for shard in range(self._shards):
            await self.prepare_shard(shard, copies)

    async def prepare_shard(self, shard: int, copies: int) -> None:
        """The same of one. Raises DeviceLost."""
        await _until_taken(partial(self._prepare, shard, copies))

    async def _prepare(self, shard: int, copies: int) -> None:
        name = STREAM.format(shard)
        stream = api.StreamConfig(
            name=name, subjects=[SUBJECT.format(shard)], retention=api.RetentionPolicy.WORK_QUEUE,
            discard=api.DiscardPolicy.NEW, max_bytes=MOST_BYTES, num_replicas=copies,
            storage=api.StorageType.MEMORY, max_age=MOST_AGE_S,
        )  # fmt: skip
        try:
            await self._context.stream_info(name)
        except APIError as error:
            if error.code != 404:
                raise
            await self._context.add_stream(stream)
        consumer = api.ConsumerConfig(
            durable_name=CONSUMER, ack_policy=api.AckPolicy.EXPLICIT, ack_wait=AGAIN_S,
            max_ack_pending=MOST_UNDER_WAY,
        )  # fmt: skip
        await self._context.add_consumer(name, consumer)

    @property
    def is_connected(self) -> bool:
        """Whether a node answers now."""
        return bool(self._client.is_connected)

    async def stream_is_behind(self, shard: int) -> bool:
        """Whether nobody leads it, or a node that is there does not follow."""
        try:
            return stays_behind((await self._context.stream_info(STREAM.format(shard))).cluster)
        except LOST:
            return True

    async def consumer_is_behind(self, shard: int) -> bool:
        """The same of the shard's consumer."""
        try:
            info = await self._context.consumer_info(STREAM.format(shard), CONSUMER)
        except LOST:
            return True
        return stays_behind(info.cluster)

    async def forget_stream(self, shard: int) -> None:
        """Delete it with all that lies in it. Raises DeviceLost."""
        await _gone(self._context.delete_stream(STREAM.format(shard)))

    async def forget_consumer(self, shard: int) -> None:
        """Delete it. Raises DeviceLost."""
        await _gone(self._context.delete_consumer(STREAM.format(shard), CONSUMER))

    async def put(self, topic: str, payload: bytes) -> None:
        """Hand a message to its shard's stream. What the cluster does not take is counted, and comes again.

        Raises DeviceLost when the cluster has answered nothing for a while.
        """
        shard, now_s = shard_of_topic(topic, self._shards), time.monotonic()
        while self._unanswered and now_s - self._unanswered[0][0] > STALL_S:
            self._unanswered.popleft()[1].cancel()  # a server took the answer with it
        try:
            told = await self._context.publish_async(
                SUBJECT.format(shard), pack_message(topic, payload), wait_stall=STALL_S
            )
        except LOST as error:
            raise DeviceLost("closed", f"cluster: {error!r}") from None
        told.add_done_callback(self._answered)
        self._unanswered.append((now_s, told))

    def _answered(self, told: asyncio.Future[api.PubAck]) -> None:
        taken = not told.cancelled() and told.exception() is None
        self.counters["forwarded" if taken else "not_forwarded"] += 1

    async def pulls(self, shard: int) -> AsyncIterator[Sequence[Msg]]:
        """What waits for a shard, some hundreds at a time. Raises DeviceLost."""
        try:
            name = STREAM.format(shard)
            pull = await self._context.pull_subscribe_bind(consumer=CONSUMER, stream=name)
            while True:
                if first := await self._pulled(pull, 1, FIRST_S):  # a pull of many waits until it is full
                    yield [*first, *await self._pulled(pull, PULLED - 1, MORE_S)]
        except LOST as error:
            raise DeviceLost("closed", f"cluster: {error!r}") from None

    async def _pulled(
        self, pull: JetStreamContext.PullSubscription, most: int, seconds: float
    ) -> Sequence[Msg]:
        try:
            return await pull.fetch(most, seconds)
        except TimeoutError:
            if self._client.is_closed:
                raise DeviceLost("closed", "cluster") from None
            return []


@asynccontextmanager
async def open_streams(servers: Servers, shards: int, counters: Counter[str]) -> AsyncIterator[Streams]:
    """A connection that finds its way to whichever server is up. Raises DeviceLost."""
    tls = ssl.create_default_context(cafile=servers.authority) if servers.authority else None
    options = {"tls": tls} if tls else {}
    if servers.credentials:
        options["user_credentials"] = str(servers.credentials)  # type: ignore[assignment]
    try:
        client = await nats.connect(
            list(servers.addresses), name="rsu-district", connect_timeout=CONNECT_S,
            max_reconnect_attempts=-1, reconnect_time_wait=BACK_S, error_cb=_noted, **options,
        )  # fmt: skip
    except LOST as error:
        raise DeviceLost("refused", f"cluster: {error!r}", "are the NATS servers up?") from None
    try:
        yield Streams(client, client.jetstream(publish_async_max_pending=UNANSWERED), shards, counters)
    finally:
        with suppress(*LOST):
            await client.close()


def stays_behind(cluster: api.ClusterInfo | None) -> bool:
    """Whether nobody leads it, or a node that is there does not follow. One server alone is no cluster."""
    if cluster is None:
        return False
    return not cluster.leader or any(not (r.current or r.offline) for r in cluster.replicas or [])


async def _gone(deleted: Awaitable[bool]) -> None:
    try:
        await deleted
    except APIError as error:
        if error.code != 404:
            raise DeviceLost("refused", f"cluster: {error!r}") from None
    except LOST as error:
        raise DeviceLost("closed", f"cluster: {error!r}") from None


async def answered(messages: Sequence[Msg]) -> None:
    """They are committed: the stream forgets them. One that it does not hear of comes again, and is known."""
    try:
        for message in messages:
            await message.ack()
    except LOST as error:
        raise DeviceLost("closed", f"cluster: {error!r}") from None


async def _until_taken(make: Callable[[], Awaitable[None]]) -> None:
    """A cluster without a leader, or with a server down, needs a moment. Raises DeviceLost."""
    end_s = asyncio.get_running_loop().time() + STARTS_S
    while True:
        try:
            await make()
        except LOST as error:
            if asyncio.get_running_loop().time() > end_s:
                hint = f"are there {COPIES} servers in one cluster, with jetstream on?"
                raise DeviceLost("refused", f"stream: {error!r}", hint) from None
            await asyncio.sleep(BACK_S)
        else:
            return


async def _noted(error: Exception) -> None:
    log.info("cluster: %r", error)
