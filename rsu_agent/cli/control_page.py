"""The page of the control socket's addresses, made from its OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rsu_agent.cli.reference import MADE

HEAD = """# The control socket, address by address

Made from [control.openapi.json](control.openapi.json); [the page before](control.md) says where the socket is
and what reads it. Every key named here is always there; later versions add keys and take none away.
"""


def control_page(document: dict[str, Any]) -> str:
    """Every address, then every object."""
    lines = [MADE, HEAD, "| address | method | gives | answers |", "|---|---|---|---|"]
    for path, verbs in document["paths"].items():
        for verb, told in verbs.items():
            gives = ", ".join(f"{code} {_named(each)}".strip() for code, each in told["responses"].items())
            lines.append(f"| `{path}` | {verb.upper()} | {told['summary']} | {gives} |")
    for name, schema in document["components"]["schemas"].items():
        rows = list(_rows(schema))
        lines += (
            [f"\n## {name}\n", schema.get("description", "")]
            if "description" in schema
            else [f"\n## {name}\n"]
        )
        if rows:
            lines += ["| key | type | meaning |", "|---|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _named(response: dict[str, Any]) -> str:
    for media, content in response.get("content", {}).items():
        name = content["schema"].get("$ref", "").rpartition("/")[2]
        return f"[{name}](#{name.lower()})" if name else media
    return ""


def _rows(schema: dict[str, Any], before: str = "") -> Iterator[str]:
    for key, inner in schema.get("properties", {}).items():
        yield f"| `{before}{key}` | {_type(inner)} | {inner.get('description', '')} |"
        yield from _rows(inner, f"{before}{key}.")
        if "items" in inner:
            yield from _rows(inner["items"], f"{before}{key}[].")


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(schema['items'])}"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)
