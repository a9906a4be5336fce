"""Writes decoders. A window is a slice of the message as one whole number:

`w` the number, `q` the bit position behind it, `s` how many of its bits are unread, so that p = q - s.
"""

from __future__ import annotations

from rsu_agent.messages.generator.lines import Lines, python_name
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
    resolve,
)
from rsu_agent.messages.generator.widths import fixed_bits, has_function, inlined, most_bits, windows


def decoder(
    name: str, kind: Sequence | Choice | SequenceOf, schema: Schema, constants: dict[str, str]
) -> str:
    """The function d_Name(b, p) -> (value, p)."""
    out = _Decoder(schema, constants)
    out(f"def d_{python_name(name)}(b, p):")
    with out.block():
        match kind:
            case SequenceOf():
                out.sequence_of(kind)
            case Sequence():
                out.sequence_function(kind)
            case Choice():
                out.choice_function(kind)
    return out.text()


class _Decoder(Lines):
    """Statements that read. `size`: bytes of the open window; 0: there is none, `p` is the position."""

    def __init__(self, schema: Schema, constants: dict[str, str]) -> None:
        super().__init__(constants)
        self.schema = schema
        self.size = 0

    def open(self, bits: int) -> None:
        """Open a window that holds so many bits from p on."""
        self.size = (bits + 7 + 7) // 8
        self("i = p >> 3")
        self(f"w = from_bytes(b[i:i + {self.size}], 'big')")
        self(f"q = i + {self.size} << 3")
        self("s = q - p")

    def close(self) -> None:
        """Back to p."""
        if self.size:
            self("p = q - s")
            self.size = 0

    def reopen(self) -> None:
        """After something that read for itself up to p, inside an open window."""
        size = self.size
        self.open(8 * size - 14)
        self.size = size

    def value(self, kind: Type, target: str, depth: int) -> None:
        """Read a value of any type into `target`."""
        if isinstance(kind, Reference) and has_function(kind, self.schema):
            self(f"{target}, p = d_{python_name(kind.name)}(b, p)")
            return
        name = kind.name if isinstance(kind, Reference) else ""
        resolved = resolve(kind, self.schema)
        match resolved:
            case Sequence():
                self.sequence(resolved, f"v{depth}", depth)
                self(f"{target} = v{depth}")
            case Choice():
                self.choice(resolved, target, depth)
            case SequenceOf():
                raise TypeError("a list must have a name of its own")
            case Integer(extensible=True):
                self.extensible_integer(resolved, target)
            case Enumerated(extensible=True):
                self.extensible_enumerated(resolved, name, target)
            case BitString(low=low, high=high, extensible=True) if low == high:
                self.extensible_bits(low, target)
            case _:
                width = fixed_bits(resolved, self.schema)
                if width is None:
                    self.string(resolved, target)
                    return
                self(f"s -= {width}")
                self.leaf(resolved, name, f"w >> s & {(1 << width) - 1}", target)

    def leaf(self, kind: Type, name: str, bits: str, target: str) -> None:
        """A leaf of fixed width whose bits are the expression `bits`."""
        match kind:
            case Integer(low=low, high=high):
                shown = f"({bits}) - {-low}" if low < 0 else f"({bits}) + {low}" if low else bits
                if high - low + 1 == 1 << kind.bits:
                    self(f"{target} = {shown}")
                    return
                self(f"x = {shown}")
                self(f"if x > {high}:")
                self(f"    raise Malformed('integer', f'{{x}} not in {low}..{high}')")
                self(f"{target} = x")
            case Boolean():
                self(f"{target} = ({bits}) == 1")
            case Enumerated(names=names):
                table = self.constant("NAMES_OF", name or "_".join(names[:2]), repr(names))
                self(f"{target} = {table}[{bits}]")
            case BitString(low=size):
                lift = f" << {-size & 7}" if size & 7 else ""
                self(f"{target} = (({bits}){lift}).to_bytes({(size + 7) // 8}, 'big'), {size}")
            case OctetString(low=size):
                self(f"{target} = ({bits}).to_bytes({size}, 'big')")

    def extensible_integer(self, kind: Integer, target: str) -> None:
        self("s -= 1")
        self("if w >> s & 1:")
        with self.block():
            self(f"{target}, p = other_integer(b, q - s)")
            self.reopen()
        self("else:")
        with self.block():
            self(f"s -= {kind.bits}")
            self.leaf(Integer(kind.low, kind.high), "", f"w >> s & {(1 << kind.bits) - 1}", target)

    def extensible_enumerated(self, kind: Enumerated, name: str, target: str) -> None:
        table = self.constant("NAMES_OF", name or "_".join(kind.names[:2]), repr(kind.names))
        self(f"s -= {kind.bits + 1}")
        self(f"x = w >> s & {(1 << (kind.bits + 1)) - 1}")
        self(f"if x < {len(kind.names)}:")
        self(f"    {target} = {table}[x]")
        self(f"elif x < {1 << kind.bits}:")
        self("    raise Malformed('enumeration', f'no value {x}')")
        self("else:")
        with self.block():
            self(f"{target}, p = addition(b, q - s - {kind.bits}, {kind.later!r})")
            self.reopen()

    def extensible_bits(self, size: int, target: str) -> None:
        self("s -= 1")
        self("if w >> s & 1:")
        with self.block():
            self(f"{target}, p = longer_bits(b, q - s)")
            self.reopen()
        self("else:")
        with self.block():
            self(f"s -= {size}")
            self.leaf(BitString(size, size), "", f"w >> s & {(1 << size) - 1}", target)

    def string(self, kind: Type, target: str) -> None:
        """What carries its length with it reads for itself."""
        match kind:
            case BitString(low=low, high=high):
                self(f"{target}, p = bits(b, p, {low}, {high})")
            case OctetString(low=low, high=high):
                self(f"{target}, p = octets(b, p, {low}, {high})")
            case Text():
                self(f"{target}, p = text(b, p, {kind.kind!r}, {kind.low}, {kind.high})")
            case OpenType():
                self(f"{target}, p = open_type(b, p)")
            case _:
                raise TypeError(f"{kind} cannot be read")

    def sequence_function(self, kind: Sequence) -> None:
        """A function's body: as few windows as its lists and texts allow."""
        head = len(kind.optional) + kind.extensible
        runs = windows([field.type for field in kind.fields], self.schema)
        first = runs[0][1] if runs else 0
        if head:
            self.open(head + first)
            self(f"s -= {head}")
            self(f"o1 = w >> s & {(1 << head) - 1}")
        self("v1 = {}")
        for number, (indices, width) in enumerate(runs):
            if not width:
                self.close()
            elif not self.size or number:
                self.close()
                self.open(width)
            self.fields([kind.fields[i] for i in indices], kind, "v1", 1)
        self.close()
        if kind.extensible:
            self(f"if o1 & {1 << len(kind.optional)}:")
            self("    v1['...'], p = additions(b, p)")
        self("return v1, p")

    def sequence(self, kind: Sequence, target: str, depth: int) -> None:
        """In place, within the open window."""
        if kind.optional:
            self(f"s -= {len(kind.optional)}")
            self(f"o{depth} = w >> s & {(1 << len(kind.optional)) - 1}")
        self(f"{target} = {{}}")
        self.fields(list(kind.fields), kind, target, depth)

    def fields(self, fields: list[Field], kind: Sequence, target: str, depth: int) -> None:
        """Runs of mandatory leaves of fixed width share one shift."""
        run: list[Field] = []
        for field in fields:
            if not field.optional and fixed_bits(field.type, self.schema) is not None:
                run.append(field)
                continue
            self.run(run, target)
            run = []
            item = f"{target}[{field.name!r}]"
            if not field.optional:
                self.value(field.type, item, depth + 1)
                continue
            optional = kind.optional
            self(f"if o{depth} & {1 << (len(optional) - 1 - optional.index(field))}:")
            with self.block():
                self.value(field.type, item, depth + 1)
        self.run(run, target)

    def run(self, run: list[Field], target: str) -> None:
        """Consecutive leaves: the window is moved once."""
        widths = [fixed_bits(field.type, self.schema) or 0 for field in run]
        left = sum(widths)
        if not run:
            return
        self(f"s -= {left}")
        source = "w >> s"
        if len(run) > 1:
            self("z = w >> s")
            source = "z"
        for field, width in zip(run, widths, strict=True):
            left -= width
            bits = f"{source} >> {left} & {(1 << width) - 1}" if left else f"{source} & {(1 << width) - 1}"
            name = field.type.name if isinstance(field.type, Reference) else ""
            self.leaf(resolve(field.type, self.schema), name, bits, f"{target}[{field.name!r}]")

    def choice(self, kind: Choice, target: str, depth: int) -> None:
        """In place, within the open window."""
        self(f"s -= {kind.bits}")
        self(f"c = w >> s & {(1 << kind.bits) - 1}")
        for index, field in enumerate(kind.fields):
            self(f"{'elif' if index else 'if'} c == {index}:")
            with self.block():
                self.value(field.type, f"y{depth}", depth + 1)
                self(f"{target} = {field.name!r}, y{depth}")
        if len(kind.fields) < 1 << kind.bits:
            self("else:")
            self("    raise Malformed('choice', f'no alternative {c}')")

    def choice_function(self, kind: Choice) -> None:
        """A function's body: every alternative returns."""
        width = kind.bits + kind.extensible
        self(f"c = read_bits(b, p, {width})")
        self(f"p += {width}")
        for index, field in enumerate(kind.fields):
            self(f"if c == {index}:")
            with self.block():
                bits = most_bits(field.type, self.schema) if inlined(field.type, self.schema) else None
                if bits is not None:
                    self.open(max(1, bits))
                self.value(field.type, "y", 1)
                self.close()
                self(f"return ({field.name!r}, y), p")
        if kind.extensible:
            self(f"if c >= {1 << kind.bits}:")
            self(f"    return alternative(b, p - {kind.bits})")
        self("raise Malformed('choice', f'no alternative {c}')")

    def sequence_of(self, kind: SequenceOf) -> None:
        """A function's body: the count, then the items, each with a window of its own if it is small."""
        width = (kind.high - kind.low).bit_length()
        if kind.extensible:
            self(f"x, p = longer_list(b, p, {kind.low}, {kind.high})")
        else:
            self(f"x = read_bits(b, p, {width}) + {kind.low}" if width else f"x = {kind.low}")
            if width:
                self(f"p += {width}")
            self(f"if x > {kind.high}:")
            self(f"    raise Malformed('list', f'{{x}} items, at most {kind.high}')")
        self("v = []")
        self("for _ in range(x):")
        with self.block():
            bits = most_bits(kind.item, self.schema) if inlined(kind.item, self.schema) else None
            if bits is not None:
                self.open(max(1, bits))
            self.value(kind.item, "y", 1)
            self.close()
            self("v.append(y)")
        self("return v, p")
