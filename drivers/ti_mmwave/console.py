"""The radar's command line, sans-IO: one command in flight, answers read whatever the echo and line ends."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from drivers.ti_mmwave.configuration import Command

ANSWER_S = 3.0  # starting calibrates first, which takes about a second
SETTLE_S = 0.02  # between two commands, as the vendor's own tool pauses
SETTLE_AFTER_SILENCE_S = 0.5  # what was late must not pass for the next command's answer
TRIES = 3  # then the command line is taken to hang
LARGEST_ANSWER = 4096  # bytes without a line end
MOST_SAID = 20  # lines kept of an answer
PROMPT = re.compile(r"^\s*\w+:/>\s*")
LINE_ENDS = re.compile(r"[\r\n]+")


class Answer(StrEnum):
    """How a command ended."""

    DONE = "done"
    IGNORED = "ignored"
    SKIPPED = "skipped"
    ERROR = "error"
    UNKNOWN = "unknown"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer and what was said beside it."""

    answer: Answer
    text: str = ""


# What a line says, in this order; final: nothing more is to come for this command.
SAYS: tuple[tuple[re.Pattern[str], Answer, bool], ...] = (
    (re.compile(r"is not recognized as a CLI command"), Answer.UNKNOWN, True),
    (re.compile(r"^Error\s+-?\d+$"), Answer.ERROR, True),
    (re.compile(r"^Error\b"), Answer.ERROR, False),
    (re.compile(r"^Ignored\b"), Answer.IGNORED, False),
    (re.compile(r"^Skipped$"), Answer.SKIPPED, True),
    (re.compile(r"^Done$"), Answer.DONE, True),
)


class Console:
    """Hand over a command with `ask`; then `next_bytes` and `receive` until `reply` is there."""

    def __init__(self, counters: Counter[str]) -> None:
        self._counters = counters
        self._command = Command("")
        self._held = ""
        self._answer: Answer | None = None
        self._said: list[str] = []
        self._due_s: float | None = None  # when to write
        self._until_s = 0.0  # how long to wait for an answer
        self._tries = 0
        self._free_s = 0.0  # earlier than this nothing is written
        self.reply: Reply | None = None

    def ask(self, command: Command, now_s: float) -> None:
        """Begin. What was still to come of the command before is thrown away until it is written."""
        self._command, self._due_s, self._tries = command, max(now_s, self._free_s), 0
        self._forget()

    def next_bytes(self, now_s: float) -> bytes | None:
        """The command when it is due, and again when nobody has answered."""
        if self._due_s is None and self.reply is None and now_s >= self._until_s:
            self._unanswered(now_s)
        if self._due_s is None or now_s < self._due_s:
            return None
        self._due_s, self._until_s, self._tries = None, now_s + ANSWER_S, self._tries + 1
        self._forget()
        self._counters["cli_commands"] += 1
        return self._command.text.encode("ascii") + b"\n"

    def wake_s(self) -> float:
        """When `next_bytes` must be asked again if nothing arrives before."""
        return self._until_s if self._due_s is None else self._due_s

    def receive(self, data: bytes, now_s: float) -> None:
        """Bytes of the command line."""
        if self._due_s is not None or self.reply is not None:
            return
        self._held += data.decode("ascii", "replace")
        if len(self._held) > LARGEST_ANSWER:
            self._counters["cli_garbled"] += 1
            self._held = self._held[-LARGEST_ANSWER:]
        *lines, self._held = LINE_ENDS.split(self._held)
        for line in lines:
            self._read(line, now_s)
        if PROMPT.sub("", self._held).strip() == "Done" or PROMPT.fullmatch(self._held):
            self._read(self._held, now_s)
            self._held = ""

    def _read(self, line: str, now_s: float) -> None:
        """One line of an answer; a prompt after something was said ends it too."""
        prompted = PROMPT.match(line) is not None
        said = PROMPT.sub("", line).strip()
        if self.reply is not None or (
            prompted and self._answer is not None and self._end(self._answer, now_s)
        ):
            return
        if not said or said == self._command.text:
            return
        for pattern, answer, final in SAYS:
            if pattern.search(said):
                if answer is not Answer.DONE:
                    self._said = [*self._said, said][-MOST_SAID:]
                self._answer = self._answer or answer
                if final:
                    self._end(self._answer, now_s)
                return
        self._said = [*self._said, said][-MOST_SAID:]

    def _end(self, answer: Answer, now_s: float) -> bool:
        settle_s = SETTLE_S if self._tries == 1 else SETTLE_AFTER_SILENCE_S
        self.reply, self._free_s = Reply(answer, " ".join(self._said)), now_s + settle_s
        self._counters[f"cli_{answer}"] += 1
        return True

    def _unanswered(self, now_s: float) -> None:
        self._counters["cli_timeouts"] += 1
        if self._tries < TRIES:
            self._due_s = now_s
        else:
            self._end(Answer.SILENT, now_s)

    def _forget(self) -> None:
        self._held, self._answer, self._said, self.reply = "", None, [], None
