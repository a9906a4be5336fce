"""What vehicles send, from a socket to whoever may believe it: each refusal is counted by its name."""

from __future__ import annotations

import socket
from typing import Any

import anyio
import pytest
from prometheus_client import REGISTRY

from drivers.udp_raw.driver import PLUGIN
from drivers.udp_raw.settings import Settings
from hil.devices.vehicle_codec import encode_bsm
from rsu_agent.ports.clock import SystemClock
from rsu_agent.runtime.hearing import MOST_A_SECOND, Hearing
from rsu_agent.runtime.time_trust import TimeTrust
from rsu_agent.world.health import DeviceHealth, TimeQuality
from rsu_agent.world.heard import HeardVehicle
from tests.hil.test_vehicle_codec import BSM

pytestmark = pytest.mark.anyio
CLOCK = SystemClock()


def message(late_s: float = 0.0) -> bytes:
    return encode_bsm({**BSM, "secMark": round((CLOCK.utc_s() - late_s) * 1000) % 60_000})


def counted(what: str) -> float:
    return REGISTRY.get_sample_value("rsu_v2x_heard_total", {"what": what}) or 0.0


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


class Listening:
    """A radio on loopback and what was made of what it handed on."""

    def __init__(self, *, synchronised: bool = True, standard: str = "csae53-2020") -> None:
        self.port = free_port()
        self.told: list[DeviceHealth] = []
        self.taken: list[HeardVehicle] = []
        trust = TimeTrust(drift_ppm=5.0)
        trust.read(TimeQuality("test", synchronised, 0.0, 0.001, CLOCK.now_s()))
        self.hearing = Hearing(standard, CLOCK, trust, self.told.append, self.taken.append)

    async def hears(self, sent: list[bytes], what: str, **site: Any) -> float:
        """How many more were counted so after these were sent."""
        before = counted(what)
        settings = Settings(
            host="127.0.0.1", port=9, receive_port=self.port, receive_host="127.0.0.1", **site
        )
        async with PLUGIN.open(settings, CLOCK) as radio, anyio.create_task_group() as tasks:
            tasks.start_soon(self.hearing.listen, radio)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rsu, anyio.fail_after(5):
                while not any(health.reason == "ok" for health in self.told):
                    await anyio.lowlevel.checkpoint()
                for data in sent:
                    rsu.sendto(data, ("127.0.0.1", self.port))
                while radio.counters.get("received", 0) < len(sent):
                    await anyio.lowlevel.checkpoint()
                while counted(what) == before:
                    await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        return counted(what) - before


async def test_a_verified_bsm_is_taken_with_the_instant_it_is_for() -> None:
    listening = Listening()
    assert await listening.hears([message(0.3)], "taken", forwards="verified") == 1
    (vehicle,) = listening.taken
    assert vehicle.verified
    assert vehicle.id == BSM["id"].hex()
    assert CLOCK.utc_s() - vehicle.at_utc_s == pytest.approx(0.3, abs=0.25)


@pytest.mark.parametrize(
    ("sent", "what"),
    [
        (message(5.0), "stale"),
        (message(-5.0), "stale"),
        (b"\xff" * 80, "malformed"),
        (b"", "malformed"),
        (message()[:-9], "malformed"),
    ],
)
async def test_what_cannot_be_believed_is_counted_and_dropped(sent: bytes, what: str) -> None:
    listening = Listening()
    sent = message(5.0 if what == "stale" else 0.0) if what == "stale" else sent
    assert await listening.hears([sent], what, forwards="verified") == 1
    assert not listening.taken


async def test_what_the_radio_has_not_verified_is_no_witness() -> None:
    listening = Listening()
    assert await listening.hears([message()], "unverified") == 1
    assert not listening.taken


async def test_without_a_trusted_clock_nobody_is_placed() -> None:
    listening = Listening(synchronised=False)
    assert await listening.hears([message()], "no_clock", forwards="verified") == 1
    assert not listening.taken


async def test_a_set_that_needs_a_licensed_text_is_not_read() -> None:
    listening = Listening(standard="j2735")
    assert await listening.hears([message()], "other", forwards="verified") == 1


async def test_a_flood_is_read_only_so_far() -> None:
    listening = Listening()
    seconds = iter([7.1] * (MOST_A_SECOND + 50) + [8.0] * 50)
    allowed = [not listening.hearing._over(now_s) for now_s in seconds]
    assert sum(allowed[: MOST_A_SECOND + 50]) == MOST_A_SECOND
    assert all(allowed[MOST_A_SECOND + 50 :])


async def test_a_port_that_another_has_is_told_and_sending_goes_on() -> None:
    listening = Listening()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other, anyio.fail_after(5):
        other.bind(("127.0.0.1", listening.port))
        rsu = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with rsu:
            rsu.bind(("127.0.0.1", 0))
            settings = Settings(
                host="127.0.0.1",
                port=rsu.getsockname()[1],
                receive_port=listening.port,
                receive_host="127.0.0.1",
            )
            async with PLUGIN.open(settings, CLOCK) as radio, anyio.create_task_group() as tasks:
                tasks.start_soon(listening.hearing.listen, radio)
                while not any(health.reason == "refused" for health in listening.told):
                    await anyio.lowlevel.checkpoint()
                await radio.send("SPAT", b"said")
                assert rsu.recv(100) == b"said"
                tasks.cancel_scope.cancel()
