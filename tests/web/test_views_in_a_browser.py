"""Each view of the page in a real Chromium: content, boxes at two widths, keys, languages, a login."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection

from rsu_agent.web.accounts import Accounts
from rsu_agent.web.page import STATIC
from tests.web.browser import CHROMIUM, Tab, browser
from tests.web.made_up import MadeUpAgent, agent_at, page_over

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (make tools)"),
]
VIEWS = ("now", "signals", "senses", "messages", "uplink", "health", "config", "log")
MOST_BYTES = 250_000
PASSWORD = "on a ladder"
# What of a view must be seen: on each the panes in their order, and how many canvases and charts.
SHAPE = """(() => { const view = [...document.querySelectorAll('[data-view]')].find((v) => !v.hidden);
  const seen = (e) => { const r = e.getBoundingClientRect(); return r.width > 8 && r.height > 8; };
  const names = [...view.querySelectorAll('section > h2 > span:first-child')];
  return { panes: names.filter(seen).map((e) => e.innerText),
    canvases: [...view.querySelectorAll('canvas')].filter(seen).length }; })()"""
BOXES = """(() => { const view = [...document.querySelectorAll('[data-view]')].find((v) => !v.hidden);
  return [...view.querySelectorAll('.pane')].filter((e) => !e.hidden).map((e) => e.getBoundingClientRect())
    .map((r) => [r.left, r.top, r.right, r.bottom]); })()"""
SHAPES: dict[str, dict[str, Any]] = {
    "signals": {"panes": ["Ring", "Time", "Ends"], "canvases": 2},
    "senses": {"panes": ["north-camera", "north-radar"], "canvases": 2},
    "messages": {"panes": ["SPAT"], "canvases": 0},
    "uplink": {"panes": ["District", "Waiting, last hour"], "canvases": 1},
    "health": {
        "panes": ["Devices", "What changed", "SPAT valid (1) or not (0)", "Age of the lamps, s", "Road users",
                  "Messages sent a second", "Clock's bound, ms"],
        "canvases": 5,
    },
    "config": {"panes": ["A change that waits", "History", "Site file", "Calibration"], "canvases": 0},
    "log": {"panes": ["Log of the agent"], "canvases": 0},
}  # fmt: skip


class Look:
    """A tab at the page over a made-up agent."""

    def __init__(self, folder: Path, stack: ExitStack, window: ClientConnection) -> None:
        self.agent, self.folder = MadeUpAgent(), folder
        self.accounts = Accounts(folder / "page-state")
        self._there = ExitStack()
        self._there.enter_context(agent_at(folder / "ctl.sock", self.agent))
        stack.callback(self.end_agent)
        self.url = stack.enter_context(page_over(folder / "ctl.sock", folder))
        self.tab = Tab(window)
        stack.callback(self.tab.close)

    def end_agent(self) -> None:
        self._there.close()

    def at(self, view: str, *, width: int = 1366, dark: bool = False, language: str = "en-US") -> Tab:
        self.tab.look_like(width, 768, dark=dark, language=language)
        self.tab.open(self.url + "#" + view)
        self.tab.until(f"document.body?.dataset.shown === '{view}'")
        self.tab.until("document.querySelector('#name').innerText === 'made-up-7'")
        return self.tab


@pytest.fixture(scope="module")
def window() -> Iterator[ClientConnection]:
    with browser() as started:
        yield started


@pytest.fixture
def look(tmp_path: Path, window: ClientConnection) -> Iterator[Look]:
    with ExitStack() as stack:
        yield Look(tmp_path, stack, window)


def share(picture: str, colour: str) -> str:
    """JavaScript: how many pixels of a canvas have a colour (#rrggbb)."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"""(() => {{ const c = document.querySelector('{picture}'); const p = c.getContext('2d')
      .getImageData(0, 0, c.width, c.height).data; let n = 0; for (let i = 0; i < p.length; i += 4)
      n += p[i] === {red} && p[i + 1] === {green} && p[i + 2] === {blue} && p[i + 3] === 255;
      return n; }})()"""


@pytest.mark.parametrize("view", SHAPES)
def test_each_view_has_its_panes_and_says_how_old_they_are(look: Look, view: str) -> None:
    tab = look.at(view)
    tab.until(f"JSON.stringify({SHAPE}) === {json.dumps(json.dumps(SHAPES[view], separators=(',', ':')))}")
    fresh = "[...document.querySelectorAll(`[data-view=%s] .pane > h2 > .age`)].filter((e) => e.innerText)"
    tab.until(f"{fresh % view}.every((e) => / s old$/.test(e.innerText))")
    assert tab.complaints() == []


@pytest.mark.parametrize("width", [360, 1366])
@pytest.mark.parametrize("view", VIEWS)
def test_nothing_lies_outside_or_over_something_else(look: Look, view: str, width: int) -> None:
    tab = look.at(view, width=width)
    if view in SHAPES:
        tab.until(f"{SHAPE}.panes.length === {len(SHAPES[view]['panes'])}")
    assert tab.read("document.documentElement.scrollWidth") <= width
    boxes = tab.read(BOXES)
    for left, _, right, _ in boxes:
        assert 0 <= left < right <= width
    for number, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[number + 1 :]:
            apart = (
                right <= other[0] + 1 or other[2] <= left + 1 or bottom <= other[1] + 1 or other[3] <= top + 1
            )
            assert apart, (view, boxes)


def test_the_time_diagram_shows_what_was_heard_and_what_is_expected(look: Look) -> None:
    tab = look.at("signals")
    tab.until(share(".diagram", "#d64545") + " > 0")
    tab.until(share(".ring", "#2fb36d") + " > 100")
    assert tab.text(".times").splitlines()[0].split()[0] == "1"
    look.agent.state["signal"]["groups"][0]["colour"] = "yellow"
    tab.until(share(".diagram", "#e6b32e") + " > 0")
    assert tab.read(share(".diagram", "#d64545")) > 0, "the red before it is still seen"
    look.agent.grows_old_from = time.monotonic()
    tab.until("document.querySelector('.signals .pane.past') !== null")
    tab.until("[...document.querySelectorAll('.times td:nth-child(4)')].every((e) => e.innerText === '–')")


def test_cameras_are_boxes_and_radars_are_returns_and_old_ones_are_not_drawn(look: Look) -> None:
    tab = look.at("senses")
    bus = share(".senses .pane:nth-child(1) canvas", "#ef8440")
    tab.until(bus + " > 50")
    tab.until(share(".senses .pane:nth-child(2) canvas", "#e8556d") + " > 3")
    assert tab.read("document.querySelectorAll('.senses img, .senses video').length") == 0
    look.agent.looks = json.loads(json.dumps(look.agent.looks))
    look.agent.looks["looks"]["north-camera"]["age_s"] = 7.0
    tab.until(bus + " === 0")
    assert tab.read("document.querySelector('.senses .pane').classList.contains('past')")


def test_the_bytes_of_a_message_stand_beside_what_they_mean(look: Look) -> None:
    tab = look.at("messages")
    tab.until("document.querySelector('.bytes')?.innerText.startsWith('0000  21 80')")
    assert json.loads(tab.text(".tree")) == {"msgCnt": 1}


def test_the_backlog_is_told_with_its_history(look: Look) -> None:
    tab = look.at("uplink")
    tab.until("document.querySelector('#uplink-now').innerText.includes('7')")
    tab.until("document.querySelector('.uplink .u-over') !== null")
    look.agent.state["uplink"] = None
    tab.until("document.querySelector('#uplink-now').innerText.includes('not reported')")


def test_the_difference_is_shown_without_secrets_and_a_technician_takes_it_back(look: Look) -> None:
    look.accounts.add("li", PASSWORD, "technician")
    tab = look.at("config")
    tab.until("document.querySelector('.diff .added')?.innerText.includes('site: new')")
    assert "very-secret" not in tab.text(".config")
    assert tab.text(".countdown").startswith("Generation 2 waits. Back to 1 in ")
    assert tab.read("[...document.querySelectorAll('[data-order]')].every((b) => b.disabled)")
    tab.read("document.querySelector('#who').click()")
    for name, value in (("name", "li"), ("password", PASSWORD)):
        tab.read(f"document.querySelector('#login [name={name}]').value = {json.dumps(value)}")
    tab.read("document.querySelector('#login [type=submit]').click()")
    tab.until("!document.querySelector('#login').open")
    tab.until("!document.querySelector('[data-order=rollback]').disabled")
    tab.read("document.querySelector('[data-order=rollback]').click()")
    tab.until("document.querySelector('.countdown').innerText === 'Nothing waits.'")
    assert look.agent.started_again.is_set()
    assert (look.folder / "site.yaml").read_text() == "site: old\n"


def test_a_wrong_password_is_told_and_leaves_the_form_open(look: Look) -> None:
    look.accounts.add("li", PASSWORD, "technician")
    tab = look.at("now")
    tab.until("!document.querySelector('#who').hidden")
    tab.read("document.querySelector('#who').click()")
    tab.read("document.querySelector('#login [name=name]').value = 'li'")
    tab.read("document.querySelector('#login [name=password]').value = 'guessed'")
    tab.read("document.querySelector('#login [type=submit]').click()")
    tab.until("document.querySelector('#login-told').innerText.includes('wrong')")
    assert tab.read("document.querySelector('#login [name=password]').value") == ""


def test_the_log_is_shown_and_chosen_by_level(look: Look) -> None:
    tab = look.at("log")
    tab.until("document.querySelector('.lines .warning')?.innerText.includes('lamps late')")
    tab.read("""(() => { const s = document.querySelector('.log select'); s.value = 'error';
      s.dispatchEvent(new Event('change')); })()""")
    tab.until("document.querySelector('.lines').children.length === 0")


def test_number_keys_change_the_view_and_the_focus_is_seen(look: Look) -> None:
    tab = look.at("now")
    for number, view in enumerate(VIEWS, 1):
        tab.call("Input.dispatchKeyEvent", type="keyDown", key=str(number), text=str(number))
        tab.until(f"document.body.dataset.shown === '{view}'")
    assert tab.read("document.querySelector('nav [aria-current]').hash") == "#log"
    tab.call("Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9)
    tab.until("document.activeElement !== document.body")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert tab.read(outline) == "solid"


def test_every_control_and_picture_has_a_name(look: Look) -> None:
    for view in VIEWS:
        tab = look.at(view)
        tab.until(
            "[...document.querySelectorAll('button, a, input, select, canvas[role]')]"
            ".filter((e) => e.offsetParent)"
            ".every((e) => e.innerText || e.getAttribute('aria-label') || e.labels?.length)"
        )


def test_the_lights_button_overrules_the_preference_and_is_remembered(look: Look) -> None:
    tab = look.at("now", dark=True)
    back = (
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number).reduce((a, b) => a + b)"
    )
    assert tab.read(back) < 200
    tab.read("document.querySelector('#theme').click()")
    tab.until(back + " > 600")
    tab = look.at("health", dark=True)
    tab.until(back + " > 600")


def test_both_tables_of_words_have_the_same_keys(look: Look) -> None:
    tab = look.at("now", language="zh-CN")
    assert tab.read("import('/static/words.js').then((w) => w.lacking())") == []
    for view in VIEWS:
        tab = look.at(view, language="zh-CN")
        words = tab.read(
            "[...document.querySelectorAll('h2 > span, nav span, button')].map((e) => e.innerText)"
        )
        english = [word for word in words if word and word.isascii() and word not in ("English", "SPAT", "2")]
        assert [word for word in english if not word.startswith("north-")] == [], view


def test_what_is_old_is_grey_on_every_view_when_the_agent_goes(look: Look) -> None:
    tab = look.at("health")
    tab.until(f"{SHAPE}.canvases === 5")
    look.end_agent()
    tab.until("document.querySelectorAll('.health .pane.past').length === 7")
    assert tab.read("getComputedStyle(document.querySelector('.health .pane.past table')).opacity") == "0.45"


def test_the_page_is_small() -> None:
    assert sum(path.stat().st_size for path in STATIC.rglob("*") if path.is_file()) <= MOST_BYTES
