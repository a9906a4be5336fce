"""The page of the surveyed points: its answers, what it writes, and points clicked with a real Chromium."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from websockets.sync.client import ClientConnection

from hil.survey import VIEW, write
from rsu_agent.perception.calibrate_import import lens_of
from rsu_agent.perception.surveyed import REFUSALS
from rsu_agent.settings.lens_file import read_lens_file
from rsu_agent.settings.points_file import TablePoint, read_points
from rsu_agent.settings.read import read_site
from rsu_agent.web.calibrate_points import points_app
from tests.web.browser import CHROMIUM, Tab, browser
from tests.web.test_calibrate_heads import asking

CAMERA = "south-west"
ROWS = "document.querySelectorAll('#points li')"
FITS = f"""(() => {{ const c = document.getElementById('still'), r = c.getBoundingClientRect();
  const w = {VIEW.width}, h = {VIEW.height}, k = Math.min(c.clientWidth / w, c.clientHeight / h);
  const x = r.x + c.clientLeft, y = r.y + c.clientTop;
  return [k, x + (c.clientWidth - w * k) / 2, y + (c.clientHeight - h * k) / 2]; }})()"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A still, painted once, and its files with and without clicks."""
    folder = tmp_path_factory.mktemp("survey")
    write(folder)
    return folder


@pytest.fixture
def survey(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "survey"))


def table(folder: Path) -> tuple[TablePoint, ...]:
    return read_points(folder / "points.csv", read_site(folder / "site.yaml").crossing.origin)


def clicks_of(folder: Path) -> dict[str, Any]:
    return {point.name: None if point.click is None else list(point.click) for point in table(folder)}


def unclicked(folder: Path) -> None:
    rows = (folder / "points.csv").read_text().splitlines()
    (folder / "points.csv").write_text(
        "\n".join([rows[0], *(",".join(r.split(",")[:4]) + ",," for r in rows[1:])]) + "\n"
    )


@pytest.fixture
def page(survey: Path, tmp_path: Path) -> Iterator[httpx.Client]:
    image = np.asarray(cv2.imread(str(survey / "still.png")), np.uint8)
    lens = lens_of(read_lens_file(survey / "lens.yaml"), VIEW.width, VIEW.height)
    origin = read_site(survey / "site.yaml").crossing.origin
    with asking(points_app(CAMERA, image, survey / "points.csv", origin, lens), tmp_path) as client:
        yield client


def test_the_page_is_told_camera_still_and_points(page: httpx.Client, survey: Path) -> None:
    told = page.get("/api/state").json()
    assert (told["camera"], told["picture"]) == (CAMERA, [VIEW.width, VIEW.height])
    assert {point["name"]: point["click"] for point in told["points"]} == clicks_of(survey)
    answer = page.get("/api/still")
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert np.array_equal(
        cv2.imdecode(np.frombuffer(answer.content, np.uint8), 1), cv2.imread(str(survey / "still.png"))
    )


def test_clicks_that_fit_are_told_so_with_every_points_error(page: httpx.Client, survey: Path) -> None:
    told = page.post("/api/fit", json={"clicks": clicks_of(survey)}).json()
    assert told["refused"] is None
    assert told["left_out_m"] < 0.25
    assert all(point["used"] for point in told["points"].values())


def test_a_bad_click_is_named_and_too_few_are_refused_with_a_reason(page: httpx.Client, survey: Path) -> None:
    clicks = clicks_of(survey)
    name = list(clicks)[3]
    clicks[name] = [clicks[name][0] + 80, clicks[name][1]]
    told = page.post("/api/fit", json={"clicks": clicks}).json()
    assert [n for n, point in told["points"].items() if not point["used"]] == [name]
    few = dict.fromkeys(clicks) | {n: clicks[n] for n in list(clicks)[:4]}
    assert page.post("/api/fit", json={"clicks": few}).json()["refused"]["reason"] == "four_points"


def test_saving_changes_the_clicks_and_nothing_else(page: httpx.Client, survey: Path) -> None:
    before = (survey / "points.csv").read_text().splitlines()
    first, second, *_ = clicks = clicks_of(survey)
    wanted = clicks_of(survey) | {first: None, second: [12.5, 99.05]}
    assert page.put("/api/points", json={"clicks": wanted}).json() == {"saved": len(clicks) - 1}
    assert clicks_of(survey) == wanted
    after = (survey / "points.csv").read_text().splitlines()
    assert [a.split(",")[:4] for a in after] == [b.split(",")[:4] for b in before]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"clicks": 3}',
        b'{"clicks": {"A": 3}}',
        b'{"clicks": {"A": [1]}}',
        b'{"clicks": {"A": [1, "2"]}}',
        b'{"clicks": {"A": [1, 1e9]}}',
        b" " * 70_000,
    ],
)
def test_a_body_that_no_page_sends_is_refused(page: httpx.Client, survey: Path, body: bytes) -> None:
    before = (survey / "points.csv").read_bytes()
    as_json = {"content-type": "application/json"}
    assert page.put("/api/points", content=body, headers=as_json).status_code == 400
    assert page.post("/api/fit", content=body, headers=as_json).status_code == 400
    assert (survey / "points.csv").read_bytes() == before


def test_a_page_of_elsewhere_neither_reads_nor_writes(page: httpx.Client, survey: Path) -> None:
    before = (survey / "points.csv").read_bytes()
    assert page.get("/api/state", headers={"host": "evil.example"}).status_code == 400
    assert (
        page.put("/api/points", content=b'{"clicks": {}}', headers={"content-type": "text/plain"}).status_code
        == 400
    )
    assert (survey / "points.csv").read_bytes() == before


def test_a_table_that_went_wrong_meanwhile_is_told(page: httpx.Client, survey: Path) -> None:
    clicks = clicks_of(survey)
    (survey / "points.csv").write_text("name,east_m,north_m\nA,one,2\n")
    for answer in (page.get("/api/state"), page.post("/api/fit", json={"clicks": clicks})):
        assert answer.status_code == 422
        assert "east_m is 'one'" in answer.json()["reason"]
    (survey / "points.csv").unlink()
    assert page.put("/api/points", json={"clicks": clicks}).status_code == 500


def test_every_refusal_has_its_words_in_both_languages() -> None:
    words = (Path(__file__).parents[2] / "rsu_agent/web/static/calibrate_points_words.js").read_text()
    english, chinese = words.split("  zh: {")
    for reason, (text, _) in REFUSALS.items():
        for part in (english, chinese):
            assert f"do_{reason}:" in part
            said = part.split(f"refused_{reason}: ")[1].split('"')[1]
            assert {mark for mark in ("{0}", "{1}", "{2}") if mark in said} <= {
                mark for mark in ("{0}", "{1}", "{2}") if mark in text
            }


@pytest.fixture
def served(survey: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The verb itself over a table without clicks; gives the page's address."""
    unclicked(survey)
    given = [
        "--points",
        "points.csv",
        "--still",
        "still.png",
        "--intrinsics",
        "lens.yaml",
        "--site",
        "site.yaml",
    ]
    run = [
        sys.executable,
        "-m",
        "rsu_agent.cli.main",
        "calibrate",
        "points",
        CAMERA,
        *given,
        "--port",
        "0",
        "--json",
    ]
    with subprocess.Popen(
        run, cwd=survey, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
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


@pytest.fixture(scope="module")
def window() -> Iterator[ClientConnection]:
    with browser() as started:
        yield started


def click(tab: Tab, u: float, v: float) -> None:
    """With the mouse, on a pixel of the whole picture."""
    scale, left, top = tab.read(FITS)
    x, y = left + u * scale, top + v * scale
    for kind in ("Pressed", "Released"):
        tab.call(
            "Input.dispatchMouseEvent", type=f"mouse{kind}", x=x, y=y, button="left", buttons=1, clickCount=1
        )


def tap(tab: Tab, u: float, v: float) -> None:
    """With a finger."""
    scale, left, top = tab.read(FITS)
    at = [{"x": left + u * scale, "y": top + v * scale}]
    tab.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=at)
    tab.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])


def key(tab: Tab, name: str, modifiers: int = 0, text: str = "") -> None:
    for kind in ("keyDown", "keyUp"):
        tab.call(
            "Input.dispatchKeyEvent",
            type=kind,
            key=name,
            modifiers=modifiers,
            **({"text": text} if text else {}),
        )


def pictured(tab: Tab, name: str) -> None:
    """For the guide, where PICTURES names a folder."""
    if folder := os.environ.get("PICTURES"):
        (Path(folder) / f"{name}.png").write_bytes(tab.picture())


@contextmanager
def looking(window: ClientConnection, url: str, width: int, *, dark: bool) -> Iterator[Tab]:
    tab = Tab(window)
    try:
        tab.look_like(width, 900, dark=dark, language="zh-CN")
        tab.open(url)
        tab.until(f"{ROWS}.length === 16 && document.getElementById('count').textContent === '0 / 16'")
        yield tab
        assert tab.complaints() == []
        assert all(asked.startswith(url) for asked in tab.requests())
    finally:
        tab.close()


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (make tools)")
def test_points_are_clicked_moved_judged_and_saved(
    served: tuple[str, subprocess.Popen[str]], survey: Path, made: Path, window: ClientConnection
) -> None:
    true = clicks_of(made)
    with looking(window, served[0], 1280, dark=False) as tab:
        assert "未点击" in tab.text("#points")
        tab.read("document.getElementById('language').click()")
        for u, v in list(true.values())[:-1]:
            click(tab, u, v)
        tab.until("document.getElementById('count').textContent === '15 / 16'")
        tab.until("document.getElementById('verdict').className === 'good'")
        click(tab, true[list(true)[-1]][0] - 150, true[list(true)[-1]][1] - 60)
        tab.until(f"{ROWS}[15].className.includes('bad')")
        assert "does not fit" in tab.text("#points li:last-child")
        pictured(tab, "calibrate-points")
        tab.read("document.getElementById('undo').click()")
        tab.until("document.getElementById('count').textContent === '15 / 16'")
        tab.read("document.getElementById('still').focus()")
        key(tab, "p")
        before = tab.text("#points li:nth-child(15)")
        key(tab, "ArrowRight", modifiers=8)
        tab.until(f"{ROWS}[14].innerText !== {json.dumps(before)}")
        tab.read("document.getElementById('save').click()")
        tab.until("document.getElementById('told').className === 'good'")
        assert tab.text("#told").startswith("Saved: 15 clicks")
        found = clicks_of(survey)
        assert found[list(true)[-1]] is None
        off = [np.hypot(*(np.array(found[name]) - true[name])) for name in list(true)[:-1]]
        assert max(off) < 2.5, "a screen pixel is two of the picture's"


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (make tools)")
def test_the_page_fits_a_phone_and_a_finger_places_a_point(
    served: tuple[str, subprocess.Popen[str]], made: Path, window: ClientConnection
) -> None:
    true = list(clicks_of(made).values())
    with looking(window, served[0], 390, dark=True) as tab:
        tab.call("Emulation.setTouchEmulationEnabled", enabled=True)
        assert tab.read("document.documentElement.scrollWidth <= 390")
        tap(tab, *true[0])
        tab.until("document.getElementById('count').textContent === '1 / 16'")
        assert "至少需要 6 个" in tab.text("#verdict")
        tab.read(f"{ROWS}[0].querySelector('.remove').click()")
        tab.until("document.getElementById('count').textContent === '0 / 16'")
        tab.read("document.getElementById('still').focus()")
        key(tab, "Enter")
        tab.until("document.getElementById('count').textContent === '1 / 16'")
        tab.read("document.getElementById('undo').click()")
        tab.read("window.onbeforeunload = null")
