"""The page in a real Chromium, over the real web process and the product's own control socket."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.sync.client import ClientConnection

from rsu_agent.outlets.guard_table import CAUSES
from tests.web.browser import CHROMIUM, Tab, browser
from tests.web.made_up import MadeUpAgent, agent_at, page_over, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (make tools)"),
]
DRAWN = """(() => { const c = document.getElementById('crossing'); const p = c.getContext('2d')
  .getImageData(0, 0, c.width, c.height).data; const seen = new Map();
  for (let i = 0; i < p.length; i += 4) { const k = p[i] << 16 | p[i+1] << 8 | p[i+2];
    seen.set(k, (seen.get(k) ?? 0) + 1); }
  return Object.fromEntries(seen); })()"""
VIEWS = ("now", "signals", "senses", "messages", "uplink", "health", "config", "log")
LOST = ("missing", "permission", "busy", "silent", "garbled", "closed", "refused", "timeout", "version")
BUS, GREEN, RED = 0xEF8440, 0x2FB36D, 0xD64545
FRESH = "document.querySelectorAll('.lamp').length === 3 && !document.querySelector('.grid.old')"


class Scene:
    """A browser looking at a page over an agent that can be ended."""

    def __init__(self, folder: Path, stack: ExitStack, window: ClientConnection) -> None:
        self.control = folder / "ctl.sock"
        self.agent = MadeUpAgent()
        self._there = ExitStack()
        self.start_agent()
        self._page = ExitStack()
        stack.callback(self._page.close)
        stack.callback(self.end_agent)
        self.url = self._page.enter_context(page_over(self.control, folder))
        self.tab = Tab(window)
        stack.callback(self.tab.close)

    def start_agent(self) -> None:
        self._there.enter_context(agent_at(self.control, self.agent))

    def end_agent(self) -> None:
        self._there.close()

    def end_page(self) -> None:
        self._page.close()

    def look(self, *, width: int = 1280, dark: bool = False, language: str = "en-US") -> Tab:
        self.tab.look_like(width, 900, dark=dark, language=language)
        self.tab.open(self.url)
        self.tab.until(FRESH)
        return self.tab

    def colours(self) -> dict[int, int]:
        return {int(colour): count for colour, count in self.tab.read(DRAWN).items()}


@pytest.fixture(scope="module")
def window() -> Iterator[ClientConnection]:
    with browser() as started:
        yield started


@pytest.fixture
def scene(tmp_path: Path, window: ClientConnection) -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(tmp_path, stack, window)


def test_the_crossing_is_drawn_with_its_lamps_and_its_road_users(scene: Scene) -> None:
    scene.look()
    until(lambda: {BUS, GREEN, RED} <= scene.colours().keys())
    scene.agent.state["users"] = []
    until(lambda: BUS not in scene.colours(), seconds=20)
    scene.agent.state["signal"]["groups"][1]["colour"] = "red"
    until(lambda: GREEN not in scene.colours(), seconds=20)


def test_lamps_countdowns_tracks_hazards_and_devices_are_told_in_words(scene: Scene) -> None:
    look = scene.look()
    lamps = look.read(
        "[...document.querySelectorAll('.lamp')].map((l) => l.innerText.replaceAll('\\n', ' '))"
    )
    assert lamps[0].startswith("1 33.")
    assert "red" in lamps[0]
    assert lamps[1].startswith("2 12.")
    assert "green" in lamps[1]
    assert lamps[2].split()[:2] == ["3", "–"], "a group without an announced end shows no number"
    assert "green flash" in lamps[2]
    assert [row.split("\t") for row in look.text("#tracks").splitlines()] == [
        ["41", "bus", "36"],
        ["42", "pedestrian", "4"],
    ]
    assert look.text("#hazards") == "wrong way · for 4 s"
    assert look.text("#devices").splitlines() == ["controller · ok", "north-camera · frozen · no new picture"]
    assert look.text("#air") == "on air"
    assert look.text("#name") == "made-up-7"
    assert look.text("#uplink").split() == ["connected", "yes", "waiting", "7", "acknowledged", "93"]


def test_silence_of_the_controller_greys_the_lamps_and_blanks_their_countdowns(scene: Scene) -> None:
    look = scene.look()
    until(lambda: GREEN in scene.colours())
    scene.agent.grows_old_from = time.monotonic()
    look.until("document.querySelector('.grid.old') !== null")
    assert float(look.text("#age").split()[1]) >= 1.0, "told to a tenth"
    assert look.read("[...document.querySelectorAll('.lamp .left')].every((l) => l.textContent === '–')")
    until(lambda: not {GREEN, RED} & scene.colours().keys(), seconds=20)
    assert look.read("document.querySelector('#alarm').hidden"), "the agent itself still answers"
    scene.agent.grows_old_from = None
    look.until(FRESH)


def test_a_doubt_is_told_with_its_reason(scene: Scene) -> None:
    look = scene.look()
    scene.agent.state["spat"] |= {"valid": False, "reason": "lamp_age"}
    look.until("document.querySelector('#air').innerText === 'unavailable: lamp age'")
    assert look.read("document.querySelector('#air').className") == "state silent"


def test_an_agent_that_goes_is_told_and_its_return_is_seen(scene: Scene) -> None:
    look = scene.look()
    scene.end_agent()
    look.until("!document.querySelector('#alarm').hidden")
    assert "the agent does not answer" in look.text("#alarm")
    assert "last heard" in look.text("#alarm")
    look.until("document.querySelector('.grid.old') !== null")
    until(lambda: not {BUS, GREEN, RED} & scene.colours().keys(), seconds=20)
    scene.agent.state["site"] = "made-up-8"
    scene.start_agent()
    look.until(FRESH + " && document.querySelector('#name').innerText === 'made-up-8'")
    assert look.read("document.querySelector('#alarm').hidden")


def test_a_page_whose_server_goes_says_so(scene: Scene) -> None:
    look = scene.look()
    scene.end_page()
    look.until("!document.querySelector('#alarm').hidden")
    assert "the page's own server does not answer" in look.text("#alarm")


def test_nothing_is_asked_of_another_host_and_the_console_stays_silent(scene: Scene) -> None:
    look = scene.look()
    for name in VIEWS:
        look.read(f"location.hash = '{name}'")
        look.until(f"document.body.dataset.shown === '{name}'")
    look.read("location.hash = 'messages'")
    look.until("document.querySelector('.messages .bytes')?.innerText.includes('21 80')")
    assert {urlsplit(url).netloc for url in look.requests()} == {urlsplit(scene.url).netloc}
    assert look.complaints() == []


def test_the_policy_keeps_the_page_from_reaching_outside(scene: Scene) -> None:
    look = scene.look()
    refused = "fetch('http://127.0.0.2:9/').then(() => 'reached', (error) => error.name)"
    assert look.read(refused) == "TypeError"
    until(lambda: (look.read("1"), [c for c in look.complaints() if "Content Security Policy" in str(c)])[1])


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_fits_a_phone_and_follows_the_preferred_light(scene: Scene, dark: bool) -> None:
    look = scene.look(width=390, dark=dark)
    assert look.read("document.documentElement.scrollWidth <= 390")
    back = look.read("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (sum(back) < 200) is dark
    ground = 0x0D1013 if dark else 0xF8F9FA
    until(lambda: scene.colours().get(ground, 0) > 10_000)


def test_the_page_speaks_the_browsers_language_and_changes_it_at_a_touch(scene: Scene) -> None:
    look = scene.look(language="zh-CN")
    assert look.text("#air") == "正在播发"
    assert "公交车" in look.text("#tracks")
    assert look.text("#devices").startswith("controller · 正常")
    assert look.read("document.documentElement.lang") == "zh-CN"
    look.read("document.querySelector('#language').click()")
    look.until("document.querySelector('#air').innerText === 'on air'")
    look.open(scene.url)
    look.until(FRESH + " && document.querySelector('#air').innerText === 'on air'")  # it is remembered


def test_every_english_word_of_the_page_has_a_chinese_one(scene: Scene) -> None:
    look = scene.look(language="zh-CN")
    english = look.read(
        "import('/static/words.js').then((w) => [...document.querySelectorAll('[data-words]')]"
        ".map((e) => e.innerText).filter((t) => /^[a-z ]+$/i.test(t) && t !== 'km/h'))"
    )
    assert english == []


def test_every_reason_of_the_guard_and_of_a_lost_device_is_told_in_chinese(scene: Scene) -> None:
    look = scene.look(language="zh-CN")
    reasons = {*CAUSES, "opening", *LOST}
    told = look.read(f"import('/static/words.js').then((w) => {sorted(reasons)}.map(w.tell))")
    assert [word for word in told if word.isascii()] == []
    scene.agent.state["spat"] |= {"valid": False, "reason": "stale"}
    look.until("document.getElementById('air').textContent === '不可用：灯态过期'")


def test_a_repeater_that_leads_nowhere_stands_for_the_arm_that_it_faces(scene: Scene) -> None:
    scene.agent.state["signal"]["groups"][2]["group"] = 24
    look = scene.look()
    look.until("[...document.querySelectorAll('.lamp')].some((l) => /^24.*E ○/.test(l.textContent))")
