"""Ansible's role and the container file: read by their own tools, and what a rollout must hold."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from installing import ROOT
from ruamel.yaml import YAML

FOLDER = ROOT / "deploy/ansible"
ROLE = FOLDER / "roles/rsu_agent"


def test_a_rollout_begins_with_one_box_and_stops_at_the_first_that_is_not_well() -> None:
    (play,) = YAML(typ="safe").load((FOLDER / "site.yml").read_text())
    assert play["serial"][0] == 1
    assert play["max_fail_percentage"] == 0
    assert play["roles"] == [ROLE.name]


def test_the_last_step_asks_the_agent_whether_it_is_well() -> None:
    tasks = YAML(typ="safe").load((ROLE / "tasks/main.yml").read_text())
    assert tasks[-1]["ansible.builtin.command"] == "rsu doctor --json"
    assert tasks[-1]["until"] == "rsu_agent_health.rc == 0"
    (site,) = [task for task in tasks if "validate" in task.get("ansible.builtin.copy", {})]
    assert site["ansible.builtin.copy"]["validate"].startswith("rsu config check")


@pytest.mark.extra
@pytest.mark.skipif(
    not shutil.which("ansible-playbook"), reason="ansible is missing: sudo apt install ansible-core"
)
def test_ansible_reads_the_playbook() -> None:
    command = [
        "ansible-playbook",
        "--syntax-check",
        "-i",
        FOLDER / "inventory.example.yml",
        FOLDER / "site.yml",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_container_takes_only_locked_wheels_and_never_runs_as_root() -> None:
    text = (ROOT / "Containerfile").read_text()
    assert "--require-hashes --only-binary=:all: -r /build/run.txt" in text
    assert "--no-deps --no-index" in text
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["rsu-agent"]
    kept = [line[1:] for line in (ROOT / ".containerignore").read_text().splitlines() if line.startswith("!")]
    sources = re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE)
    for name in " ".join(sources).split():
        assert name.replace("rsu_agent-*-py3-none-any", "*") in kept, name
