"""What must not leave the box in a text: passwords, keys, logins in addresses; hidden, and looked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from rsu_agent.settings.described import secret_keys
from rsu_agent.settings.reasons import HIDDEN, IN_ADDRESS, without_login

LEAST = 3  # characters of a secret that is looked for everywhere: a shorter one stands in every text
BLOCK = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S)
NAMED = re.compile(
    r"""(?i)\b(password|passwd|secret|token|community|authorization)(["']?\s*[:=]\s*)("[^"]*"|'[^']*'|(?:bearer|basic|digest)\s+\S+|[^\s,}\]]+)"""
)


def secrets_of(site: str) -> frozenset[str]:
    """Values of a site file's text that are nobody's to read; none of a text that is no YAML."""
    try:
        tree = YAML(typ="safe").load(site)
        return frozenset(value for value in _secret(tree) if len(value) >= LEAST)
    except (YAMLError, RecursionError):
        return frozenset()


def without_secrets(text: str, secrets: frozenset[str]) -> str:
    """The text with every secret hidden: the known ones, and what looks like one."""
    for value in sorted(secrets, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    text = BLOCK.sub(HIDDEN, without_login(text))
    return NAMED.sub(lambda found: found[1] + found[2] + (found[3] if _is_empty(found[3]) else HIDDEN), text)


def leaks(text: str, secrets: frozenset[str]) -> list[str]:
    """What of a text is still a secret, in words that tell none."""
    told = ["a secret of the site file"] * any(value in text for value in secrets)
    told += ["a private key"] * bool(BLOCK.search(text))
    told += ["a login in an address"] * any(found[0] != HIDDEN for found in IN_ADDRESS.finditer(text))
    named = (found for found in NAMED.finditer(text) if not _is_empty(found[3]))
    return told + sorted({f"a {found[1].lower()}" for found in named if found[3].strip("\"'") != HIDDEN})


def _secret(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key in secret_keys() and isinstance(value, str | int):
                yield str(value)
            else:
                yield from _secret(value)
    elif isinstance(tree, list):
        for each in tree:
            yield from _secret(each)
    elif isinstance(tree, str):
        for found in IN_ADDRESS.finditer(tree):
            yield from (found[0], found[0].partition(":")[2])


def _is_empty(value: str) -> bool:
    """A word that is no secret: nothing, none, a type."""
    return value.strip("\"'").lower() in ("", "null", "none", "true", "false", "~", "-")
