"""What stays behind is made anew, what catches up in time is left alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import anyio
import pytest

from hil.nats_servers import MISSING, NATS, one_server
from rsu_agent.district import mend
from rsu_agent.district.mend import BEHIND_S, Behind, keep_current
from rsu_agent.district.streams import Servers, open_streams, stays_behind
from tests.district.made import until


def test_only_what_is_behind_without_a_break_for_so_long_is_made_anew_and_then_has_its_time_again() -> None:
    behind = Behind()
    assert not behind.too_long("x", True, 0.0)
    assert not behind.too_long("x", True, BEHIND_S - 1)
    assert not behind.too_long("x", False, BEHIND_S - 0.5)
    assert not behind.too_long("x", True, BEHIND_S)
    assert not behind.too_long("y", True, 2 * BEHIND_S - 1), "each for itself"
    assert behind.too_long("x", True, 2 * BEHIND_S)
    assert not behind.too_long("x", True, 2 * BEHIND_S + 1)


def test_a_node_that_is_down_is_no_node_that_stays_behind() -> None:
    from nats.js.api import ClusterInfo, PeerInfo

    here, late, away = PeerInfo("a", True, False), PeerInfo("b", False, False), PeerInfo("c", False, True)
    assert not stays_behind(None)
    assert not stays_behind(ClusterInfo("a", replicas=None))
    assert not stays_behind(ClusterInfo("a", replicas=[here, away]))
    assert stays_behind(ClusterInfo("a", replicas=[here, late]))
    assert stays_behind(ClusterInfo(None, replicas=[here, here]))


@pytest.mark.anyio
@pytest.mark.skipif(NATS is None, reason=MISSING)
async def test_a_consumer_or_a_stream_that_is_gone_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mend, "LOOK_S", 0.05)
    monkeypatch.setattr(mend, "BEHIND_S", 0.2)
    counters: Counter[str] = Counter()
    with one_server(tmp_path) as port:
        servers = Servers((f"nats://127.0.0.1:{port}",))
        async with open_streams(servers, 1, counters) as streams, anyio.create_task_group() as tasks:
            await streams.prepare(1)
            tasks.start_soon(keep_current, streams, 0, 1)
            for times, forget in enumerate((streams.forget_consumer, streams.forget_stream), start=1):
                await forget(0)
                await forget(0)  # what is gone already is gone

                async def mended(times: int = times) -> bool:
                    is_behind = await streams.stream_is_behind(0) or await streams.consumer_is_behind(0)
                    return counters["remade"] >= times and not is_behind

                await until(mended)
            tasks.cancel_scope.cancel()
