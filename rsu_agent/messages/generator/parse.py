"""Reads the subset of ASN.1 that the schemas use; anything else is an error that names the line."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from rsu_agent.messages.generator.model import (
    BitString,
    Boolean,
    Choice,
    Enumerated,
    Field,
    Integer,
    OctetString,
    OpenType,
    Reference,
    Schema,
    Sequence,
    SequenceOf,
    Text,
    Type,
)

TOKEN = re.compile(r"--[^\n]*|::=|\.\.\.|\.\.|[{}(),]|-?\d+|[A-Za-z][A-Za-z0-9-]*|\n|[ \t\r]+|.")


class SchemaError(ValueError):
    """Text outside the subset."""


class _Tokens:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, int]] = []
        line = 1
        for match in TOKEN.finditer(text):
            token = match.group()
            line += token == "\n"
            if token.strip() and not token.startswith("--"):
                self._tokens.append((token, line))
        self._at = 0

    def peek(self, ahead: int = 0) -> str:
        """The token to come, empty at the end."""
        at = self._at + ahead
        return self._tokens[at][0] if at < len(self._tokens) else ""

    def take(self, wanted: str | None = None) -> str:
        """The next token; must be `wanted` if given."""
        token = self.peek()
        if not token or (wanted is not None and token != wanted):
            line = self._tokens[min(self._at, len(self._tokens) - 1)][1]
            raise SchemaError(f"line {line}: {token or 'end'!r} where {wanted or 'more'!r} is needed")
        self._at += 1
        return token

    def have(self, token: str) -> bool:
        """Take the token if it is next."""
        if self.peek() == token:
            self._at += 1
            return True
        return False


def parse(text: str) -> Schema:
    """Every type of one module, in order. Raises SchemaError."""
    tokens = _Tokens(text)
    tokens.take()
    for word in ("DEFINITIONS", "AUTOMATIC", "TAGS", "::=", "BEGIN"):
        tokens.take(word)
    schema = Schema()
    while not tokens.have("END"):
        name = tokens.take()
        tokens.take("::=")
        schema[name] = _type(tokens)
    return schema


def _type(tokens: _Tokens) -> Type:
    word = tokens.take()
    return BUILT_IN[word](tokens) if word in BUILT_IN else Reference(word)


def _integer(tokens: _Tokens) -> Type:
    tokens.take("(")
    low = int(tokens.take())
    tokens.take("..")
    high = int(tokens.take())
    extensible = tokens.have(",") and bool(tokens.take("..."))
    tokens.take(")")
    return Integer(low, high, extensible)


def _enumerated(tokens: _Tokens) -> Type:
    tokens.take("{")
    root: list[tuple[int, str]] = []
    later: list[tuple[int, str]] = []
    extensible = False
    while not tokens.have("}"):
        if tokens.have("..."):
            extensible = True
        else:
            (later if extensible else root).append(_named_number(tokens))
        tokens.have(",")
    return Enumerated(_in_order(root), extensible, _in_order(later))


def _in_order(numbered: list[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(name for _, name in sorted(numbered))


def _named_number(tokens: _Tokens) -> tuple[int, str]:
    name = tokens.take()
    tokens.take("(")
    number = int(tokens.take())
    tokens.take(")")
    return number, name


def _size(tokens: _Tokens) -> tuple[int, int, bool]:
    tokens.take("(")
    tokens.take("SIZE")
    tokens.take("(")
    low = high = int(tokens.take())
    if tokens.have(".."):
        high = int(tokens.take())
    extensible = tokens.have(",") and bool(tokens.take("..."))
    tokens.take(")")
    tokens.take(")")
    return low, high, extensible


def _bit_string(tokens: _Tokens) -> Type:
    tokens.take("STRING")
    names: list[tuple[int, str]] = []
    if tokens.have("{"):
        while not tokens.have("}"):
            names.append(_named_number(tokens))
            tokens.have(",")
    return BitString(*_size(tokens), _in_order(names))


def _octet_string(tokens: _Tokens) -> Type:
    """Without a size it is, on the wire, an open type."""
    tokens.take("STRING")
    if tokens.peek() != "(":
        return OpenType()
    low, high, _ = _size(tokens)
    return OctetString(low, high)


def _text(kind: str, tokens: _Tokens) -> Type:
    low, high, _ = _size(tokens)
    return Text(kind, low, high)


def _fields(tokens: _Tokens) -> tuple[tuple[Field, ...], bool]:
    tokens.take("{")
    fields: list[Field] = []
    extensible = False
    while not tokens.have("}"):
        if tokens.have("..."):
            extensible = True
        else:
            name = tokens.take()
            kind = _type(tokens)
            fields.append(Field(name, kind, tokens.have("OPTIONAL") or _default(tokens)))
        tokens.have(",")
    return tuple(fields), extensible


def _default(tokens: _Tokens) -> bool:
    return tokens.have("DEFAULT") and bool(tokens.take())


def _sequence(tokens: _Tokens) -> Type:
    if tokens.peek() == "{":
        return Sequence(*_fields(tokens))
    low, high, extensible = _size(tokens)
    tokens.take("OF")
    return SequenceOf(low, high, _type(tokens), extensible)


def _choice(tokens: _Tokens) -> Type:
    return Choice(*_fields(tokens))


BUILT_IN: dict[str, Callable[[_Tokens], Type]] = {
    "INTEGER": _integer,
    "BOOLEAN": lambda _tokens: Boolean(),
    "ENUMERATED": _enumerated,
    "BIT": _bit_string,
    "OCTET": _octet_string,
    "IA5String": partial(_text, "IA5String"),
    "NumericString": partial(_text, "NumericString"),
    "UTF8String": partial(_text, "UTF8String"),
    "SEQUENCE": _sequence,
    "CHOICE": _choice,
}
