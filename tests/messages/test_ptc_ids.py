"""ptcId: the least recently used first, none again within 30 s (field-rules 5.2), against a plain model."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.messages.csae53.rsm import IDS, REUSE_S, PtcIds


class Plain:
    """The rule, spelt out."""

    def __init__(self) -> None:
        self.of_track: dict[int, int] = {}
        self.used_s = dict.fromkeys(IDS, -math.inf)

    def of(self, track: int, now_s: float) -> int | None:
        if track not in self.of_track:
            oldest_s = min(self.used_s.values())
            if now_s - oldest_s < REUSE_S:
                return None
            number = next(n for n in self.order if self.used_s[n] == oldest_s)
            self.of_track = {t: n for t, n in self.of_track.items() if n != number}
            self.of_track[track] = number
        number = self.of_track[track]
        self.used_s[number] = now_s
        self.order.remove(number)
        self.order.append(number)
        return number

    order: list[int]


steps = st.lists(
    st.tuples(st.integers(1, 400), st.sampled_from([0.0, 0.1, 5.0, 31.0])), min_size=1, max_size=600
)


@given(steps)
def test_numbers_are_given_as_the_plain_rule_gives_them(asked: list[tuple[int, float]]) -> None:
    ids, plain, now_s = PtcIds(), Plain(), 100.0
    plain.order = list(IDS)
    for track, later_s in asked:
        now_s += later_s
        assert ids.of(track, now_s) == plain.of(track, now_s)


@given(st.lists(st.integers(1, 300), min_size=1, max_size=300))
def test_two_tracks_of_one_instant_never_share_a_number(tracks: list[int]) -> None:
    ids = PtcIds()
    given_ids = {track: ids.of(track, 50.0) for track in tracks}
    numbers = [number for number in given_ids.values() if number is not None]
    assert len(numbers) == len(set(numbers))
    assert set(numbers) <= set(IDS)
