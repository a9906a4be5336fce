"""The alerts of air, uplink and district: each fires when it should and not before."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from installing import ROOT
from ruamel.yaml import YAML

RULES = ROOT / "deploy/prometheus/rsu-agent.rules.yml"
ALERTS = {
    rule["alert"]: rule
    for group in YAML(typ="safe").load(RULES.read_text())["groups"]
    for rule in group["rules"]
}
pytestmark = pytest.mark.skipif(
    not shutil.which("promtool"), reason="promtool is missing: sudo apt install prometheus"
)
BOX = {"instance": "box"}
# alert, series, its values when wrong, minute of the first alarm, values when right, labels beside BOX
CASES = [
    ("RsuSpatUnavailable", "rsu_spat_valid", "1 1 0x20", 7, "1 0 0 0 0 1x20", {}),
    ("RsuWitnessContradicts", "rsu_witness_colour_valid", "1 1 0x20", 3, "1x20", {"group": "3"}),
    ("RsuSentFaults", "rsu_sent_faults_total", "0 0 5x20", 7, "9x20", {"kind": "gap"}),
    ("RsuUplinkUnwell", "rsu_uplink_reason_valid", "1 1 0x30", 17, "1 0x10 1x30", {"reason": "ok"}),
    ("RsuOutboxGivesUp", "rsu_outbox_valid", "1 1 0x20", 7, "1 0 0 1x20", {}),
    ("RsuSiteSilent", "rsu_site_age_seconds", "0+60x40", 16, "0+60x9 0x30", {"site": "szps-1"}),
]


def judged(
    folder: Path, series: str, values: str, alert: str, minute: int, labels: dict[str, str] | None
) -> str:
    """What promtool says where this alert, with these labels and no other, fires at that minute."""
    wish: dict[str, Any] = {"eval_time": f"{minute}m", "alertname": alert, "exp_alerts": []}
    if labels is not None:
        wanted = {**labels, **ALERTS[alert]["labels"]}
        age = re.compile(r"{{ \$value[^}]*}}")
        texts = {
            key: age.sub(
                f"{minute}m 0s", re.sub(r"{{ \$labels\.(\w+) }}", lambda found: wanted[found[1]], text)
            )
            for key, text in ALERTS[alert]["annotations"].items()
        }
        wish["exp_alerts"] = [{"exp_labels": wanted, "exp_annotations": texts}]
    test = {
        "interval": "1m",
        "input_series": [{"series": series, "values": values}],
        "alert_rule_test": [wish],
    }
    path = folder / "test.json"
    path.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}))
    done = subprocess.run(["promtool", "test", "rules", path], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_every_alert_has_a_case_and_every_case_an_alert() -> None:
    assert {alert for alert, *_ in CASES} == ALERTS.keys()
    done = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("alert", "name", "wrong", "minute", "right", "more"), CASES)
def test_what_lasts_is_an_alert_and_what_passes_is_none(
    tmp_path: Path, alert: str, name: str, wrong: str, minute: int, right: str, more: dict[str, str]
) -> None:
    labels = {**BOX, **more}
    series = f"{name}{{{','.join(f'{key}={chr(34)}{value}{chr(34)}' for key, value in labels.items())}}}"
    assert judged(tmp_path, series, wrong, alert, minute - 1, None) == ""
    assert judged(tmp_path, series, wrong, alert, minute, labels) == ""
    assert judged(tmp_path, series, right, alert, minute, None) == ""
    assert judged(tmp_path, series, right, alert, 20, None) == ""
