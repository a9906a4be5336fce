"""Every controller driver: one place writes to the line, and it writes what the sans-IO session gave it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from rsu_agent.ports import dialogue
from rsu_agent.ports.plugins import Kind, plugins

DRIVERS = Path(__file__).parents[2] / "drivers"
CONTROLLERS = sorted(name for name, plugin in plugins().items() if plugin.kind is Kind.CONTROLLER)
WAYS_OUT = {"send", "sendall", "sendto", "sendmsg", "write", "writelines", "aclose_send", "send_bytes"}


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """(enclosing function, call) of every call in a file."""
    for outer in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for node in ast.walk(outer):
                if isinstance(node, ast.Call):
                    yield outer.name, node


@pytest.mark.parametrize("name", CONTROLLERS)
def test_no_controller_driver_writes_to_a_line_itself(name: str) -> None:
    ways = [
        (path.name, outer, ast.unparse(node))
        for path in (DRIVERS / name).glob("*.py")
        for outer, node in calls(path)
        if isinstance(node.func, ast.Attribute) and node.func.attr in WAYS_OUT
    ]
    layouts = [way for way in ways if not way[2].startswith(("HEAD.write", "self._line.write"))]
    assert not layouts
    assert not [way for way in ways if way[2].startswith("self._line.write")]


@pytest.mark.parametrize("name", CONTROLLERS)
def test_every_controller_driver_opens_its_line_in_one_place_with_the_role_of_the_site_file(
    name: str,
) -> None:
    opens = [
        (path.name, outer)
        for path in (DRIVERS / name).glob("*.py")
        for outer, node in calls(path)
        if ast.unparse(node.func) in ("open_line", "os.open", "open", "serial.Serial", "socket.socket")
    ]
    assert set(opens) == {("driver.py", "open_controller")}


def test_the_dialogue_writes_only_what_the_session_says() -> None:
    source = inspect.getsource(dialogue)
    assert source.count(".write(") == 1
    assert "if data := self._session.next_bytes(now_s):\n            await self._line.write(data)" in source
