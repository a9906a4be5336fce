"""systemd's notify protocol (sd_notify(3)): readiness, watchdog, stopping. Standard library only."""

from __future__ import annotations

import contextlib
import os
import socket


class Notifier:
    """Sends states to $NOTIFY_SOCKET; does nothing where there is none."""

    def __init__(self, environ: dict[str, str] | None = None) -> None:
        env = dict(os.environ) if environ is None else environ
        address = env.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        watchdog_us = int(env.get("WATCHDOG_USEC", "0") or 0)
        self.watchdog_interval_s = watchdog_us / 1e6 / 2 if watchdog_us else None

    def send(self, *states: str) -> None:
        """Send states such as READY=1; a service manager that has gone is no failure of ours."""
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto("\n".join(states).encode(), self._address)
