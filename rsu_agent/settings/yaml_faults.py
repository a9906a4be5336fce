"""A site file as a tree with places; what is no YAML is told where it begins to be wrong, in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from rsu_agent.settings.explain import Fault, Place, SiteInvalid
from rsu_agent.settings.language import later, say

At = tuple[int, int]
BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
NO_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
OPENED = {"'}'": "{", "']'": "["}
CLOSES = {"{": "}", "[": "]"}
FULL_WIDTH_COLON = "\uff1a"


def tree_of(data: bytes, file: str, *, may_be_empty: bool = False) -> CommentedMap:
    """The tree of a site file. Raises SiteInvalid at the place where it is no YAML, or no mapping."""
    text = _decoded(data, file)
    try:
        tree = YAML(typ="rt").load(text)
    except DuplicateKeyError as error:
        raise SiteInvalid([_twice(text, file) or _fault(file, (1, 1), str(error.problem))]) from None
    except MarkedYAMLError as error:
        place, reason = _explained(error, text.splitlines())
        raise SiteInvalid([_fault(file, place, reason)]) from None
    except RecursionError:
        raise SiteInvalid([_fault(file, (1, 1), say("is nested too deeply, or holds itself"))]) from None
    except (YAMLError, ValueError) as error:
        raise SiteInvalid([_fault(file, (1, 1), " ".join(str(error).split()))]) from None
    if tree is None and may_be_empty:
        return CommentedMap()
    if not isinstance(tree, CommentedMap):
        said = say("is empty: it must hold sections such as site: and controller:")
        wrong = say("must be sections of keys, each `name:` on a line of its own")
        raise SiteInvalid([Fault(file, 1, 1, "(file)", said if tree is None else wrong)])
    return tree


def _decoded(data: bytes, file: str) -> str:
    coding = next((name for mark, name in BOMS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(coding)
    except UnicodeDecodeError as error:
        place = _place(data[: error.start].decode(coding, "replace"))
        wrong = data[error.start : error.start + 1].hex().upper()
        reason = say("byte {byte} is not UTF-8: save the file as UTF-8 (it may be GBK)", byte=wrong)
        raise SiteInvalid([_fault(file, place, reason)]) from None
    if found := NO_TEXT.search(text):
        sign = f"U+{ord(found[0]):04X}"
        reason = say("the character {sign} cannot stand in a file of text", sign=sign)
        raise SiteInvalid([_fault(file, _place(text[: found.start()]), reason)])
    return text


def _place(before: str) -> At:
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _fault(file: str, place: At, reason: str, other: At | None = None) -> Fault:
    return Fault(file, *place, "(yaml)", reason, other and Place(file, *other))


def _marked(mark: Any) -> At:
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def _explained(error: MarkedYAMLError, lines: list[str]) -> tuple[At, str]:
    """Where it went wrong and in what way; what is not known here keeps the words of the library."""
    problem, at, began = str(error.problem), _marked(error.problem_mark), _marked(error.context_mark)
    line = lines[at[0] - 1] if at[0] <= len(lines) else ""
    if found := re.match(r"expected ',' or ('[}\]]')", problem):
        return _unclosed(OPENED[found[1]], at, began, ended="<stream end>" in problem)
    if problem.startswith("found character '\\t'"):
        return at, say("a tab stands here: indent with spaces")
    if found := re.match(r"found character '(.)'", problem):
        return at, say("a value cannot begin with {sign}: put it in quotation marks", sign=found[1])
    if problem == "found unexpected end of stream":
        return began, say("this quotation mark is never closed")
    if problem == "mapping values are not allowed here":
        return _second_colon(line, at)
    if problem == "could not find expected ':'":
        return began, _no_colon(lines[began[0] - 1])
    if found := re.match(r"found undefined alias '?([^']*)'?", problem):
        said = later("*{name} stands for nothing: put a value that begins with * in quotation marks")
        return at, say(said, name=found[1])
    if problem == "but found another document":
        return at, say("--- begins a second document: a site file is one")
    if problem.startswith("expected <block end>"):
        return at, _not_in_line(problem)
    return at, problem


def _unclosed(sign: str, at: At, began: At, *, ended: bool) -> tuple[At, str]:
    closing = CLOSES[sign]
    if at[0] == began[0] and not ended:
        return at, say("a comma or {closing} is missing before this", closing=closing)
    return began, say("this {sign} is never closed: {closing} is missing", sign=sign, closing=closing)


def _second_colon(line: str, at: At) -> tuple[At, str]:
    """Either a line that is indented too far, or a value with a colon in it."""
    indent = len(line) - len(line.lstrip())
    if ": " in line[: at[1] - 1]:
        return at, say("a second colon: put the value in quotation marks")
    return (at[0], indent + 1), say("is indented too far: as many spaces as the keys beside it, no more")


def _no_colon(line: str) -> str:
    if FULL_WIDTH_COLON in line:
        return say("a full-width colon stands here: type : and a space after it")
    if ":" in line:
        return say("a space is missing after the colon")
    return say("a : is missing after the key")


def _not_in_line(problem: str) -> str:
    for sign in CLOSES.values():
        if f"found '{sign}'" in problem:
            return say("this {sign} closes nothing", sign=sign)
    if "<scalar>" in problem:
        return say("what follows the closing quotation mark does not belong to the value")
    return say("does not stand below the keys that it belongs to: use the same number of spaces")


def _twice(text: str, file: str) -> Fault | None:
    """The second of two equal keys of one mapping, and the first."""
    for mapping in _mappings(YAML(typ="rt").compose(text)):
        seen: dict[str, Any] = {}
        for key, _ in mapping.value:
            if key.value in seen:
                said = say("{key} stands here twice", key=key.value)
                return _fault(file, _marked(key.start_mark), said, _marked(seen[key.value]))
            seen[key.value] = key.start_mark
    return None


def _mappings(node: Node | None) -> Iterator[MappingNode]:
    """Every mapping in a tree of nodes, from the top down."""
    waiting = [node]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, MappingNode):
            yield node
            waiting += [value for _, value in node.value]
        elif isinstance(node, SequenceNode):
            waiting += node.value
