"""The page of the signal heads: its answers, what it writes, and a box drawn with a real Chromium's mouse."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import cv2
import httpx
import numpy as np
import pytest
from starlette.applications import Starlette
from websockets.sync.client import ClientConnection

from rsu_agent.ports.assets import asset
from rsu_agent.ports.declare import Declared
from rsu_agent.ports.devices import Frame
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime.still_taken import detector_of
from rsu_agent.settings import model as settings_model
from rsu_agent.settings.read import read_site
from rsu_agent.web.calibrate_heads import REOPEN_S, Still, calibrate_app, follow, read_still
from tests.perception.lamp_pictures import BOXES, GROUPS, virtual
from tests.web.browser import CHROMIUM, Tab, browser
from tests.web.made_up import served as serving

LAMPS = {group: ("red", "green", "yellow")[n % 3] for n, group in enumerate(GROUPS)}
CAMERA = "south-west"
HEADS = "document.querySelectorAll('#heads li')"
FITS = """(() => { const c = document.getElementById('still'), r = c.getBoundingClientRect();
  const k = Math.min(c.clientWidth / 640, c.clientHeight / 384);
  const x = r.x + c.clientLeft, y = r.y + c.clientTop;
  return [k, x + (c.clientWidth - 640 * k) / 2, y + (c.clientHeight - 384 * k) / 2]; })()"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A copy of the virtual site that may be written."""
    (tmp_path / "crossings").mkdir()
    shutil.copy(asset("config/crossings/virtual.geojson"), tmp_path / "crossings" / "virtual.geojson")
    return Path(shutil.copy(asset("config/virtual.yaml"), tmp_path / "site.yaml"))


@pytest.fixture
def still(tmp_path: Path) -> Path:
    path = tmp_path / "still.png"
    cv2.imwrite(str(path), virtual(LAMPS, 0.0, 1))
    return path


@contextmanager
def asking(app: Starlette, folder: Path) -> Iterator[httpx.Client]:
    """A client of the page, over a socket of its own."""
    path = folder / "page.sock"
    with (
        serving(app, path),
        httpx.Client(
            transport=httpx.HTTPTransport(uds=str(path)), base_url="http://127.0.0.1", timeout=60
        ) as client,
    ):
        yield client


@pytest.fixture
def page(site: Path, still: Path, tmp_path: Path) -> Iterator[httpx.Client]:
    lens = read_site(site).settings.cameras[0].lens
    with asking(calibrate_app(site, CAMERA, read_still(still, lens)), tmp_path) as client:
        yield client


def head(group: int, *box: int, layout: str = "vertical") -> dict[str, Any]:
    return {"group": group, "box": list(box), "layout": layout}


def of_file(site: Path) -> list[dict[str, Any]]:
    return [each.model_dump() for each in read_site(site).settings.cameras[0].heads]


def test_the_page_is_told_camera_groups_and_the_heads_of_the_file(page: httpx.Client, site: Path) -> None:
    told = page.get("/api/state").json()
    assert (told["camera"], told["lens"], told["picture"], told["live"]) == (
        CAMERA,
        [640, 384],
        [640, 384],
        False,
    )
    assert {"group": 24, "phase": 2} in told["groups"]
    assert told["heads"] == of_file(site)


def test_the_still_comes_as_it_was_taken(page: httpx.Client) -> None:
    answer = page.get("/api/still")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert np.array_equal(cv2.imdecode(np.frombuffer(answer.content, np.uint8), 1), virtual(LAMPS, 0.0, 1))


def test_each_box_is_read_and_one_that_cannot_be_says_why(page: httpx.Client) -> None:
    heads = [head(b.group, b.left_px, b.top_px, b.width_px, b.height_px) for b in BOXES]
    seen = page.post(
        "/api/read", json={"heads": [*heads, head(1, 5, 5, 5, 2), head(1, 300, 300, 6, 14)]}
    ).json()["seen"]
    assert [each["colour"] for each in seen[:-2]] == list(LAMPS.values())
    assert seen[-2] == {"colour": "unknown", "fault": "a box of 5x2 px is too small for lamps to be read"}
    assert seen[-1] == {"colour": "unknown", "fault": None}
    assert page.post("/api/read", json={"heads": []}).json()["seen"] == []


def test_saving_changes_the_lines_of_the_heads_and_no_other(page: httpx.Client, site: Path) -> None:
    before, wanted = (
        site.read_text(),
        [head(4, 522, 123, 5, 15), head(9, 10, 20, 40, 14, layout="horizontal")],
    )
    assert page.put("/api/heads", json={"heads": wanted}).json() == {"saved": 2}
    assert of_file(site) == wanted
    after = site.read_text().splitlines()
    assert "      - {group: 9, box: [10, 20, 40, 14], layout: horizontal}" in after
    gone = [line for line in before.splitlines() if line not in after]
    assert all("box: [" in line for line in gone)
    assert len(gone) == 11
    assert not list(site.parent.glob(".*.new"))


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (head(99, 10, 10, 10, 30), "lamp group 99 stands in no phase"),
        (head(4, 630, 10, 20, 60), "reaches beyond the picture of 640x384 px"),
        (head(4, 10, 10, 2, 5), "too small"),
        ({"group": 4}, "Field required"),
        ("4", "dictionary"),
    ],
)
def test_what_the_site_file_cannot_hold_is_refused_and_the_file_stays(
    page: httpx.Client, site: Path, wrong: Any, reason: str
) -> None:
    before = site.read_bytes()
    answer = page.put("/api/heads", json={"heads": [wrong]})
    assert answer.status_code == 422
    assert reason in answer.json()["faults"][0]["reason"]
    assert site.read_bytes() == before


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"heads": 3}', b'{"heads": [' + b"1," * 70 + b"1]}", b" " * 70_000]
)
def test_a_body_that_no_page_sends_is_refused(page: httpx.Client, site: Path, body: bytes) -> None:
    before = site.read_bytes()
    as_json = {"content-type": "application/json"}
    assert page.put("/api/heads", content=body, headers=as_json).status_code == 400
    assert page.post("/api/read", content=body, headers=as_json).status_code == 400
    assert site.read_bytes() == before


def test_a_page_of_elsewhere_neither_reads_nor_writes(page: httpx.Client, site: Path) -> None:
    before = site.read_bytes()
    assert page.get("/api/state", headers={"host": "evil.example"}).status_code == 400
    form = {"content-type": "text/plain"}  # what another page may send without being asked
    assert page.put("/api/heads", content=b'{"heads": []}', headers=form).status_code == 400
    assert site.read_bytes() == before


def test_a_file_that_cannot_be_written_is_told(
    page: httpx.Client, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    before = site.read_bytes()
    answer = page.put("/api/heads", json={"heads": []})
    assert (answer.status_code, answer.json()["faults"][0]["reason"]) == (500, "No space left on device")
    assert site.read_bytes() == before


def test_a_camera_without_a_picture_is_told_with_its_trouble(site: Path, tmp_path: Path) -> None:
    app = calibrate_app(site, CAMERA, Still(live=True, trouble="refused: 127.0.0.1:9"))
    with asking(app, tmp_path) as page:
        assert page.get("/api/still").status_code == 503
        answer = page.post("/api/read", json={"heads": []})
    assert (answer.status_code, answer.json()["trouble"]) == (503, "refused: 127.0.0.1:9")


@pytest.mark.anyio
async def test_the_newest_still_of_the_camera_is_kept_through_its_losses(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = read_site(site)
    section, clock, still = read.settings.cameras[0], FakeClock(), Still(live=True)
    detector, opened = detector_of(read), 0

    @asynccontextmanager
    async def camera(_settings: Any, _clock: Any) -> AsyncIterator[AsyncIterator[Frame]]:
        nonlocal opened
        opened += 1
        if opened == 1:
            raise DeviceLost("refused", "nobody is there", "switch it on")

        async def frames() -> AsyncIterator[Frame]:
            for number in range(40 if opened == 2 else 3):
                yield Frame(number, number * 0.35, number * 0.35, virtual(LAMPS, 0.0, number))
            raise DeviceLost("silent", "no picture for 3 s", "")

        yield frames()

    plugin = Plugin("mjpeg_http", Kind.CAMERA, Declared, camera)
    monkeypatch.setattr(settings_model, "plugins", lambda: {"mjpeg_http": plugin})
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follow, still, section, detector, clock)
        await until(lambda: still.trouble == "refused: nobody is there")
        assert (still.image, still.seen) == (None, None)
        await clock.advance(REOPEN_S)
        await until(lambda: still.trouble == "silent: no picture for 3 s")
        assert still.number == 1
        assert still.image is not None
        made, newest = still.image, still.seen
        assert newest is not made
        await clock.advance(REOPEN_S)
        await until(lambda: still.seen is not newest and still.trouble is not None)
        assert still.image is made, "three pictures make no still"
        tasks.cancel_scope.cancel()


async def until(true: Callable[[], bool]) -> None:
    with anyio.fail_after(60):
        while not true():  # noqa: ASYNC110 (threads look at the pictures)
            await anyio.sleep(0.01)


def test_a_still_that_is_over_is_refused_and_deleted(site: Path, tmp_path: Path) -> None:
    lens = read_site(site).settings.cameras[0].lens
    old = tmp_path / "north-20200101T000000Z.png"
    cv2.imwrite(str(old), virtual(LAMPS, 0.0, 1))
    with pytest.raises(ValueError, match="take another"):
        read_still(old, lens)
    assert not old.exists()


def test_while_the_first_still_is_made_the_page_says_how_far_it_is(site: Path, tmp_path: Path) -> None:
    with asking(calibrate_app(site, CAMERA, Still(live=True, trouble="making: 12")), tmp_path) as page:
        assert page.get("/api/state").json()["trouble"] == "making: 12"


def test_a_still_of_another_size_or_that_is_none_is_refused(site: Path, tmp_path: Path) -> None:
    lens = read_site(site).settings.cameras[0].lens
    small = tmp_path / "small.jpg"
    cv2.imwrite(str(small), np.zeros((10, 20, 3), np.uint8))
    with pytest.raises(ValueError, match=r"is 20x10 px, but the camera's lens says 640x384 px"):
        read_still(small, lens)
    with pytest.raises(ValueError, match="is no picture"):
        read_still(site, lens)


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "rsu_agent.cli.main", "calibrate", "heads", *map(str, arguments)]


@pytest.fixture
def served(site: Path, still: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The verb itself; gives the page's address."""
    run = command(site, "--still", still, "--port", "0", "--json")
    with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield json.loads(process.stdout.readline())["url"], process
        finally:
            process.terminate()


def test_ctrl_c_ends_the_verb_cleanly(served: tuple[str, subprocess.Popen[str]]) -> None:
    _, process = served
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["--camera", "north"], 2, "camera"),
        (["--still", "none-such.jpg"], 1, "still"),
        (["--port", "70000"], 1, "port"),
    ],
)
def test_a_wrong_word_is_told(site: Path, arguments: list[str], code: int, reason: str) -> None:
    done = subprocess.run(
        command(site, *arguments, "--json"), capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, json.loads(done.stdout)["reason"]) == (code, reason)
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def window() -> Iterator[ClientConnection]:
    with browser() as started:
        yield started


def drag(tab: Tab, *points: tuple[int, int]) -> None:
    """With the mouse, from the first of two points of the picture to the second."""
    scale, left, top = tab.read(FITS)
    first, last = ([left + x * scale, top + y * scale] for x, y in points)
    middle = [(a + b) / 2 for a, b in zip(first, last, strict=True)]
    for kind, (x, y) in (("Pressed", first), ("Moved", middle), ("Moved", last), ("Released", last)):
        tab.call(
            "Input.dispatchMouseEvent", type=f"mouse{kind}", x=x, y=y, button="left", buttons=1, clickCount=1
        )


@contextmanager
def looking(window: ClientConnection, url: str, width: int, *, dark: bool) -> Iterator[Tab]:
    tab = Tab(window)
    try:
        tab.look_like(width, 800, dark=dark, language="zh-CN")
        tab.open(url)
        tab.until(f"{HEADS}.length === 12 && !!document.querySelector('#heads li.red')")
        yield tab
        if folder := os.environ.get("PICTURES"):
            (Path(folder) / f"calibrate-{width}.png").write_bytes(tab.picture())
        assert tab.complaints() == []
        assert all(asked.startswith(url) for asked in tab.requests())
    finally:
        tab.close()


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (make tools)")
def test_a_head_is_boxed_with_the_mouse_read_named_and_saved(
    served: tuple[str, subprocess.Popen[str]], site: Path, window: ClientConnection
) -> None:
    with looking(window, served[0], 1280, dark=False) as tab:
        assert "竖排" in tab.text("#heads")
        tab.read("document.getElementById('language').click()")
        assert tab.text("#save") == "save"
        tab.read("document.querySelector('#heads li:last-child .remove').click()")
        tab.until(f"{HEADS}.length === 11")
        drag(tab, (588, 124), (593, 143))
        tab.until(f"{HEADS}.length === 12")
        chosen = "document.querySelector('#heads li:last-child select')"
        tab.read(f"{chosen}.value = '16'; {chosen}.dispatchEvent(new Event('change'))")
        tab.until("document.querySelector('#heads li:last-child').className.includes('yellow')")
        drag(tab, (590, 133), (592, 130))
        tab.until("document.querySelector('#heads li:last-child').innerText.includes('590, 121')")
        tab.read("document.getElementById('undo').click()")
        tab.until("document.querySelector('#heads li:last-child').innerText.includes('588, 124')")
        tab.read("document.getElementById('save').click()")
        tab.until("document.getElementById('told').className === 'good'")
        assert of_file(site)[-1] == head(16, 588, 124, 5, 19)
        assert tab.text("#told") == "Saved: 12 heads. Restart the agent."


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (make tools)")
def test_the_page_fits_a_phone_and_says_what_was_refused(
    served: tuple[str, subprocess.Popen[str]], site: Path, window: ClientConnection
) -> None:
    before = site.read_bytes()
    with looking(window, served[0], 390, dark=True) as tab:
        assert tab.read("document.documentElement.scrollWidth <= 390")
        drag(tab, (300, 300), (304, 304))
        tab.until(f"{HEADS}.length === 13")
        layout = "document.querySelector('#heads li:last-child select:nth-of-type(2)')"
        tab.read(f"{layout}.value = 'vertical'; {layout}.dispatchEvent(new Event('change'))")
        tab.until("!!document.querySelector('#heads .fault')")
        tab.read("document.getElementById('save').click()")
        tab.until("document.getElementById('told').className === 'bad'")
        assert tab.text("#told").startswith("未保存:\nheads.12: a box of ")
        tab.events = [e for e in tab.events if "422" not in str(e)]  # the browser notes the refusal itself
        assert site.read_bytes() == before
