"""Options: the type-length-value lists that follow some fixed headers.

IPv4 and TCP options have the same form (RFC 791 §3.1, RFC 9293 §3.1): kind 0 ends the list, kind 1
is one byte of padding, and a length that counts kind and length too follows every other kind. IPv6
options count only their body, and their one-byte padding is kind 0 (RFC 8200 §4.2). Neighbor
discovery counts in units of 8 bytes (RFC 4861 §4.6). A length of less than the option's own first
bytes, or past the end of the list, ends the reading: the next option could be anywhere. The
option's `problem` says so.

The body of an option is a `HeaderTable` of its own that starts after kind and length, so option
fields have names, widths, spans and documentation like any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.wire.model.dissection import Option, OptionValue
from core.wire.model.field import Span
from core.wire.model.table import HeaderTable


@dataclass(frozen=True, slots=True)
class OptionKind:
    """The meaning of one kind. With `repeated`, the table fills the body as often as it fits."""

    name: str
    label: str
    table: HeaderTable | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class OptionList:
    """The way a protocol writes its options, and the kinds that it has.

    `prefix` names unknown kinds (``tcp.options.unknown``). `single` are kinds of one byte, of which
    `end` ends the list. The length byte counts `unit` bytes and covers kind and length themselves
    when `inclusive`.
    """

    prefix: str
    kinds: Mapping[int, OptionKind]
    single: frozenset[int] = frozenset({0, 1})
    end: int | None = 0
    inclusive: bool = True
    unit: int = 1

    def read(self, data: bytes, start: int, stop: int) -> tuple[Option, ...]:
        """Return the options in ``data[start:stop]``, which is wholly captured."""
        return tuple(self.each(data, start, stop))

    def each(self, data: bytes, start: int, stop: int) -> Iterator[Option]:
        """Yield the same options one by one."""
        while start < stop:
            option, readable = self._one(data, start, stop)
            yield option
            if not readable or option.kind == self.end:
                return
            start = option.span.stop

    def _one(self, data: bytes, start: int, stop: int) -> tuple[Option, bool]:
        """Return the option at `start`, and True if its end is known."""
        kind = data[start]
        known = self.kinds.get(kind)
        name = known.name if known else f"{self.prefix}.unknown"
        label = known.label if known else f"Unknown option {kind}"
        if kind in self.single:
            return Option(name, label, kind, Span(start, start + 1)), True
        problem = self._problem(data, start, stop)
        if problem:
            return Option(name, label, kind, Span(start, stop), problem=problem), False
        span = Span(start, start + self._length(data, start))
        values, problem = _values(known, data, span) if known else ((), "")
        return Option(name, label, kind, span, values, problem), True

    def _length(self, data: bytes, start: int) -> int:
        """Return all bytes of the option, kind and length included."""
        return data[start + 1] * self.unit + (0 if self.inclusive else 2)

    def _problem(self, data: bytes, start: int, stop: int) -> str:
        """Return why the option's end cannot be known, or an empty string."""
        if start + 2 > stop:
            return "no room for its length"
        length = self._length(data, start)
        if length < 2:
            return f"length {length} is less than 2"
        if start + length > stop:
            return f"length {length} goes past the {stop - start} bytes left"
        return ""


def _values(known: OptionKind, data: bytes, span: Span) -> tuple[tuple[OptionValue, ...], str]:
    table = known.table
    if table is None:
        return (), ""
    size = span.stop - span.start
    if size < table.stop:
        return (), f"length {size} is less than {table.stop}"
    values: list[OptionValue] = []
    at = span.start
    while at + table.stop <= span.stop:
        values += (
            OptionValue(slot, slot.read(data, at), slot.span.shifted(at)) for slot in table.slots
        )
        at += table.size
        if not known.repeated:
            break
    return tuple(values), ""
