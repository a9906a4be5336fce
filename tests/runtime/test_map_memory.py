"""The MAP's revision over restarts: it rises when the content does, and never for nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsu_agent.messages.status import RECENT_LANES, RECENT_MAP
from rsu_agent.runtime.map_memory import RECENT_S, remember

AT_S = 1_790_000_000.0


def test_the_same_map_keeps_its_revision_and_another_one_gets_the_next(tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    first = remember(path, b"one", b"lanes", AT_S)
    assert remember(path, b"one", b"lanes", AT_S + 5.0) == first
    second = remember(path, b"two", b"lanes", AT_S + 9.0)
    assert second.revision == first.revision + 1
    assert remember(path, b"one", b"lanes", AT_S + 12.0).revision == first.revision + 2


def test_vehicles_hear_of_a_new_map_for_ten_minutes_and_of_new_lanes_only_when_they_are(
    tmp_path: Path,
) -> None:
    path = tmp_path / "map.json"
    first = remember(path, b"one", b"lanes", AT_S)
    assert first.news(AT_S + 1.0) == (RECENT_MAP, RECENT_LANES)
    assert first.news(AT_S + RECENT_S) == ()
    moved = remember(path, b"two", b"lanes", AT_S + 5000.0)
    assert moved.news(AT_S + 5001.0) == (RECENT_MAP,)
    again = remember(path, b"two", b"lanes", AT_S + 5100.0)  # a restart is no news
    assert again.news(AT_S + 5000.0 + RECENT_S - 1.0) == (RECENT_MAP,)
    assert again.news(AT_S + 5000.0 + RECENT_S) == ()


def test_revisions_turn_over_at_128(tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    revisions = [remember(path, f"{n}".encode(), b"", AT_S).revision for n in range(130)]
    assert revisions == [(n + 1) % 128 for n in range(130)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"content": 1}',
        '{"content":"a","lanes":"b","revision":999,"content_utc_s":1,"lanes_utc_s":1}',
    ],
)
def test_a_file_that_cannot_be_read_counts_as_another_map(text: str, tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    path.write_text(text)
    assert remember(path, b"one", b"lanes", AT_S).revision == 1
    assert remember(path, b"two", b"lanes", AT_S).revision == 2


def test_a_folder_that_is_not_there_costs_the_memory_and_not_the_agent(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "map.json"
    assert remember(path, b"one", b"lanes", AT_S) == remember(None, b"one", b"lanes", AT_S)
