"""Where `rsu` begins: the language is chosen before the command line is read in."""

from __future__ import annotations

import sys
from io import TextIOWrapper

from rsu_agent.settings.language import speak_everywhere


def main() -> None:
    """Entry point of the command `rsu`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without a locale loses a sign, not the verb
    speak_everywhere()  # before typer is imported: it takes its own words at that moment
    from rsu_agent.cli.main import main as verbs

    verbs()


if __name__ == "__main__":
    main()
