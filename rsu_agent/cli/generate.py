"""Makes generated files anew: `python -m rsu_agent.cli.generate [--check]`."""

from __future__ import annotations

import sys
from pathlib import Path

from rsu_agent.cli.main import add_other_verbs, app
from rsu_agent.cli.reference import cli_page, settings_page
from rsu_agent.messages.generator.emit import emit
from rsu_agent.messages.generator.parse import parse

MESSAGES = Path(__file__).parents[1] / "messages"
REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
CODECS = {"csae53": "MessageFrame"}  # folder of the set -> its top-level type


def generated() -> dict[Path, str]:
    """Every generated file and what it must hold."""
    codecs = {
        MESSAGES / name / "codec.py": emit(parse((MESSAGES / name / "schema.asn").read_text()), top)
        for name, top in CODECS.items()
    }
    add_other_verbs()
    return codecs | {REFERENCE / "cli.md": cli_page(app), REFERENCE / "settings.md": settings_page()}


def main() -> int:
    """Write the files, or with --check say which would change."""
    stale = [
        (path, text) for path, text in generated().items() if not path.exists() or path.read_text() != text
    ]
    for path, text in stale:
        print(
            f"{path.name} of {path.parent.name}: {'is out of date: make generate' if check() else 'written'}"
        )
        if not check():
            path.write_text(text)
    return int(bool(stale) and check())


def check() -> bool:
    """Whether only to look."""
    return "--check" in sys.argv


if __name__ == "__main__":
    sys.exit(main())
