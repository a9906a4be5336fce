"""Reading a scenario: YAML against the schema, then what a schema cannot say; every fault at its place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from hil.devices.fault_table import checked
from hil.devices.line_spoiler import FAULTS
from rsu_agent.ports.assets import asset
from rsu_agent.settings.explain import Fault, SiteInvalid, position

SCHEMA = "docs/reference/scenario.schema.json"
FAKE_FAULTS = ("freeze", "echo", "replaced", *FAULTS)
REAL_HEARD = ("users", "camera_users", "radar_users", "picture")
PLAIN = {"minItems": "needs at least one entry", "minLength": "is too short"}


@dataclass(frozen=True)
class Scenario:
    """One scenario: times in `when` and `expect` count from the first scored second."""

    name: str
    says: str
    real: bool
    given: dict[str, Any]
    when: tuple[dict[str, Any], ...]
    expect: tuple[dict[str, Any], ...]


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(asset(SCHEMA).read_text()))


def read_scenario(path: Path) -> Scenario:
    """Raises SiteInvalid with every fault as `file:line:column: path: reason`."""
    tree = _tree(path)
    faults = [
        _fault(path, tree, list(error.absolute_path), _reason(error))
        for error in _validator().iter_errors(tree)
    ]
    if not faults:
        faults = [_fault(path, tree, where, reason) for where, reason in _senseless(tree)]
    if faults:
        raise SiteInvalid(faults)
    plain = json.loads(json.dumps(tree))
    when = sorted(plain.get("when", []), key=lambda step: float(step["at_s"]))
    real = plain.get("needs") == "real"
    return Scenario(path.stem, plain["says"], real, plain["given"], tuple(when), tuple(plain["expect"]))


def _tree(path: Path) -> Any:
    try:
        return YAML(typ="rt").load(path.read_text())
    except OSError as error:
        reason, line, column = f"cannot be read: {error.strerror}", 1, 1
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        reason = str(error.problem)
    except (YAMLError, UnicodeDecodeError) as error:
        reason, line, column = str(error), 1, 1
    raise SiteInvalid([Fault(str(path), line, column, "(file)", reason)])


def _fault(path: Path, tree: Any, where: list[str | int], reason: str) -> Fault:
    return Fault(str(path), *position(tree, where), ".".join(map(str, where)) or "(file)", reason)


def _reason(error: Any) -> str:
    """The validator's words; a choice that fails names the choices instead of repeating the whole value."""
    if error.validator == "oneOf":
        ways = [" and ".join(way["required"]) for way in error.validator_value]
        return f"must have exactly one of: {'; '.join(ways)}"
    return PLAIN.get(error.validator, str(error.message))


def _senseless(tree: Any) -> list[tuple[list[str | int], str]]:
    """Steps after the end, unknown devices and faults, real things in a scenario that does not need real."""
    found: list[tuple[list[str | int], str]] = []
    seconds, real = tree["given"]["seconds"], tree.get("needs") == "real"
    for index, step in enumerate(tree.get("when", [])):
        if step["at_s"] > seconds:
            found.append((["when", index, "at_s"], f"is after the end, {seconds} s"))
        if "device" in step:
            try:
                device, fault = checked(step["device"], step["fault"])
            except ValueError as error:
                found.append((["when", index, "device"], str(error)))
                continue
            if not real and (device != "controller" or fault not in FAKE_FAULTS):
                found.append(
                    (["when", index, "fault"], f"{device} {fault} happens in real processes: say needs: real")
                )
        if "kill" in step and not real:
            found.append((["when", index, "kill"], "processes die in real runs: say needs: real"))
    for index, wish in enumerate(tree["expect"]):
        if wish.get("heard") in REAL_HEARD and not real:
            found.append((["expect", index, "heard"], "needs pictures: say needs: real"))
        if "told" in wish and not real:
            found.append((["expect", index, "told"], "needs a district: say needs: real"))
        if str(wish.get("figure", "")).startswith("uplink.") and not real:
            found.append((["expect", index, "figure"], "needs a district: say needs: real"))
        if wish.get("not_before_s", 0) >= wish.get("within_s", float("inf")):
            found.append((["expect", index, "not_before_s"], "leaves no time before within_s"))
        for key in ("from_s", "to_s", "after_s"):
            if wish.get(key, 0) > seconds:
                found.append((["expect", index, key], f"is after the end, {seconds} s"))
    return found
