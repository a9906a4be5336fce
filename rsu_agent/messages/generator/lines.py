"""Lines of generated Python with their indent, and the tables that stand above the functions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


def python_name(name: str) -> str:
    """A type's name as part of a Python name."""
    return name.replace("-", "_")


class Lines:
    """Call it with a line; `block` indents. constants: table text -> its name, shared by a module."""

    def __init__(self, constants: dict[str, str]) -> None:
        self._lines: list[str] = []
        self._indent = 0
        self._constants = constants

    def __call__(self, line: str) -> None:
        self._lines.append("    " * self._indent + line)

    @contextmanager
    def block(self) -> Iterator[None]:
        """What is written inside is one step further in."""
        self._indent += 1
        yield
        self._indent -= 1

    def text(self) -> str:
        """All lines."""
        return "\n".join(self._lines) + "\n"

    def constant(self, prefix: str, name: str, text: str) -> str:
        """The name of a table; equal tables share one."""
        key = f"{prefix} {text}"
        if key not in self._constants:
            wanted = f"{prefix}_{python_name(name)}"
            taken = set(self._constants.values())
            self._constants[key] = next(
                n for n in (wanted, *(f"{wanted}_{i}" for i in range(2, 99))) if n not in taken
            )
        return self._constants[key]
