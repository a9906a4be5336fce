"""What an operator installs: the broker starts with our file and shares, the unit is sound and shut in."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from hil.mosquitto import MOSQUITTO, mosquitto
from rsu_agent.ports.mqtt import Broker, connect

ROOT = Path(__file__).parents[2]
CONF = ROOT / "deploy" / "district" / "mosquitto.conf"
UNIT = ROOT / "deploy" / "district" / "rsu-district.service"
analyze = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd is not installed (make tools)"
)
broker = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (make tools)")


@broker
@pytest.mark.anyio
async def test_the_broker_takes_our_file_and_two_receivers_share_what_comes(tmp_path: Path) -> None:
    kept = [
        line for line in CONF.read_text().splitlines() if not line.startswith(("listener", "per_listener"))
    ]
    with mosquitto(tmp_path, "\n".join(kept) + "\n") as port:
        heard: list[str] = []
        receivers = [Broker("127.0.0.1", port, f"receiver-{n}", version=3) for n in range(2)]
        async with connect(receivers[0]) as one, connect(receivers[1]) as two:
            for session in (one, two):
                await session.subscribe("$share/ingest/rsu/1/+/+/up/#", 1)
            async with connect(Broker("127.0.0.1", port, "pole")) as pole:
                for n in range(20):
                    await pole.publish("rsu/1/d/s/up/lo", str(n).encode(), qos=1)
            for session in (one, two):
                share = session.messages()
                heard += [(await anext(share))[1].decode() for _ in range(10)]
        assert sorted(heard, key=int) == [str(n) for n in range(20)]


@analyze
def test_systemd_knows_every_key_of_the_unit(tmp_path: Path) -> None:
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/opt/rsu-agent/current/bin/rsu", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if UNIT.name in line] == []


@analyze
def test_the_unit_is_shut_in() -> None:
    command = ["systemd-analyze", "security", "--offline=yes", "--threshold=25", UNIT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr
