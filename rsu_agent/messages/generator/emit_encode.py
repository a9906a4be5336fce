"""Writes encoders: `a` holds the bits so far as one whole number, `n` how many they are."""

from __future__ import annotations

from rsu_agent.messages.generator.lines import Lines, python_name
from rsu_agent.messages.generator.model import (
    BitString,
    Boolean,
    Choice,
    Enumerated,
    Integer,
    OctetString,
    OpenType,
    Reference,
    Schema,
    Sequence,
    SequenceOf,
    Text,
    Type,
    resolve,
)
from rsu_agent.messages.generator.widths import has_function


def encoder(
    name: str, kind: Sequence | Choice | SequenceOf, schema: Schema, constants: dict[str, str]
) -> str:
    """The function e_Name(v) -> (a, n)."""
    out = _Encoder(schema, constants)
    out(f"def e_{python_name(name)}(v):")
    with out.block():
        match kind:
            case SequenceOf():
                out.sequence_of(kind)
            case Sequence():
                width = out.sequence(kind, "v", 0)
                out(f"return a, {out.count(width)}")
            case Choice():
                out.choice_function(kind)
    return out.text()


class _Encoder(Lines):
    """Statements that append to (a, n). `empty`: nothing has been appended yet, `a` does not exist."""

    def __init__(self, schema: Schema, constants: dict[str, str]) -> None:
        super().__init__(constants)
        self.schema = schema
        self.empty = True
        self.counted = False  # whether the variable n exists

    def count(self, width: int) -> str:
        """The expression of all bits: those counted while running and those known beforehand."""
        if not self.counted:
            return str(width)
        return f"n + {width}" if width else "n"

    def add(self, width: str) -> None:
        """Count bits while running."""
        self(f"n += {width}" if self.counted else f"n = {width}")
        self.counted = True

    def begin(self) -> None:
        """Both a and n exist from here on: what follows may or may not append."""
        if self.empty:
            self("a = 0")
            self.empty = False
        if not self.counted:
            self.add("0")

    def append(self, width: int, expression: str) -> int:
        """Append so many bits; returns the width."""
        self(f"a = {expression}" if self.empty else f"a = a << {width} | {expression}")
        self.empty = False
        return width

    def appended(self, call: str) -> int:
        """Append what a function returns."""
        if self.empty:
            self(f"a, n = {call}" if not self.counted else f"a, k = {call}")
            if self.counted:
                self("n += k")
            self.empty, self.counted = False, True
            return 0
        self(f"m, k = {call}")
        self("a = a << k | m")
        self.add("k")
        return 0

    def value(self, kind: Type, expression: str, depth: int) -> int:
        """Append a value of any type; returns the bits known beforehand."""
        if isinstance(kind, Reference) and has_function(kind, self.schema):
            return self.appended(f"e_{python_name(kind.name)}({expression})")
        name = kind.name if isinstance(kind, Reference) else ""
        kind = resolve(kind, self.schema)
        match kind:
            case Integer():
                return self.integer(kind, expression)
            case Boolean():
                return self.append(1, f"BOOLEAN[{expression}]")
            case Enumerated():
                return self.enumerated(kind, name, expression)
            case Sequence():
                self(f"v{depth} = {expression}")
                return self.sequence(kind, f"v{depth}", depth)
            case Choice():
                return self.choice(kind, expression, depth)
            case SequenceOf():
                raise TypeError("a list must have a name of its own")
        return self.string(kind, expression)

    def integer(self, kind: Integer, expression: str) -> int:
        self(f"x = {expression}")
        self(f"if not {kind.low} <= x <= {kind.high}:")
        if kind.extensible:
            self("    m, k = put_other_integer(x)")
            self("else:")
            self(f"    m, k = x - {kind.low}, {kind.bits + 1}")
            return self.appended("m, k")
        self("    raise Malformed")
        shifted = f"x - {kind.low}" if kind.low > 0 else f"x + {-kind.low}" if kind.low else "x"
        return self.append(kind.bits, shifted if self.empty or not kind.low else f"({shifted})")

    def enumerated(self, kind: Enumerated, name: str, expression: str) -> int:
        numbers = {value: index for index, value in enumerate(kind.names)}
        table = self.constant("NUMBER_OF", name or "_".join(kind.names[:2]), repr(numbers))
        if not kind.extensible:
            return self.append(kind.bits, f"{table}[{expression}]")
        self.begin()
        self("try:")
        self(f"    a = a << {kind.bits + 1} | {table}[{expression}]")
        self("except KeyError:")
        self(f"    m, k = put_addition({expression}, {kind.later!r})")
        self("    a = a << k | m")
        self(f"    n += k - {kind.bits + 1}")
        return kind.bits + 1

    def string(self, kind: Type, expression: str) -> int:
        """Bit strings, byte strings, text, open types."""
        match kind:
            case BitString(low=size, high=high) if size == high:
                self(f"x, y = {expression}")
                self(f"if y != {size} or len(x) != {(size + 7) // 8}:")
                if kind.extensible:
                    return self.other_size(size)
                self("    raise Malformed")
                drop = f" >> {-size & 7}" if size & 7 else ""
                return self.append(size, f"from_bytes(x, 'big'){drop}")
            case OctetString(low=size, high=high) if size == high:
                self(f"x = {expression}")
                self(f"if len(x) != {size}:")
                self("    raise Malformed")
                return self.append(8 * size, "from_bytes(x, 'big')")
            case BitString(low=low, high=high):
                return self.appended(f"put_bits({expression}, {low}, {high})")
            case OctetString(low=low, high=high):
                return self.appended(f"put_octets({expression}, {low}, {high})")
            case Text():
                return self.appended(f"put_text({expression}, {kind.kind!r}, {kind.low}, {kind.high})")
            case OpenType():
                return self.appended(f"put_open({expression})")
        raise TypeError(f"{kind} cannot be written")

    def other_size(self, size: int) -> int:
        """An extensible bit string: one bit, then the root size or a length with the bits."""
        self("    m, k = put_longer_bits(x, y)")
        self("else:")
        drop = f" >> {-size & 7}" if size & 7 else ""
        self(f"    m, k = from_bytes(x, 'big'){drop}, {size + 1}")
        return self.appended("m, k")

    def sequence(self, kind: Sequence, value: str, depth: int) -> int:
        """Presence bits, then the fields; returns the bits known beforehand."""
        optional = kind.optional
        width = len(optional) + kind.extensible
        o = f"o{depth}"
        self.presence(kind, value, o)
        known = self.append(width, o) if width else 0
        for field in kind.fields:
            item = f"{value}[{field.name!r}]"
            if not field.optional:
                known += self.value(field.type, item, depth + 1)
                continue
            self.begin()
            self(f"if {o} & {1 << (len(optional) - 1 - optional.index(field))}:")
            with self.block():
                if more := self.value(field.type, item, depth + 1):
                    self.add(str(more))
        if kind.extensible:
            self.begin()
            self(f"if {o} & {1 << len(optional)}:")
            with self.block():
                self.appended(f"put_additions({value}['...'])")
        return known

    def presence(self, kind: Sequence, value: str, o: str) -> None:
        """The presence bits. With as many fields as it must have it has those, else a look-up fails."""
        optional = [field.name for field in kind.optional]
        required = len(kind.fields) - len(optional)
        if not optional and not kind.extensible:
            self(f"if len({value}) != {required}:")
            self("    raise Malformed")
            return
        names = ["..."] * kind.extensible + optional
        self(f"x = len({value})")
        self(f"if x == {required}:")
        self(f"    {o} = 0")
        if len(optional) > 1 and not kind.extensible:
            self(f"elif x == {len(kind.fields)}:")
            self(f"    {o} = {(1 << len(optional)) - 1}")
        self("else:")
        bits = " | ".join(_shifted(f"({n!r} in {value})", len(names) - 1 - i) for i, n in enumerate(names))
        self(f"    {o} = {bits}")
        self(f"    if x != {required} + {o}.bit_count():")
        self("        raise Malformed")

    def choice(self, kind: Choice, expression: str, depth: int) -> int:
        """The index and the value of one alternative, in place."""
        self(f"c, y{depth} = {expression}")
        self.begin()
        for index, field in enumerate(kind.fields):
            self(f"{'elif' if index else 'if'} c == {field.name!r}:")
            with self.block():
                width = self.append(kind.bits, str(index))
                self.add(str(width + self.value(field.type, f"y{depth}", depth + 1)))
        self("else:")
        self("    raise Malformed")
        return 0

    def choice_function(self, kind: Choice) -> None:
        """A function's body: every alternative returns."""
        self("c, y = v")
        for index, field in enumerate(kind.fields):
            self(f"if c == {field.name!r}:")
            with self.block():
                self.empty, self.counted = True, False
                width = kind.bits + kind.extensible
                if index:
                    self.append(0, str(index))
                known = self.value(field.type, "y", 1)
                if self.empty:
                    self.append(0, "0")
                self(f"return a, {self.count(known + width)}")
        if kind.extensible:
            self("return put_alternative(c, y)")
        else:
            self("raise Malformed")

    def sequence_of(self, kind: SequenceOf) -> None:
        """A function's body: the count, then the items."""
        width = (kind.high - kind.low).bit_length()
        self("x = len(v)")
        self(f"if not {kind.low} <= x <= {kind.high}:")
        if kind.extensible:
            self("    m, n = put_longer_list(x)")
            self("else:")
            self(f"    m, n = x - {kind.low}, {width + 1}")
            self("a = m")
        else:
            self("    raise Malformed")
            self(f"a = x - {kind.low}" if width else "a = 0")
            self(f"n = {width}")
        self.empty, self.counted = False, True
        self("for y in v:")
        with self.block():
            if known := self.value(kind.item, "y", 1):
                self.add(str(known))
        self("return a, n")


def _shifted(bit: str, by: int) -> str:
    return f"{bit} << {by}" if by else bit
