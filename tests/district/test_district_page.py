"""The district's page in a real Chromium over the real process: 143 sites, one click to a live crossing."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import msgpack
import paho.mqtt.client
import paho.mqtt.enums
import pytest
from websockets.sync.client import ClientConnection

from rsu_agent.district.sink import Batch, SiteState
from rsu_agent.district.store import SqliteSink
from tests.district.made import envelope, taken
from tests.district.receiving import district
from tests.district.stored import content, flow
from tests.web.browser import CHROMIUM, Tab, browser
from tests.web.made_up import until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (make tools)"),
]
ROWS = "document.querySelectorAll('#sites tr').length"
NAMES = "[...document.querySelectorAll('#sites tr')].map((r) => r.dataset.site)"
DOTS = "[...document.querySelectorAll('#map g.site')].map((g) => [g.dataset.site, g.getAttribute('class')])"


class Scene:
    """A browser looking at a district whose database the test fills."""

    def __init__(self, folder: Path, stack: ExitStack, window: ClientConnection) -> None:
        self.store = SqliteSink(folder / "district.sqlite")
        stack.callback(self.store.close)
        self.now_us = time.time_ns() // 1000  # a page looks at how old everything is
        self.store._commit(content(self.now_us), self.now_us)
        self._running = ExitStack()
        stack.callback(self._running.close)
        options = ("--live", "http://127.0.0.1:1/poles/{site}/")
        running = self._running.enter_context(district(folder, str(folder / "district.sqlite"), *options))
        self.url, self.port = running.api, running.port
        self.tab = Tab(window)
        stack.callback(self.tab.close)

    def look(self, *, width: int = 1280, dark: bool = False, language: str = "en-US", rows: int = 3) -> Tab:
        self.tab.look_like(width, 900, dark=dark, language=language)
        self.tab.open(self.url)
        self.tab.until(f"{ROWS} === {rows}")
        return self.tab

    def end(self) -> None:
        self._running.close()


@pytest.fixture(scope="module")
def window() -> Iterator[ClientConnection]:
    with browser() as started:
        yield started


@pytest.fixture
def scene(tmp_path: Path, window: ClientConnection) -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(tmp_path, stack, window)


def test_the_worst_sites_stand_first_with_what_is_wrong(scene: Scene) -> None:
    look = scene.look()
    assert look.read(NAMES) == ["site-2", "site-3", "site-1"]
    assert look.text("#counts") == "1 lost · 1 not told · 1 ok"
    row = "document.querySelector('#sites tr[data-site=\"site-3\"]')"
    assert look.read(f"[...{row}.cells].map((c) => [c.innerText, c.className])")[3] == ["6", "worry"], (
        "numbers that have not come"
    )
    assert "as of" in look.text("#age")


def test_every_site_is_on_the_map_in_its_colour_and_with_a_mark(scene: Scene) -> None:
    look = scene.look()
    assert dict(look.read(DOTS)) == {"site-1": "site ok", "site-2": "site lost", "site-3": "site unknown"}
    marks = "[...document.querySelectorAll('#map .mark')].map((m) => m.textContent)"
    assert sorted(look.read(marks)) == ["", "?", "✕"], "not by colour alone"


def test_one_click_opens_a_site_and_the_way_to_its_live_crossing(scene: Scene) -> None:
    look = scene.look()
    look.read("document.querySelector('#map g[data-site=\"site-2\"]').dispatchEvent(new MouseEvent('click'))")
    look.until("!document.querySelector('#detail').hidden")
    assert look.text("#name") == "site-2"
    assert look.text("#devices") == "camera · lost · frozen"
    assert look.text("#hazards") == "wrong way · against"
    assert look.read("document.querySelector('#live').href") == "http://127.0.0.1:1/poles/site-2/"
    assert look.read("location.hash") == "#site-2", "the address can be kept"
    look.read("document.querySelector('#sites tr[data-site=\"site-1\"] button').click()")
    look.until("document.querySelector('#name').innerText === 'site-1'")
    assert look.text("#flow").split() == ["3", "4", "–", "–"]


def test_a_picked_crossing_is_live_and_empty_again_when_its_word_no_longer_holds(scene: Scene) -> None:
    look = scene.look()
    look.read("document.querySelector('#sites tr[data-site=\"site-1\"] button').click()")
    look.until("document.querySelector('#live-now').innerText === 'Nothing is said of this moment.'")
    lights = "[...document.querySelectorAll('#live-lights li')].map((l) => [l.innerText, l.className])"
    pole = paho.mqtt.client.Client(paho.mqtt.enums.CallbackAPIVersion.VERSION2)
    pole.connect("127.0.0.1", scene.port)
    pole.loop_start()
    try:

        def seen() -> list[list[str]]:
            now_us = time.time_ns() // 1000
            told = {"t": now_us, "u": now_us + 1_500_000, "q": 1, "m": "csae53"}
            ends = {"e": None, "lo": now_us + 5_400_000, "hi": now_us + 9_400_000}
            spat = told | {"node": 1, "rg": None, "st": 0, "ph": [{"p": 3, "l": 5, "c": "green", **ends}]}
            car = {"i": 1, "c": "car", "lat": 22.7, "lon": 114.3, "v": 3.0, "hd": 90.0, "ln": 4.5, "wd": 1.8}
            pole.publish("rsu/1/pingshan/site-1/live/spat", msgpack.packb(spat))
            pole.publish("rsu/1/pingshan/site-1/live/objs", msgpack.packb(told | {"ob": [car]}))
            return list(look.read(lights))

        [[words, style]] = until(seen)
        assert words.startswith("3 · green · ")
        assert words[-1] == "s"
        assert style == "light green"
        look.until("document.querySelectorAll('#live-plan rect.car').length === 1")
    finally:
        pole.loop_stop()
        pole.disconnect()
    look.until("document.querySelector('#live-now').innerText === 'Nothing is said of this moment.'")
    assert look.read(lights) == []


def test_the_map_is_enlarged_and_made_whole_again(scene: Scene) -> None:
    look = scene.look()
    before = look.read(DOTS)
    for _ in range(6):
        look.read("document.querySelector('[data-zoom=in]').click()")
    assert len(look.read(DOTS)) < len(before)
    look.read("document.querySelector('[data-zoom=all]').click()")
    assert look.read(DOTS) == before


def test_a_hazard_comes_by_itself(scene: Scene) -> None:
    look = scene.look()
    look.until("document.querySelector('#news').innerText.includes('site-2')")
    record = {"k": "event", "t": scene.now_us, "i": "h9", "h": "stopped_vehicle", "s": "on"}
    scene.store.commit([envelope(50, record, site="site-1", lane="hi")], scene.now_us + 1)
    look.until("document.querySelector('#news').innerText.includes('stopped vehicle · found')")


def test_a_server_that_goes_is_told_and_everything_is_greyed(scene: Scene) -> None:
    look = scene.look()
    assert look.read("document.querySelector('#alarm').hidden")
    scene.end()
    look.until("!document.querySelector('#alarm').hidden")
    assert "does not answer" in look.text("#alarm")
    assert "Nothing below is the present" in look.text("#alarm")
    assert look.read(
        "[...document.querySelectorAll('main section')].every((s) => s.classList.contains('past'))"
    )


def test_a_whole_district_fits_and_is_searched(scene: Scene) -> None:
    states = [
        SiteState(
            "pingshan",
            f"crossing-{n:03}",
            {"on": 1, "lat": 22.605 + n % 12 / 100, "lon": 114.3 + n // 12 / 100},
        )
        for n in range(140)
    ]
    poles = [taken(envelope(1, flow(1), site=state.site)) for state in states]
    scene.store._commit(Batch(poles, [], states), scene.now_us)
    look = scene.look(rows=143)
    assert len(look.read(DOTS)) == 143
    apart = (
        "(() => { const c = [...document.querySelectorAll('#map circle')].map((e) => [+e.getAttribute('cx'), "
        "+e.getAttribute('cy')]); return Math.min(...c.flatMap((a, i) => c.slice(i + 1).map((b) => "
        "Math.hypot(a[0] - b[0], a[1] - b[1])))); })()"
    )
    assert look.read(apart) > 9, "no two dots hide each other"
    look.read("document.querySelector('#search').value = '-07'")
    look.read("document.querySelector('#search').dispatchEvent(new Event('input'))")
    assert look.read(ROWS) == 10
    assert len(look.read(DOTS)) == 143, "the map stays whole"


def test_names_of_sites_are_text_and_nothing_else(scene: Scene) -> None:
    bad = '<img src=x onerror="document.title=1">'
    scene.store.commit([envelope(1, site=bad)], scene.now_us)
    look = scene.look(rows=4)
    named = f"(r) => r.dataset.site === {json.dumps(bad)}"
    look.read(f"[...document.querySelectorAll('#sites tr')].find({named}).click()")
    look.until(f"document.querySelector('#name').innerText === {json.dumps(bad)}")
    assert look.read("document.querySelectorAll('img').length") == 0
    assert look.read("document.title") == "rsu district"


def test_nothing_is_asked_of_another_host_and_the_console_stays_silent(scene: Scene) -> None:
    look = scene.look()
    look.read("document.querySelector('#sites button').click()")
    look.until("!document.querySelector('#detail').hidden")
    assert {urlsplit(url).netloc for url in look.requests()} == {urlsplit(scene.url).netloc}
    assert look.complaints() == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_fits_a_phone_and_follows_the_preferred_light(scene: Scene, dark: bool) -> None:
    look = scene.look(width=390, dark=dark)
    look.read("document.querySelector('#sites button').click()")
    look.until("!document.querySelector('#detail').hidden")
    assert look.read("document.documentElement.scrollWidth <= 390")
    back = look.read("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (sum(back) < 200) is dark


def test_the_page_speaks_the_browsers_language_and_changes_it_at_a_touch(scene: Scene) -> None:
    look = scene.look(language="zh-CN")
    assert look.text("#counts") == "1 失联 · 1 未上报 · 1 正常"
    assert look.text("h1") == "区级平台"
    look.read("document.querySelector('#language').click()")
    until(lambda: look.text("#counts") == "1 lost · 1 not told · 1 ok")
    assert look.text("h1") == "District"


def test_every_english_word_has_a_chinese_one(scene: Scene) -> None:
    look = scene.look()
    missing = look.read(
        "import('/static/district_words.js').then(({ WORDS_OF: w }) => "
        "Object.keys(w.en).filter((key) => !(key in w.zh)))"
    )
    assert missing == []
