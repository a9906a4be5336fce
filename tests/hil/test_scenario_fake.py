"""Scenarios on the fake clock: the shipped ones pass, and a product that errs is found out."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import anyio
import pytest
from prometheus_client import REGISTRY
from typer.testing import CliRunner

import hil.scenario.run
from hil.commands import hil as verbs
from hil.scenario.expect import Evidence, Told, judge
from hil.scenario.fake import FakeCrossing
from hil.scenario.read import Scenario, read_scenario
from hil.scenario.run import run_scenario, shipped, write_report
from hil.truth import TruthLog
from rsu_agent.ports.assets import asset
from rsu_agent.runtime.air import Air
from rsu_agent.settings.read import read_site
from tests.hil.test_vehicle_codec import rsm_frame

WITNESS = ("rsu_witness_agreement_ratio", "rsu_witness_seen_age_seconds")
FAKE = [path for path in shipped() if not read_scenario(path).real]
SHORT = {"seconds": 12, "warm_s": 2, "plan": 3}


def short(*expect: dict[str, object], when: tuple[dict[str, object], ...] = ()) -> Scenario:
    return Scenario("short", "short", False, SHORT, when, expect)


@pytest.mark.parametrize("path", FAKE, ids=lambda path: path.stem)
def test_every_shipped_scenario_passes_on_the_fake_clock(path: Path) -> None:
    result = run_scenario(read_scenario(path), "fake")
    assert result["passed"], result


def test_the_same_seed_gives_the_same_figures() -> None:
    scenario = short({"figure": "spat.valid_share", "least": 0.99})
    once, again = (run_scenario(scenario, "fake")["figures"] for _ in range(2))
    assert once == again
    assert once["spat"]["ends_announced"] > 50


def test_a_crossing_whose_colours_are_late_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames of a second ago on air: right in themselves, wrong by now."""
    kept: list[bytes] = []
    send = Air.send

    async def late(self: Air, kind: str, frame: bytes) -> None:
        if kind == "SPAT":
            kept.append(frame)
            frame = kept[max(0, len(kept) - 20)]
        await send(self, kind, frame)

    monkeypatch.setattr(Air, "send", late)
    result = run_scenario(short({"figure": "spat.wrong_colour_ms", "most": 0}), "fake")
    assert not result["passed"]
    assert result["expect"][0]["found"] > 1000


def test_nothing_that_was_not_measured_passes(tmp_path: Path) -> None:
    TruthLog(tmp_path, "controller").write("lamp", 1.0, group=1, colour="red")
    evidence = Evidence(tmp_path, {1: [1]}, 2.0)
    wishes = [{"figure": "spat.wrong_colour_ms", "most": 0}, {"figure": "uplink.missing", "most": 0}]
    wishes.append({"heard": "valid", "after_s": 0, "within_s": 9})
    judged = judge(Scenario("x", "x", False, {"seconds": 10}, (), tuple(wishes)), evidence)
    assert [(one.found, one.passed) for one in judged] == [(None, False)] * 3


PARTICIPANT = ("id", "mark", "east", "north", "speed", "heading", "width", "length")
RSU, VIDEO, MICROWAVE, LOOP, INTEGRATED = 1, 3, 4, 5, 7  # csae53 SourceType


def road(at_s: float, *sources: int) -> dict[str, Any]:
    """An RSM as the vehicle logs it, of users that these sensors have seen."""
    rows = [{**dict.fromkeys(PARTICIPANT, 0), "type": 1, "source": source} for source in (RSU, *sources)]
    return {"t": at_s, "hex": rsm_frame(rows).hex()}


def heard_in(tmp_path: Path, what: str, *entries: dict[str, Any]) -> float | None:
    log = TruthLog(tmp_path, "vehicle")
    for entry in entries:
        log.write("air", **entry)
    TruthLog(tmp_path, "controller").write("lamp", 1.0, group=1, colour="red")
    return Evidence(tmp_path, {1: [1]}, 10.0).heard(what, 0.0)


@pytest.mark.parametrize(
    ("what", "sources", "heard"),
    [
        ("users", (), False),
        ("users", (VIDEO,), True),
        ("camera_users", (MICROWAVE, LOOP), False),
        ("camera_users", (MICROWAVE, VIDEO), True),
        ("radar_users", (VIDEO,), False),
        ("radar_users", (MICROWAVE,), True),
        ("camera_users", (INTEGRATED,), True),
        ("radar_users", (INTEGRATED,), True),
    ],
)
def test_users_are_told_apart_by_who_has_seen_them(
    tmp_path: Path, what: str, sources: tuple[int, ...], heard: bool
) -> None:
    assert heard_in(tmp_path, what, road(11.5), road(12.0, *sources)) == (2.0 if heard else None)


def test_what_the_vehicle_has_spoilt_itself_is_not_heard(tmp_path: Path) -> None:
    assert heard_in(tmp_path, "users", {**road(11.0, VIDEO), "spoilt": True}, road(13.0, VIDEO)) == 3.0


@pytest.mark.parametrize(("at_s", "passes"), [(11.9, False), (12.1, True), (14.9, True), (15.1, False)])
def test_what_must_be_away_first_may_not_be_heard_too_early(
    tmp_path: Path, at_s: float, passes: bool
) -> None:
    heard_in(tmp_path, "users", road(at_s, VIDEO))
    wish = {"heard": "users", "after_s": 0.0, "not_before_s": 2.0, "within_s": 5.0}
    scenario = Scenario("x", "x", True, {"seconds": 10}, (), (wish,))
    (one,) = judge(scenario, Evidence(tmp_path, {1: [1]}, 10.0))
    assert one.passed is passes
    assert one.wish == "users heard within 5 s of second 0, not in the first 2 s"


HEALTH = [(11.0, "ok"), (40.0, "slow"), (41.0, "ok"), (50.0, "dirty"), (90.0, "dirty"), (95.0, "ok")]


@pytest.mark.parametrize(
    ("word", "after_s", "found"),
    [
        ("dirty", 20.0, 20.0),
        ("defocused", 20.0, None),
        ("ok", 60.0, 25.0),  # what it was before is told again each minute
        ("moved", 60.0, None),
    ],
)
def test_what_the_district_is_told_of_a_device_counts_from_the_second_named(
    tmp_path: Path, word: str, after_s: float, found: float | None
) -> None:
    TruthLog(tmp_path, "controller").write("lamp", 1.0, group=1, colour="red")
    told = [Told(at_s, "north", word) for at_s, word in HEALTH] + [Told(35.0, "south", "defocused")]
    told.sort(key=lambda each: each.at_s)
    evidence = Evidence(tmp_path, {1: [1]}, 10.0, health=told)
    wish = {"told": word, "of": "north", "after_s": after_s, "within_s": 21.0}
    (one,) = judge(Scenario("x", "x", True, {"seconds": 99}, (), (wish,)), evidence)
    assert (one.found, one.passed) == (found, found == 20.0)
    assert one.wish == f"{word} told of north within 21 s of second {after_s:g}"


def test_the_right_word_after_a_wrong_one_is_not_the_right_word(tmp_path: Path) -> None:
    TruthLog(tmp_path, "controller").write("lamp", 1.0, group=1, colour="red")
    told = [Told(12.0, "north", "ok"), Told(30.0, "north", "dirty"), Told(40.0, "north", "moved")]
    evidence = Evidence(tmp_path, {1: [1]}, 10.0, health=told)
    assert evidence.told("moved", "north", 5.0) is None
    assert evidence.told("dirty", "north", 5.0) == 15.0


def test_a_failed_expectation_is_told_with_what_was_found(tmp_path: Path) -> None:
    path = tmp_path / "hopeful.yaml"
    path.write_text(
        "says: this cannot hold at all\ngiven: {seconds: 10, warm_s: 1, plan: 3}\n"
        "expect:\n  - {figure: spat.per_10s_min, least: 1000}\n"
    )
    ended = CliRunner().invoke(verbs, ["run", str(path)])
    assert ended.exit_code == 1
    assert "FAILED  hopeful" in ended.stdout
    assert "wanted spat.per_10s_min >= 1000, found 10" in ended.stdout
    results = [run_scenario(read_scenario(path), "fake")]
    write_report(results, tmp_path / "out")
    told = json.loads((tmp_path / "out" / "report.json").read_text())
    assert (told["scenarios"], told["passed"], told["failed"]) == (1, 0, ["hopeful"])
    assert "**no**: spat.per_10s_min >= 1000" in (tmp_path / "out" / "report.md").read_text()


def scenario_file(folder: Path, name: str, least: int) -> Path:
    path = folder / f"{name}.yaml"
    wish = f"  - {{figure: spat.per_10s_min, least: {least}}}\n"
    path.write_text(
        f"says: what {name} says holds\ngiven: {{seconds: 10, warm_s: 1, plan: 3}}\nexpect:\n{wish}"
    )
    return path


@pytest.mark.parametrize("least", [95, 1000])
def test_all_shows_where_it_is_ends_with_a_table_and_fails_with_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, least: int
) -> None:
    files = [scenario_file(tmp_path, "first", 95), scenario_file(tmp_path, "second", least)]
    monkeypatch.setattr(hil.scenario.run, "shipped", lambda: files)
    ended = CliRunner().invoke(verbs, ["all", "--out", str(tmp_path / "out")])
    assert ended.exit_code == (0 if least == 95 else 1)
    assert "[1/2] first: what first says holds" in ended.stderr
    assert "[2/2] second" in ended.stderr
    head, *rows, count, report = ended.stdout.splitlines()
    assert head.split() == ["outcome", "scenario", "speed", "seconds", "expectations"]
    outcomes = ["passed", "passed" if least == 95 else "FAILED"]
    assert [row.split()[:3] for row in rows] == [
        [outcomes[0], "first", "fake"],
        [outcomes[1], "second", "fake"],
    ]
    assert count.startswith(f"{outcomes.count('passed')} of 2 passed")
    assert Path(report.removeprefix("report: ")).read_text().count("what ") >= 2


def test_the_witness_metrics_of_a_camera_that_is_gone_grow_old(tmp_path: Path) -> None:
    """They are read when somebody asks, not when a picture comes: none comes any more."""
    site = read_site(asset("config/virtual.yaml"))

    async def run() -> tuple[list[float | None], list[float | None]]:
        crossing = FakeCrossing({"plan": 3}, tmp_path, site)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(crossing.run)
            await crossing.clock.advance(10.0)
            crossing.speaking.measure_witness()
            fresh = [REGISTRY.get_sample_value(name, {"group": "3"}) for name in WITNESS]
            tasks.cancel_scope.cancel()
        await crossing.clock.advance(5.0)
        crossing.speaking.measure_witness()
        return fresh, [REGISTRY.get_sample_value(name, {"group": "3"}) for name in WITNESS]

    (agrees, age_s), (then_agrees, then_age_s) = anyio.run(run)
    assert agrees == 1.0
    assert age_s is not None
    assert age_s < 0.5
    assert then_agrees is not None
    assert math.isnan(then_agrees)
    assert then_age_s == pytest.approx(age_s + 5.0)
