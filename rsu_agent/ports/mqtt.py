"""MQTT: the only file that knows aiomqtt. A fresh client every attempt, protocol 5 falling back to 3.1.1."""

from __future__ import annotations

import logging
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import aiomqtt
import anyio.to_thread
from aiomqtt import ProtocolVersion

from rsu_agent.ports.incoming import Incoming
from rsu_agent.ports.tls import refusal
from rsu_agent.ports.trouble import DeviceLost

log = logging.getLogger(__name__)
KEEPALIVE_S = 12  # a connection that died without a word is known after two of them: within 30 s
CONNECT_S = 10.0
FIRST_TRY_S = 3.0  # some brokers answer a protocol that they do not speak with silence
NO_DELAY = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]  # Nagle's algorithm would cost 40 ms a window
PUBLISH_S = 10.0
IN_FLIGHT = 20  # messages without a PUBACK: more is hardly faster, and brokers that count take no more
MANY_CALLS = 1000  # otherwise the log floods above ten in flight


@dataclass(slots=True)
class Broker:
    """Where the broker is. `version` remembers what it spoke last: None, 5 or 3. Of what comes, at most
    `most_waiting_bytes` wait for us; beyond, it is let go and counted in `counts` (`discarded`)."""

    host: str
    port: int
    identifier: str
    tls: ssl.SSLContext | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    connect_s: float = CONNECT_S
    version: int | None = None
    most_waiting_bytes: int = 64 << 20
    counts: Counter[str] = field(default_factory=Counter, repr=False)


class Session:
    """An open connection."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client
        self.refused: str | None = None
        self.behind = 0  # messages handed over that the broker has not answered with a PUBACK
        client._client.on_publish = self._published

    def send(self, topic: str, payload: bytes) -> None:
        """Hand a message (QoS 1) over without waiting for its PUBACK. Raises DeviceLost when there is no
        connection; whether the broker took it shows in `refused`, and in 3.1.1 not even there."""
        told = self._client._client.publish(topic, payload, 1)
        self.behind += 1
        if told.rc != 0 or not self.open:
            raise DeviceLost("closed", f"publish: {told.rc}")

    def say(self, topic: str, payload: bytes) -> None:
        """Hand over what may be lost (QoS 0), without waiting until it is written: what is said in one breath
        leaves in one write. Raises DeviceLost when there is no connection."""
        told = self._client._client.publish(topic, payload, 0)
        if told.rc != 0 or not self.open:
            raise DeviceLost("closed", f"publish: {told.rc}")

    def _published(self, client: Any, userdata: Any, mid: int, code: Any, properties: Any) -> None:
        """A PUBACK: aiomqtt does not look at what it says."""
        self.behind = max(0, self.behind - 1)
        if getattr(code, "is_failure", False):
            self.refused = str(code)
        self._client._on_publish(client, userdata, mid, code, properties)

    @property
    def open(self) -> bool:
        """Whether the connection stands, as far as is known."""
        return not self._client._disconnected.done()

    async def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None:
        """Hand a message to the broker. A PUBACK is no receipt: only the receiver's word is."""
        try:
            await self._client.publish(topic, payload, qos=qos, retain=retain, timeout=PUBLISH_S)
        except aiomqtt.MqttError as error:
            raise DeviceLost("closed", str(error)) from None

    async def subscribe(self, topic: str, qos: int) -> None:
        """Hear a topic. Raises DeviceLost('refused') where the broker forbids it: aiomqtt would not tell."""
        try:
            codes = await self._client.subscribe(topic, qos=qos, timeout=PUBLISH_S)
        except aiomqtt.MqttError as error:
            raise DeviceLost("closed", str(error)) from None
        for code in codes:
            refused = code.is_failure if hasattr(code, "is_failure") else int(code) >= 0x80
            if refused:
                raise DeviceLost("refused", f"{topic}: {code}", "the broker's access list forbids this topic")

    async def unsubscribe(self, topic: str) -> None:
        """Hear a topic no longer."""
        try:
            await self._client.unsubscribe(topic, timeout=PUBLISH_S)
        except aiomqtt.MqttError as error:
            raise DeviceLost("closed", str(error)) from None

    async def messages(self) -> AsyncIterator[tuple[str, bytes]]:
        """(topic, payload) of what arrives. Raises DeviceLost when the connection ends."""
        waiting = self._client._queue
        try:
            async for message in self._client.messages:
                yield _read(message)
                while not waiting.empty():  # aiomqtt makes a task a message; those that are here need none
                    yield _read(waiting.get_nowait())
        except aiomqtt.MqttError as error:
            raise DeviceLost("closed", str(error)) from None


def _read(message: aiomqtt.Message) -> tuple[str, bytes]:
    payload = message.payload
    return str(message.topic), payload if isinstance(payload, bytes) else bytes(str(payload), "utf-8")


@asynccontextmanager
async def connect(broker: Broker, will: tuple[str, bytes] | None = None) -> AsyncIterator[Session]:
    """One connection attempt; a broker that refuses protocol 5 is spoken to in 3.1.1 from then on.

    Who leaves in order says the will's words itself: a broker throws a will away on DISCONNECT.
    """
    client = await _open(broker, will)
    try:
        yield Session(client)
    finally:
        if will is not None and not client._disconnected.done():
            # QoS 0: another would wait for room among what has no PUBACK yet, and never leave
            client._client.publish(*will, qos=0, retain=True)
        try:
            await client.__aexit__(None, None, None)
        except aiomqtt.MqttError as error:
            log.debug("closing: %s", error)


async def _open(broker: Broker, will: tuple[str, bytes] | None) -> aiomqtt.Client:
    versions = (ProtocolVersion.V5, ProtocolVersion.V311)
    if broker.version == 3:
        versions = (ProtocolVersion.V311, ProtocolVersion.V5)
    last: Exception | None = None
    for version in versions:
        client = _client(broker, version, will)
        _hear_its_end(client)
        _write_to_an_open_socket(client)
        try:
            await client.__aenter__()
        except aiomqtt.MqttError as error:
            last = error
            if isinstance(error.__cause__, OSError):
                break  # nobody there: another protocol version will not help
            continue
        _hear_its_end(client)  # aiomqtt may have made the future anew
        broker.version = 5 if version is ProtocolVersion.V5 else 3
        return client
    where, hint = f"{broker.host}:{broker.port}", "is the broker up, and may we reach it?"
    if broker.tls is not None:
        reason = await anyio.to_thread.run_sync(refusal, broker.host, broker.port, broker.tls)
        if reason is not None:
            raise DeviceLost(reason, f"{where}: {last}", "see docs/protocol/README.md, TLS")
    raise DeviceLost("refused", f"{where}: {last}", hint)


def _write_to_an_open_socket(client: aiomqtt.Client) -> None:
    """aiomqtt notes a socket's number and waits for it later: by then it may be closed, or another's."""
    loop = client._loop

    def write(sock: Any) -> None:
        try:
            with _corked(sock):
                client._client.loop_write()
        except Exception as error:  # noqa: BLE001 (whatever it is, the connection is broken: as aiomqtt has it)
            if not client._disconnected.done():
                client._disconnected.set_exception(error)

    def register(_client: Any, _userdata: Any, sock: Any) -> None:
        loop.call_soon_threadsafe(lambda: sock.fileno() > -1 and loop.add_writer(sock.fileno(), write, sock))

    client._client.on_socket_register_write = register


@contextmanager
def _corked(sock: Any) -> Iterator[None]:
    """What is written within leaves together: a packet a message wakes the broker for each of them."""
    with suppress(OSError):  # no TCP, or just closed: then there is nothing to hold back
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    try:
        yield
    finally:
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)


def _heed_receive_maximum(client: aiomqtt.Client) -> None:
    """A broker of protocol 5 says how many messages it takes at once; paho does not listen."""
    connected = client._client.on_connect

    def on_connect(paho: Any, userdata: Any, flags: Any, code: Any, properties: Any = None) -> None:
        told = getattr(properties, "ReceiveMaximum", None)
        if told:
            paho._max_inflight_messages = min(IN_FLIGHT, told)
        connected(paho, userdata, flags, code, properties)  # type: ignore[misc,call-arg]

    client._client.on_connect = on_connect


def _hear_its_end(client: aiomqtt.Client) -> None:
    """Look at the error of a lost connection: aiomqtt leaves it in a future that nobody may ever await."""
    client._disconnected.add_done_callback(lambda end: end.cancelled() or end.exception())


def _client(broker: Broker, version: ProtocolVersion, will: tuple[str, bytes] | None) -> aiomqtt.Client:
    options: dict[str, object] = (
        {"clean_start": True} if version is ProtocolVersion.V5 else {"clean_session": True}
    )
    client = aiomqtt.Client(
        broker.host,
        broker.port,
        identifier=broker.identifier,
        protocol=version,
        will=aiomqtt.Will(will[0], will[1], qos=1, retain=True) if will else None,
        keepalive=KEEPALIVE_S,
        timeout=broker.connect_s if broker.version else min(FIRST_TRY_S, broker.connect_s),
        max_inflight_messages=IN_FLIGHT,
        tls_context=broker.tls,
        socket_options=NO_DELAY,
        queue_type=lambda **_: Incoming(broker.most_waiting_bytes, broker.counts),  # type: ignore[arg-type]
        username=broker.username,
        password=broker.password,
        **options,  # type: ignore[arg-type]
    )
    client.pending_calls_threshold = MANY_CALLS
    _heed_receive_maximum(client)
    return client
