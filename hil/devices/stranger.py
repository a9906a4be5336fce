"""Another master that appears on the line: its queries pass by, as on RS-485."""

from __future__ import annotations

from hil.devices.gbt20999_codec import Message, Profile, build

PERIOD_S = 1.0
HOST = 77


class Stranger:
    """Asks for the run mode once a second while `on`."""

    def __init__(self) -> None:
        self.on = False
        self._asked_s = float("-inf")

    def due(self, now_s: float) -> list[bytes]:
        """Its question, when it is time."""
        if not self.on or now_s - self._asked_s < PERIOD_S:
            return []
        self._asked_s = now_s
        message = Message(0x10, HOST, 0, 0, 9, ((1, (13, 2, 2, 1), b""),))
        return [build(message, Profile())]

    def next_s(self) -> float | None:
        """When it asks again."""
        return self._asked_s + PERIOD_S if self.on else None
