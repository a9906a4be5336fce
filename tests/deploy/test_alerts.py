"""The alerts: each fires when it should and not before, and says in both languages what to do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from installing import ROOT
from prometheus_client import REGISTRY
from ruamel.yaml import YAML

from rsu_agent.cli.doctor import LINE_HINTS
from rsu_agent.perception.camera_care import TRUST
from rsu_agent.runtime import camera_watches
from rsu_agent.runtime.device_events import EVENTS
from rsu_agent.runtime.sensor_troubles import CAMERA, RADAR

RULES = ROOT / "deploy/prometheus/rsu-sensors.rules.yml"
ALERTS = {
    rule["alert"]: rule
    for group in YAML(typ="safe").load(RULES.read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
}
DEVICE = {"device": "north", "instance": "box"}
promtool = pytest.mark.skipif(
    not shutil.which("promtool"), reason="promtool is missing: sudo apt install prometheus"
)

# Trouble, its alert, and the seconds for which it must have lasted.
TROUBLES = [
    ("stalled", "RsuCameraStalled", 60),
    ("frozen", "RsuCameraFrozen", 60),
    ("black", "RsuCameraBlack", 300),
    ("over_exposed", "RsuCameraOverExposed", 300),
    ("defocused", "RsuCameraDefocused", 1800),
    ("dirty", "RsuCameraDirty", 1800),
    ("moved", "RsuCameraMoved", 60),
    ("slow", "RsuCameraSlow", 600),
    ("blind", "RsuCameraBlind", 600),
    ("silent", "RsuRadarSilent", 60),
]


def fired(
    folder: Path,
    series: dict[str, str],
    alert: str,
    at: str,
    expected: dict[str, str] | None,
    value: str = "",
) -> None:
    """Promtool holds that this alert fires at that time, with these labels; None: that it does not.

    value: of the expression, as the texts show it.
    """
    labels = None if expected is None else {**expected, **ALERTS[alert]["labels"]}
    wish: dict[str, Any] = {"eval_time": at, "alertname": alert, "exp_alerts": []}
    if labels is not None:
        texts = {key: shown(text, labels, value) for key, text in ALERTS[alert]["annotations"].items()}
        wish["exp_alerts"] = [{"exp_labels": labels, "exp_annotations": texts}]
    inputs = [{"series": name, "values": values} for name, values in series.items()]
    test = {"interval": "1m", "input_series": inputs, "alert_rule_test": [wish]}
    path = folder / "test.json"
    path.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}))
    done = subprocess.run(["promtool", "test", "rules", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def shown(text: str, labels: dict[str, str], value: str) -> str:
    text = re.sub(r"{{ \$labels\.(\w+) }}", lambda found: labels[found[1]], text)
    return re.sub(r"{{ \$value[^}]*}}", value, text)


def trouble(reason: str, values: str) -> dict[str, str]:
    return {f'rsu_sensor_trouble_seconds{{device="north",instance="box",reason="{reason}"}}': values}


def events(**counted: str) -> dict[str, str]:
    name = 'rsu_device_events_total{{device="north",instance="box",what="{0}"}}'
    return {name.format(what): values for what, values in counted.items()}


def test_every_trouble_of_a_sensor_has_its_alert_and_every_alert_its_test() -> None:
    reasons = {found for rule in ALERTS.values() for found in re.findall(r'reason="(\w+)"', rule["expr"])}
    assert reasons == {*CAMERA, *RADAR} == {reason for reason, _, _ in TROUBLES}
    assert set(TRUST) <= set(CAMERA)
    assert set(CAMERA) - {"stalled"} <= set(LINE_HINTS)
    lines = {"RsuLineGarbled", "RsuLineGarbledGrows", "RsuSensorUnsteady"}
    assert set(ALERTS) == {alert for _, alert, _ in TROUBLES} | lines


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_says_in_both_languages_what_it_is_and_what_to_do(alert: str) -> None:
    texts = ALERTS[alert]["annotations"]
    assert set(texts) == {"summary", "summary_zh", "action", "action_zh", "runbook"}
    for key, text in texts.items():
        if key == "runbook":
            continue
        assert bool(re.search(r"[\u4e00-\u9fff]", text)) == key.endswith("_zh"), text
    assert all("{{ $labels.device }}" in texts[key] for key in ("summary", "summary_zh"))
    assert ALERTS[alert]["labels"]["severity"] in ("critical", "warning")


def test_the_alerts_ask_for_metrics_that_the_agent_has() -> None:
    asked = set(re.findall(r"\brsu_\w+", RULES.read_text()))
    EVENTS.opened("asked", {})
    assert camera_watches.KEPT is not None, "what senses alone load"
    assert {name.removesuffix("_total") for name in asked} <= {family.name for family in REGISTRY.collect()}


@promtool
def test_promtool_reads_the_rules() -> None:
    done = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@promtool
@pytest.mark.parametrize(("reason", "alert", "after_s"), TROUBLES)
def test_a_trouble_that_lasts_is_an_alert_and_one_that_passes_is_none(
    tmp_path: Path, reason: str, alert: str, after_s: int
) -> None:
    lasting = trouble(reason, "0 0 0+60x60")
    minutes = after_s // 60
    fired(tmp_path, lasting, alert, f"{minutes + 2}m", None)
    fired(tmp_path, lasting, alert, f"{minutes + 3}m", {**DEVICE, "reason": reason})
    other = "silent" if reason != "silent" else "stalled"
    fired(tmp_path, trouble(other, "0+60x60"), alert, "60m", None)
    fired(tmp_path, trouble(reason, f"0+60x{minutes} 0x20"), alert, f"{minutes + 5}m", None)


@promtool
def test_what_comes_and_goes_is_an_alert_of_its_own(tmp_path: Path) -> None:
    unsteady = trouble("stalled", "0 5 " * 30)
    labels = {**DEVICE, "reason": "stalled"}
    fired(tmp_path, unsteady, "RsuSensorUnsteady", "10m", None)
    fired(tmp_path, unsteady, "RsuSensorUnsteady", "12m", labels, value="6")
    fired(tmp_path, unsteady, "RsuCameraStalled", "30m", None)
    fired(tmp_path, trouble("stalled", "0+60x60"), "RsuSensorUnsteady", "60m", None)


@promtool
@pytest.mark.parametrize("good", ["frames", "lines", "words", "pictures"])
def test_a_tenth_that_cannot_be_read_for_some_minutes_is_an_alert(tmp_path: Path, good: str) -> None:
    noisy = events(**{good: "0+80x60", "garbled": "0+20x60", "bytes": "0+9000x60"})
    fired(tmp_path, noisy, "RsuLineGarbled", "9m", None)
    fired(tmp_path, noisy, "RsuLineGarbled", "30m", DEVICE, value="20%")
    fair = events(**{good: "0+95x60", "garbled": "0+5x60"})
    fired(tmp_path, fair, "RsuLineGarbled", "30m", None)


@promtool
def test_a_line_of_noise_alone_is_an_alert_and_one_without_a_byte_is_none(tmp_path: Path) -> None:
    fired(tmp_path, events(garbled="0+20x60"), "RsuLineGarbled", "30m", DEVICE, value="100%")
    fired(tmp_path, events(frames="7x60", garbled="7x60"), "RsuLineGarbled", "30m", None)


@promtool
def test_a_share_that_grows_is_an_alert_and_one_that_was_always_so_is_none(tmp_path: Path) -> None:
    """A day at half a percent, then three: still far from a tenth."""
    day = 1440
    frames = f"0+995x{day} {995 * day}+970x{day}"
    grown = events(frames=frames, garbled=f"0+5x{day} {5 * day}+30x{day}")
    fired(tmp_path, grown, "RsuLineGarbledGrows", "24h", None)
    fired(tmp_path, grown, "RsuLineGarbledGrows", "26h", DEVICE, value="3%")
    fired(tmp_path, grown, "RsuLineGarbled", "26h", None)
    steady = events(frames=f"0+970x{2 * day}", garbled=f"0+30x{2 * day}")
    fired(tmp_path, steady, "RsuLineGarbledGrows", "26h", None)
