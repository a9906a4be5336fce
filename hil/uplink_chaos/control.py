"""The control: an uplink that takes the broker's PUBACK for a receipt. It must lose something."""

from __future__ import annotations

from typing import Any

from rsu_agent.outlets.outbox import Outbox
from rsu_agent.outlets.uplink import Uplink
from rsu_agent.ports.envelope import Ack, unpack_envelope
from rsu_agent.ports.mqtt import Session
from rsu_agent.ports.trouble import DeviceLost


class PubackSession:
    """A session whose PUBACKs delete from the outbox."""

    def __init__(self, session: Session, uplink: DeletesOnPuback) -> None:
        self._session, self._uplink = session, uplink
        self._sent: dict[int, Ack] = {}
        self._paho = session._client._client
        self._told = self._paho.on_publish
        self._paho.on_publish = self._published

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def send(self, topic: str, payload: bytes) -> None:
        """As the session's own, and remember which envelope it was."""
        told = self._paho.publish(topic, payload, 1)
        if told.rc != 0 or not self._session.open:
            raise DeviceLost("closed", f"publish: {told.rc}")
        sent = unpack_envelope(payload)
        self._sent[told.mid] = Ack(sent.epoch, sent.lane, 0, ((sent.seq, sent.seq),), window=256)

    def _published(self, client: Any, userdata: Any, mid: int, code: Any, properties: Any) -> None:
        self._told(client, userdata, mid, code, properties)  # type: ignore[misc,call-arg]
        if (ack := self._sent.pop(mid, None)) is not None:
            self._uplink.forget(ack)


class DeletesOnPuback(Uplink):
    """Acts on the broker's word as if it were the receiver's."""

    def __init__(self, outbox: Outbox, *arguments: Any, **options: Any) -> None:
        super().__init__(outbox, *arguments, **options)

    async def _serve(self, transport: Any) -> None:
        await super()._serve(PubackSession(transport, self))

    def forget(self, ack: Ack) -> None:
        """One envelope that the broker has taken."""
        self._answered(ack)
        self._wake.set()
