"""Which commands have been taken: highest number and last answers, on disk before anything is done."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)
REMEMBERED = 64  # answers, for a district that did not hear one


class CommandMemory:
    """One site's. Every number is taken once, whatever dies in between.

    since_us: when this memory began; what was signed to hold earlier may have been taken by the one before
    (a replaced disk) and is not taken again. None until a trusted clock has told.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.highest = 0
        self.since_us: int | None = None
        self._answers: dict[int, tuple[str, str]] = {}
        self._read()

    def begin(self, now_us: int) -> None:
        """A trusted clock is there: a memory that is new begins now."""
        if self.since_us is None:
            self.since_us = now_us
            self._write()

    def take(self, seq: int) -> None:
        """This number is used up. Raises OSError when that cannot be written: then nothing may be done."""
        before, self.highest = self.highest, seq
        try:
            self._write()
        except OSError:
            self.highest = before
            raise

    def answered(self, seq: int, result: str, code: str) -> None:
        """What became of it; a disk that fails now costs the memory of the answer."""
        self._answers[seq] = result, code
        while len(self._answers) > REMEMBERED:
            del self._answers[min(self._answers)]
        try:
            self._write()
        except OSError as error:
            log.warning("an answer is not remembered: %s", error)

    def answer(self, seq: int) -> tuple[str, str] | None:
        """(result, code) of a command taken before; None: long ago, or it was under way when we died."""
        return self._answers.get(seq)

    def _read(self) -> None:
        try:
            value: Any = json.loads(self._path.read_text())
            highest, since_us = int(value["highest"]), int(value["since_us"])
            answers = {int(seq): (str(result), str(code)) for seq, result, code in value["answers"]}
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("the memory of commands cannot be read and begins anew: %s", error)
            return
        self.highest, self.since_us, self._answers = highest, since_us, answers

    def _write(self) -> None:
        answers = [[seq, *told] for seq, told in self._answers.items()]
        draft = self._path.with_suffix(".part")
        draft.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("w") as file:
            json.dump({"highest": self.highest, "since_us": self.since_us, "answers": answers}, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
