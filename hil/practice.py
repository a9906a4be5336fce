"""A pole to practise on: virtual devices without an agent. `python -m hil.practice FOLDER` says what to type.

With --pictures DIR it walks through the field guide itself and leaves what a terminal showed, as SVG.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hil.processes import RigFailure, ended_by_signals
from hil.rig import Rig, RigOptions
from hil.terminal_picture import picture

RUN = "rsu-agent"  # the agent's run folder; with XDG_RUNTIME_DIR the commands find it by themselves
GREEN_S, FOUND_S = 150.0, 60.0
LOOK_S = 3.0  # a look is a program started: more of them would starve the agent on two cores
LANGUAGES = {"en": "en", "zh": "zh_CN"}
SLIPS = ((r"\n  baud: 115200", "\n  baud: fast"), (r"uplink: \{host", "uplink: {hots"))
COLUMNS = 96


class Pole:
    """A run's folder with its virtual devices; commands are typed in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.rig = Rig(self.folder, RigOptions(page=False, metrics_port=0))

    def typed(self, *words: str, language: str = "en", must: tuple[int, ...] = (0,)) -> str:
        """What `rsu ...` prints here, both streams together. Raises RigFailure on another exit code."""
        done = subprocess.run(
            [*rsu(), *words], cwd=self.folder, env=self._surroundings(language), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        if done.returncode not in must:
            raise RigFailure(f"rsu {' '.join(words)} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def findings(self) -> dict[str, Any]:
        """What `rsu doctor` finds, by its number; empty while no agent answers."""
        printed = self.typed("doctor", "--json", must=(0, 4, 5)).splitlines()
        told = json.loads(next(line for line in printed if line.startswith("{")))  # words are on stderr
        found = () if told.get("reason") == "unreachable" else told["findings"]
        return {each["id"]: each for each in found}

    @contextmanager
    def agent(self) -> Iterator[float]:
        """The agent by its ordinary command; gives the seconds until every check was good, or open."""
        began_s = time.monotonic()
        command = [*rsu(), "run", "site.yaml", "--state", "state", "--run", RUN]
        with (self.folder / "agent.log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=self.folder, env=self._surroundings("en"), stdout=log, stderr=log
            )
        try:
            self.until(
                lambda found: found and all(each["good"] is not False for each in found.values()), GREEN_S
            )
            yield time.monotonic() - began_s
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)

    def until(self, true: Callable[[dict[str, Any]], Any], most_s: float) -> None:
        """Until the doctor finds so. Raises RigFailure with what it found last."""
        deadline = time.monotonic() + most_s
        while not true(found := self.findings()):
            if time.monotonic() > deadline:
                bad = [each for each in found.values() if each["good"] is False]
                raise RigFailure(f"not within {most_s:g} s: {bad or 'no agent answers'}")
            time.sleep(LOOK_S)

    def _surroundings(self, language: str) -> dict[str, str]:
        more = {"XDG_RUNTIME_DIR": str(self.folder), "RSU_LANG": LANGUAGES[language], "COLUMNS": str(COLUMNS)}
        return {**os.environ, **more}


def rsu() -> list[str]:
    """The command, as it is installed beside this Python."""
    return [sys.executable, "-m", "rsu_agent.cli.main"]


def slipped(text: str) -> str:
    """A site file with the slips of a tired hand."""
    for good, bad in SLIPS:
        text, count = re.subn(good, bad, text)
        assert count == 1, good
    return text


def walk(pole: Pole) -> Iterator[tuple[str, str, dict[str, str]]]:
    """The guide's steps: (name of the picture, what is typed, what came by language)."""

    def shown(name: str, *words: str, must: tuple[int, ...] = (0,)) -> tuple[str, str, dict[str, str]]:
        said = {language: pole.typed(*words, language=language, must=must) for language in LANGUAGES}
        return name, " ".join(("rsu", *words)), said

    yield shown("probe", "probe", "dev/controller")
    (pole.folder / "wrong.yaml").write_text(slipped((pole.folder / "site.yaml").read_text()))
    yield shown("check", "config", "check", "wrong.yaml", must=(3,))
    yield shown("map", "map", "check", "site.yaml")
    with pole.agent() as green_s:
        print(f"green after {green_s:.0f} s", file=sys.stderr)
        yield shown("status", "status")
        pole.rig.fault("controller", "unplug", True)
        pole.until(lambda found: found and found["SER01"]["good"] is False, FOUND_S)
        yield shown("doctor", "doctor", must=(4,))
        pole.rig.fault("controller", "replug", True)


def main() -> None:
    """`python -m hil.practice FOLDER [--pictures DIR]`."""
    parser = argparse.ArgumentParser(prog="python -m hil.practice", description=__doc__)
    parser.add_argument("folder", type=Path, help="a new folder with a short name, such as /tmp/pole")
    parser.add_argument("--pictures", type=Path, help="walk through the guide, leave pictures here")
    options = parser.parse_args()
    try:
        pole = Pole(options.folder)
    except RigFailure as failure:
        parser.error(str(failure))
    try:
        with ended_by_signals():
            pole.rig.start_devices()
            if options.pictures is None:
                _say_what_to_type(pole)
                signal.pause()
            for name, command, said in walk(pole):
                for language, printed in said.items():
                    (options.pictures / f"{name}.{language}.svg").write_text(picture(command, printed))
    except KeyboardInterrupt:
        print("\nending ...", file=sys.stderr)
    except RigFailure as failure:
        sys.exit(str(failure))
    finally:
        pole.rig.stop()


def _say_what_to_type(pole: Pole) -> None:
    print(f"cd {pole.folder}")
    print(f"export XDG_RUNTIME_DIR={pole.folder}")
    print("rsu probe dev/controller")
    print("rsu config check site.yaml")
    print(f"rsu run site.yaml --state state --run {RUN}      # in a window of its own")
    print("rsu doctor")
    print(f"rsu hil fault controller unplug on --run {pole.folder}      # and `off` ends it", flush=True)


if __name__ == "__main__":
    main()
