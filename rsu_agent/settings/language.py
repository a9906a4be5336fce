"""The language of words for people: English as it stands in the code, Chinese from the catalogue."""

from __future__ import annotations

import codecs
import gettext
import os
import sys
from functools import cache
from pathlib import Path

DOMAIN = "rsu-agent"
CATALOGUES = Path(__file__).parent.parent / "locale"
OURS = "RSU_LANG"
ASKED = (OURS, "LC_ALL", "LC_MESSAGES", "LANG")  # the first that is set says it
LANGUAGES = {"zh": "zh_CN"}  # first letters of what is asked -> catalogue; all else is English


def say(text: str, /, **values: object) -> str:
    """A sentence in the person's language; `{name}` in it stands for a value.

    text: the English sentence, which is the key of the catalogue. Raises KeyError for a value that is
    missing; a translation that asks for one falls back to English.
    """
    said = _catalogue(spoken()).gettext(text) if text else ""
    if not values:
        return said
    try:
        return said.format(**values)
    except (KeyError, IndexError, ValueError):
        return text.format(**values)


def later(text: str) -> str:
    """The same text: it marks an entry of a table for the catalogue, said by `say` when it is shown."""
    return text


def because(error: OSError) -> str:
    """Why the system refused, in the person's language where the reason is a common one."""
    return say(error.strerror) if error.strerror else str(error)


def spoken() -> str:
    """`zh_CN` or `en`: as the environment asks, English where the terminal cannot show the other."""
    asked = next((value for name in ASKED if (value := os.environ.get(name))), "")
    name = LANGUAGES.get(asked.replace("-", "_").lower()[:2], "en")
    return name if name == "en" or _shows_all(sys.stdout.encoding) else "en"


def speak_everywhere() -> None:
    """Let libraries that call gettext (the command line's own words) speak it too."""
    translation = _catalogue(spoken())
    gettext.gettext = translation.gettext
    gettext.ngettext = translation.ngettext


def _shows_all(encoding: str | None) -> bool:
    try:
        return codecs.lookup(encoding or "ascii").name in ("utf-8", "gb18030", "gbk", "gb2312")
    except LookupError:
        return False


@cache
def _catalogue(name: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, CATALOGUES, languages=[name], fallback=True)


COMMON = (  # what the system says most: its own words are always English here
    later("No such file or directory"),
    later("Permission denied"),
    later("Is a directory"),
    later("Not a directory"),
    later("File exists"),
    later("No space left on device"),
    later("Read-only file system"),
    later("Connection refused"),
    later("Connection reset by peer"),
    later("Device or resource busy"),
    later("Input/output error"),
    later("Address already in use"),
    later("File name too long"),
    later("Disk quota exceeded"),
)
