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


@broker
@pytest.mark.anyio
async def test_the_access_list_leaves_every_pole_its_own_topics_and_the_receiver_all(tmp_path: Path) -> None:
    """As with use_identity_as_username: the name in a certificate is the user's name."""
    (tmp_path / "acl").write_text((ROOT / "deploy" / "district" / "acl").read_text())
    own, other = "rsu/1/pingshan/site-1", "rsu/1/pingshan/site-2"
    with mosquitto(tmp_path, f"allow_anonymous true\nacl_file {tmp_path}/acl\n") as port:

        def at(user: str) -> Broker:
            return Broker("127.0.0.1", port, f"client-{user}", username=user, version=3)

        async with connect(at("rsu-district")) as receiver, connect(at("site-1")) as pole:
            await receiver.subscribe("rsu/1/#", 1)
            for topic in ("up/hi", "up/lo", "state", "live/spat", "answer", "ack", "dn/cmd"):
                for prefix in (other, own):
                    await pole.publish(f"{prefix}/{topic}", b"from the pole", qos=1)
            await pole.publish("rsu/1/elsewhere/site-1/up/lo", b"from the pole", qos=1)
            await receiver.publish(f"{own}/answer", b"the last", qos=1)
            heard = []
            async for topic, payload in receiver.messages():
                if payload == b"the last":
                    break
                heard.append(topic)
            assert heard == [f"{own}/{each}" for each in ("up/hi", "up/lo", "state", "live/spat", "answer")]

            for topic in (f"{other}/ack", f"{other}/dn/cmd", f"{other}/up/lo", f"{own}/ack", f"{own}/dn/cmd"):
                await pole.subscribe(topic, 1)
            for topic in (f"{other}/ack", f"{other}/dn/cmd", f"{other}/up/lo", f"{own}/ack", f"{own}/dn/cmd"):
                await receiver.publish(topic, b"from the district", qos=1)
            told = pole.messages()
            assert [(await anext(told))[0] for _ in range(2)] == [f"{own}/ack", f"{own}/dn/cmd"]
