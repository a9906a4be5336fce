"""Where `rsu` begins: the language is chosen before the command line is read in."""

from __future__ import annotations

from rsu_agent.settings.language import speak_everywhere


def main() -> None:
    """Entry point of the command `rsu`."""
    speak_everywhere()  # before typer is imported: it takes its own words at that moment
    from rsu_agent.cli.main import main as verbs

    verbs()


if __name__ == "__main__":
    main()
