"""Collects what is said to people: `python -m rsu_agent.cli.catalogue`; what is translated stays."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rsu_agent.settings.language import CATALOGUES, DOMAIN, LANGUAGES

ROOT = Path(__file__).parents[2]
ROOMS = ("rsu_agent", "hil")
SAID_BY = {"say": None, "later": None}  # of settings.language: their first argument is a sentence
LANGUAGE = CATALOGUES.parent / "settings" / "language.py"  # says a few itself
SPEAKS = "rsu_agent.settings.language import"  # other functions have these names too
MISFIT_BY = {"Misfit": None}
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
LIBRARY_BY = {"_": None}  # typer's own
MOVING = (  # headers that change by themselves
    '"POT-Creation-Date',
    '"PO-Revision-Date',
    '"Generated-By',
    '"Report-Msgid-Bugs-To',
)


def catalogue_file(language: str) -> Path:
    """Where a language's translations stand; the compiled ones lie beside it."""
    return CATALOGUES / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def wanted() -> list[str]:
    """Every sentence that is said to people, each once, in the order of the alphabet."""
    return sorted({*_in_code(), *_in_tables(), *_in_the_command_line(), *_in_the_library()})


def main(check: bool) -> int:
    """Write every catalogue anew, or with --check say which is out of date or not whole. 0 = all is well."""
    return max(_renewed(language, check=check) for language in LANGUAGES.values())


def _renewed(language: str, *, check: bool) -> int:
    path = catalogue_file(language)
    known = _read(path, language)
    fresh = _empty(language)
    for sentence in wanted():
        old = known.get(sentence)
        fresh.add(sentence, old.string if old else "", flags=_flags(sentence))
    missing = [message.id for message in fresh if message.id and not message.string]
    for sentence in missing:
        print(f"{path.name}: not translated: {sentence!r}")
    files = {path: _as_text(fresh), path.with_suffix(".mo"): _compiled(fresh)}
    stale = [each for each, data in files.items() if not each.exists() or each.read_bytes() != data]
    for each in stale:
        print(f"{each.name}: {'is out of date: make generate' if check else 'written'}")
        if not check:
            each.parent.mkdir(parents=True, exist_ok=True)
            each.write_bytes(files[each])
    return int(bool(missing) or (check and bool(stale)))


def _in_code() -> Iterator[str]:
    from babel.messages.extract import extract_from_file

    for room in ROOMS:
        for path in (
            each
            for each in sorted((ROOT / room).rglob("*.py"))
            if SPEAKS in each.read_text() or each == LANGUAGE
        ):
            for _, sentence, _, _ in extract_from_file("python", path, keywords=SAID_BY):
                yield from [sentence] if isinstance(sentence, str) else sentence


def _in_tables() -> Iterator[str]:
    """What rooms below the language say of themselves: validators, and the guard's table."""
    from babel.messages.extract import extract_from_file

    from rsu_agent.outlets.guard_table import TABLE

    for path in sorted((ROOT / "rsu_agent").rglob("*.py")):
        if "Misfit(" in path.read_text():
            for _, sentence, _, _ in extract_from_file("python", path, keywords=MISFIT_BY):
                yield str(sentence)
    for row in TABLE:
        yield from (row.colours, row.times, row.until)


def _in_the_command_line() -> Iterator[str]:
    import typer

    from rsu_agent.cli.main import add_other_verbs, app
    from rsu_agent.cli.spoken import texts

    add_other_verbs()
    yield from texts(typer.main.get_command(app))


def _in_the_library() -> Iterator[str]:
    import typer
    from babel.messages.extract import extract_from_file

    for path in sorted(Path(typer.__file__).parent.glob("*.py")):
        for _, sentence, _, _ in extract_from_file("python", path, keywords=LIBRARY_BY):
            yield str(sentence)


def _flags(sentence: str) -> list[str]:
    return ["python-brace-format"] if "{" in sentence else []


def _empty(language: str) -> Any:
    from babel.messages.catalog import Catalog

    return Catalog(locale=language, domain=DOMAIN, project=DOMAIN, header_comment="# rsu-agent", fuzzy=False)


def _read(path: Path, language: str) -> Any:
    from babel.messages.pofile import read_po

    if not path.exists():
        return _empty(language)
    return read_po(io.BytesIO(path.read_bytes()), locale=language)


def _as_text(catalogue: Any) -> bytes:
    from babel.messages.pofile import write_po

    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=110, omit_header=False, no_location=True)
    lines = buffer.getvalue().decode().splitlines()
    return ("\n".join(line for line in lines if not line.startswith(MOVING)) + "\n").encode()


def _compiled(catalogue: Any) -> bytes:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    buffer, parsed = io.BytesIO(), read_po(io.BytesIO(_as_text(catalogue)))
    parsed.creation_date = parsed.revision_date = LONG_AGO  # the same bytes whenever they are made
    write_mo(buffer, parsed)
    return buffer.getvalue()


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
