"""Running scenarios and telling what came of them: one line each, a JSON file, a short page."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

from hil.demo import provenance
from hil.processes import RigFailure
from hil.scenario.expect import judge
from hil.scenario.fake import run_fake
from hil.scenario.read import Scenario
from hil.scenario.real import run_real

Result = dict[str, Any]


def shipped() -> list[Path]:
    """The scenarios that come with the rig, by name."""
    return sorted(Path(str(files("hil") / "scenarios")).glob("*.yaml"))


def speed_of(scenario: Scenario, wished: str | None) -> str:
    """fake or real. Raises ValueError when the scenario cannot run so."""
    if scenario.real and wished == "fake":
        raise ValueError(f"{scenario.name} needs real processes: leave --speed out, or say real")
    return wished or ("real" if scenario.real else "fake")


def run_scenario(scenario: Scenario, speed: str, keep: Path | None = None) -> Result:
    """Run and judge one; a run that did not come up has failed with its reason."""
    run_dir = keep or Path(tempfile.mkdtemp(prefix="rsu-scenario-"))
    run_dir.mkdir(parents=True, exist_ok=True)
    began_s = time.monotonic()
    result: Result = {"scenario": scenario.name, "says": scenario.says, "speed": speed, "error": None}
    try:
        evidence = (run_real if speed == "real" else run_fake)(scenario, run_dir)
        judged = judge(scenario, evidence)
        result |= {"passed": all(one.passed for one in judged), "expect": [asdict(one) for one in judged]}
        result["figures"] = evidence.figures(0.0, scenario.given["seconds"])
    except (RigFailure, TimeoutError) as failure:
        result |= {"passed": False, "expect": [], "figures": None, "error": str(failure)}
    finally:
        if keep is None:
            shutil.rmtree(run_dir, ignore_errors=True)
    seed = scenario.given.get("seed", 1)
    return {**result, "seconds": round(time.monotonic() - began_s, 1), "seed": seed, **provenance()}


def lines(result: Result) -> Iterable[str]:
    """One line for the scenario, one more for each expectation that failed."""
    outcome = "passed" if result["passed"] else "FAILED"
    yield f"{outcome}  {result['scenario']:<26} {result['speed']:<5} {result['seconds']:6.1f} s"
    if result["error"]:
        yield f"        {result['error']}"
    for one in result["expect"]:
        if not one["passed"]:
            yield f"        wanted {one['wish']}, found {one['found']}"


def table(results: list[Result]) -> Iterable[str]:
    """All of them, a line each, and how many passed."""
    yield f"{'outcome':<8}{'scenario':<27}{'speed':<6}{'seconds':>8}  expectations"
    for result in results:
        held = sum(one["passed"] for one in result["expect"])
        outcome = "passed" if result["passed"] else "FAILED"
        expectations = result["error"] or f"{held} of {len(result['expect'])} held"
        name = f"{outcome:<8}{result['scenario']:<27}{result['speed']:<6}"
        yield f"{name}{result['seconds']:8.1f}  {expectations.splitlines()[0]}"
    passed, seconds = sum(result["passed"] for result in results), sum(r["seconds"] for r in results)
    yield f"{passed} of {len(results)} passed, {seconds:.0f} s"


def summary(results: list[Result]) -> Result:
    """All of them as one object."""
    failed = [result["scenario"] for result in results if not result["passed"]]
    seconds = round(sum(result["seconds"] for result in results), 1)
    seeds = sorted({result["seed"] for result in results})
    return {
        "scenarios": len(results),
        "passed": len(results) - len(failed),
        "failed": failed,
        "seconds": seconds,
        "seed": seeds[0] if len(seeds) == 1 else seeds,
        **provenance(),
        "results": results,
    }


def write_report(results: list[Result], out: Path) -> None:
    """`report.json` and `report.md` in a folder."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.json").write_text(json.dumps(summary(results), indent=1) + "\n")
    rows = ["# Scenarios", "", "| scenario | speed | outcome | what holds |", "|---|---|---|---|"]
    for result in results:
        outcome = "passed" if result["passed"] else "**failed**"
        rows.append(f"| {result['scenario']} | {result['speed']} | {outcome} | {result['says']} |")
    for result in results:
        rows += ["", f"## {result['scenario']}", ""]
        if result["error"]:
            rows.append(f"It did not run: {result['error']}")
        for one in result["expect"]:
            mark = "yes" if one["passed"] else "**no**"
            rows.append(f"- {mark}: {one['wish']}; found {one['found']}")
    (out / "report.md").write_text("\n".join(rows) + "\n")
