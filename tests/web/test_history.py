"""What the page remembers: changes of lamps, figures, events; bounded, and honest about silence."""

from __future__ import annotations

import copy
from typing import Any

from rsu_agent.web.history import EVENTS, FIGURES, LAMPS_S, PERIOD_S, UNHEARD, History
from tests.web.made_up import LIVE


def live(colour: str = "red", **more: Any) -> dict[str, Any]:
    state = copy.deepcopy(LIVE)
    state["signal"]["groups"] = [{"group": 1, "colour": colour, "end_in_s": None, "confidence": None}]
    return state | more


def test_changes_of_a_lamp_are_told_as_seconds_before_now() -> None:
    history = History()
    for at_s, colour in ((0.0, "red"), (4.0, "red"), (10.0, "green"), (12.5, "yellow")):
        history.take(live(colour), at_s)
    assert history.told(20.0)["lamps"] == {"1": [[20.0, "red"], [10.0, "green"], [7.5, "yellow"]]}


def test_what_was_not_heard_is_told_as_unheard() -> None:
    history = History()
    history.take(live("green"), 0.0)
    history.take(None, 3.0)
    old = live("green")
    old["signal"]["age_s"] = 1.5
    history.take(old, 4.0)
    history.take(live("red"), 6.0)
    assert history.told(10.0)["lamps"]["1"] == [[10.0, "green"], [7.0, UNHEARD], [4.0, "red"]]


def test_of_old_changes_only_the_one_that_still_shines_is_kept() -> None:
    history = History()
    for number in range(1000):
        history.take(live("red" if number % 2 else "green"), float(number))
    told = history.told(999.0)["lamps"]["1"]
    assert LAMPS_S <= told[0][0] <= LAMPS_S + 1


def test_figures_come_every_five_seconds_and_a_silent_agent_is_a_gap() -> None:
    history = History()
    for tenth in range(int(3 * PERIOD_S * 10)):
        at_s = tenth / 10
        state = live(radio={"sent": tenth, "failed": 0, "kinds": {}})
        history.take(None if PERIOD_S <= at_s < 2 * PERIOD_S else state, at_s)
    figures = history.told(3 * PERIOD_S)["figures"]
    assert figures["ago_s"] == [15.0, 10.0, 5.0]
    assert figures["users"] == [2, None, 2]
    assert figures["sent"] == [None, None, None], "no rate from before the silence"


def test_the_rate_is_that_between_two_figures_and_a_restart_is_no_negative_one() -> None:
    history = History()
    for at_s, sent in ((0.0, 100), (5.0, 150), (10.0, 3), (15.0, 53)):
        history.take(live(radio={"sent": sent, "failed": 0, "kinds": {}}), at_s)
    assert history.told(15.0)["figures"]["sent"] == [None, 10.0, None, 10.0]


def test_changes_of_state_are_events_and_nothing_else_is() -> None:
    history = History()
    history.take(live(), 0.0)
    history.take(live(), 1.0)
    history.take(live(spat={"valid": False, "reason": "stale", "voice": "", "sent": 1}), 2.0)
    events = history.told(5.0)["events"]
    assert [(e["what"], e["state"], e["reason"]) for e in events] == [
        ("agent", "ok", "ok"),
        ("SPAT", "ok", "ok"),
        ("controller", "ok", "ok"),
        ("north-camera", "lost", "frozen"),
        ("SPAT", "lost", "stale"),
    ]
    assert events[-1]["ago_s"] == 3.0


def test_a_week_of_it_is_bounded() -> None:
    history = History()
    for number in range(3 * FIGURES):
        valid = bool(number % 2)
        history.take(live(spat={"valid": valid, "reason": "x", "voice": "", "sent": 1}), number * PERIOD_S)
    told = history.told(3 * FIGURES * PERIOD_S)
    assert len(told["figures"]["ago_s"]) == FIGURES
    assert len(told["events"]) == EVENTS
