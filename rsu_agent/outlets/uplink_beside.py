"""What goes over the uplink's connection beside the outbox: the door that `Uplink` opens for it."""

from __future__ import annotations

from typing import Protocol


class Publisher(Protocol):
    """The connection as those beside may use it."""

    async def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None: ...


class Beside(Protocol):
    """Has topics of its own. What it publishes the outbox does not wait for, nor the reverse."""

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """Topics to be heard, QoS 1."""
        ...

    def hear(self, topic: str, payload: bytes) -> None:
        """A message of one of its topics."""

    def refused(self, topic: str) -> None:
        """The broker forbids to hear this topic: the outbox drains all the same."""

    async def run(self, transport: Publisher) -> None:
        """While this connection lasts. Raises DeviceLost to end it."""
