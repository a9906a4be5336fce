"""What may stand in a site file: every key with unit, limits, default and a sentence in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from rsu_agent.settings.model import site_model

LIMITS = {
    "minimum": ">=",
    "maximum": "<=",
    "exclusiveMinimum": ">",
    "exclusiveMaximum": "<",
    "pattern": "like",
}


@dataclass(frozen=True, slots=True)
class Described:
    """One key. driver: of which variant of its section, empty for all. default: None = must be given."""

    path: str
    driver: str
    kind: str
    unit: str
    limits: str
    default: str | None
    example: str
    en: str
    zh: str
    secret: bool


def described() -> Iterator[Described]:
    """Every key, in the order of the file; of lists the keys of one item, as `cameras.*.latency_s`."""
    schema = site_model().model_json_schema()
    for name, entry in schema["properties"].items():
        star = ".*" if "items" in entry else ""
        for driver, model in variants(entry, schema):
            yield from _keys(model, schema, f"{name}{star}.", driver)


@cache
def secret_keys() -> frozenset[str]:
    """Last steps of keys whose values are not to be shown."""
    return frozenset(each.path.rsplit(".", 1)[-1] for each in described() if each.secret)


def variants(entry: dict[str, Any], schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(driver or empty, model) of the objects that an entry may hold."""
    if "items" in entry:
        entry = entry["items"]
    for option in entry.get("oneOf") or entry.get("anyOf") or [entry]:
        if "$ref" in option:
            model = schema["$defs"][option["$ref"].rsplit("/", 1)[-1]]
            yield model["properties"].get("driver", {}).get("const") or "", model


def _keys(model: dict[str, Any], schema: dict[str, Any], before: str, driver: str) -> Iterator[Described]:
    for name, entry in model["properties"].items():
        inner = [found for _, found in variants(entry, schema)]
        if inner and "properties" in inner[0]:
            star = ".*" if "items" in entry else ""
            yield from _keys(inner[0], schema, f"{before}{name}{star}.", driver)
            continue
        options = entry.get("anyOf", [entry])
        kinds = " or ".join(str(option.get("type", option.get("const", "any"))) for option in options)
        limits = [f"{sign} {o[key]}" for o in options for key, sign in LIMITS.items() if key in o]
        choice = ", ".join(map(str, entry.get("enum", ())))
        is_fixed = "const" in entry
        yield Described(
            path=f"{before}{name}",
            driver=driver,
            kind=str(entry["const"]) if is_fixed else choice or kinds,
            unit=entry.get("unit") or "",
            limits=" ".join(limits),
            default=str(entry["default"]) if "default" in entry else None,
            example=str(entry["examples"][0]) if entry.get("examples") else "",
            en=entry.get("description", ""),
            zh=entry.get("zh", ""),
            secret=bool(entry.get("secret")),
        )
