"""`rsu calibrate latency` as it is typed: from a recording, from a running agent, written, refused."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path
from typing import Any

import pytest
from speaking import agent, one_object, rsu

from rsu_agent.cli.exits import Exit
from rsu_agent.perception.lamp_changes import LampChanges
from rsu_agent.ports.assets import asset
from rsu_agent.ports.nouns import pack
from rsu_agent.ports.recording import Entry, RecordingFile
from rsu_agent.settings.read import read_site
from rsu_agent.world.signal import SignalReport
from tests.perception.changing_lamps import CAMERA, Signal, told_views

LATE_S, SECONDS = 0.143, 150.0


@pytest.fixture
def site(tmp_path: Path) -> Path:
    shutil.copytree(asset("config/crossings"), tmp_path / "crossings")
    return Path(shutil.copy(asset("config/virtual.yaml"), tmp_path / "site.yaml"))


def told(late_s: float = LATE_S, seconds: float = SECONDS) -> list[tuple[float, Any]]:
    """Reports and views in order of arrival."""
    signal = Signal()
    nouns: list[tuple[float, Any]] = [(each.first_byte_s, each) for each in signal.reports(seconds)]
    nouns += [(view.captured_s, view) for view in told_views(signal, seconds, late_s)]
    return sorted(nouns, key=lambda pair: pair[0])


def recorded(path: Path, **made: float) -> Path:
    file = RecordingFile(path)
    file.add(Entry("/start", 0.0, {"site": "x"}))
    for at_s, noun in told(**made):
        topic = "/report" if isinstance(noun, SignalReport) else "/heads"
        file.add(Entry(topic, at_s, {"noun": base64.b64encode(pack(noun)).decode()}))
    file.add(Entry("/report", 1e6, {"noun": "AAAA"}))
    file.add(Entry("/start", 0.0, {"site": "x"}))
    file.close()
    return path


def of_agent(**made: float) -> dict[str, Any]:
    changes = LampChanges()
    for _, noun in told(**made):
        changes.report(noun) if isinstance(noun, SignalReport) else changes.heads(noun)
    return changes.plain()


def latency(site: Path, *more: str | Path) -> Any:
    return rsu("calibrate", "latency", CAMERA, "--site", site, *more)


def test_from_a_recording_it_is_told_and_only_written_when_asked(site: Path, tmp_path: Path) -> None:
    recording, before = recorded(tmp_path / "seen.mcap"), site.read_text().splitlines()
    done = latency(site, "--from", recording)
    assert done.returncode == Exit.OK, done
    assert "latency_ms: 0 -> 1" in done.stdout
    assert "nothing is written" in done.stdout
    assert site.read_text().splitlines() == before
    figures = one_object(latency(site, "--from", recording, "--write", "--json"))
    assert figures["latency_ms"] == pytest.approx(LATE_S * 1000, abs=20)
    assert (figures["accepted"], figures["written"], figures["before_ms"]) == (True, True, 0)
    assert figures["changes"] >= 20
    assert figures["sd_ms"] < 15
    after = site.read_text().splitlines()
    assert [line for line in after if line not in before] == [f"    latency_ms: {figures['latency_ms']}"]
    assert len(after) == len(before)
    assert read_site(site).settings.cameras[0].latency_ms == figures["latency_ms"]  # type: ignore[attr-defined]


def test_what_the_site_says_already_is_added_to(site: Path, tmp_path: Path) -> None:
    site.write_text(site.read_text().replace("latency_ms: 0", "latency_ms: 100"))
    figures = one_object(latency(site, "--from", recorded(tmp_path / "seen.mcap"), "--json"))
    assert figures["latency_ms"] == pytest.approx(100 + LATE_S * 1000, abs=20)


def test_where_the_key_is_missing_it_is_put_after_the_name(site: Path, tmp_path: Path) -> None:
    lines = [line for line in site.read_text().splitlines() if "latency_ms" not in line]
    site.write_text("\n".join(lines) + "\n")
    figures = one_object(latency(site, "--from", recorded(tmp_path / "seen.mcap"), "--write", "--json"))
    after = site.read_text().splitlines()
    at = next(n for n, line in enumerate(after) if "latency_ms" in line)
    assert after[at - 1].strip() == f"name: {CAMERA}"
    assert [*after[:at], *after[at + 1 :]] == lines
    assert read_site(site).settings.cameras[0].latency_ms == figures["latency_ms"]  # type: ignore[attr-defined]


def test_the_running_agent_is_asked_over_its_socket(site: Path, tmp_path: Path) -> None:
    with agent(tmp_path / "ctl.sock", of_agent(seconds=600.0)) as path:
        figures = one_object(latency(site, "--socket", path, "--for", "5", "--json"))
    assert figures["latency_ms"] == pytest.approx(LATE_S * 1000, abs=20)


def test_too_few_changes_are_refused_with_what_to_do(site: Path, tmp_path: Path) -> None:
    with agent(tmp_path / "ctl.sock", of_agent(seconds=9.0)) as path:
        done = latency(site, "--socket", path, "--for", "5", "--write")
    assert done.returncode == Exit.CHECK_FAILED
    assert "do: watch longer" in done.stderr
    assert read_site(site).settings.cameras[0].latency_ms == 0  # type: ignore[attr-defined]


def test_a_latency_that_no_camera_has_is_refused(site: Path, tmp_path: Path) -> None:
    with agent(tmp_path / "ctl.sock", of_agent(late_s=-0.3)) as path:
        done = latency(site, "--socket", path, "--for", "5", "--json")
    assert done.returncode == Exit.CHECK_FAILED
    assert one_object(done)["reason"] == "range"


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        ({"told": [], "seen": "x"}, Exit.FAILED, "no changes of lamps"),
        (b"nonsense", Exit.UNREACHABLE, "socket"),
    ],
)
def test_an_agent_that_answers_nonsense_is_told_so(
    site: Path, tmp_path: Path, answer: Any, code: Exit, said: str
) -> None:
    with agent(tmp_path / "ctl.sock", answer) as path:
        done = latency(site, "--socket", path, "--for", "5")
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr


def test_other_mistakes_say_what_to_do(site: Path, tmp_path: Path) -> None:
    done = rsu("calibrate", "latency", "nowhere", "--site", site)
    assert (done.returncode, CAMERA in done.stderr) == (Exit.USAGE, True)
    done = latency(site, "--from", tmp_path / "none.mcap")
    assert (done.returncode, "rsu record" in done.stderr) == (Exit.FAILED, True)
    done = latency(site, "--from", recorded(tmp_path / "still.mcap", seconds=0.1))
    assert (done.returncode, "calibrate heads" in done.stderr) == (Exit.INVALID, True)
    lines = site.read_text().splitlines()
    without = [line for line in lines if "- {group:" not in line and "heads:" not in line]
    site.write_text("\n".join(without) + "\n")
    done = latency(site, "--from", tmp_path / "none.mcap")
    assert (done.returncode, "rsu calibrate heads" in done.stderr) == (Exit.INVALID, True)


def test_help_shows_how_it_is_used() -> None:
    done = rsu("calibrate", "latency", "--help")
    assert "rsu calibrate latency north --write" in done.stdout
