"""A command of a packet tool as it grows, and what it leaves out of the packet.

A command sets the fields that its tool has an option for, by the `CommandOptions` of each
protocol's record. The tool itself computes lengths and checksums and leaves every other field at
its default. What the packet has otherwise, in whatever layer, follows from the tables and is
named; so are layers, options, and payloads that the tool does not make.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from core.forge.compose.evaluation import Evaluation
from core.wire.encode.build import Built, BuiltField, DoesNotFitError, build
from core.wire.model.field import PlacedField
from core.wire.model.other_tools import Argument, CommandOptions, OtherTools
from core.wire.model.packet_parts import Header, Parts
from core.wire.protocol import LayerKind, LayerPosition, Protocol
from core.wire.registry import PROTOCOLS


class CommandText(NamedTuple):
    """A command, and what it leaves out of the packet, or why there is no command."""

    text: str
    missing: str


Placed = tuple[BuiltField, CommandOptions]  # a header in the packet, and how the tool sets it


@dataclass(frozen=True, slots=True)
class Tool:
    """A command-line tool: how it sets each protocol's headers, by the protocol's name."""

    options: dict[str, tuple[Protocol, CommandOptions]]

    @classmethod
    def of(cls, select: Callable[[OtherTools], CommandOptions | None]) -> Tool:
        """Return the tool whose options `select` takes from the records."""
        found = ((protocol, select(protocol.tools)) for protocol in PROTOCOLS)
        return cls({p.name: (p, options) for p, options in found if options is not None})

    def names(self, position: LayerPosition) -> str:
        """Return ``ARP, IPv4 and IPv6``: the protocols at `position` that the tool sets."""
        *others, last = (
            protocol.shown
            for protocol, _ in self.options.values()
            if protocol.kinds[0].place is position
        )
        return f"{', '.join(others)} and {last}" if others else last

    def placed(self, place: BuiltField) -> Placed | None:
        """Return a header with the tool's options for it, or None if the tool has none."""
        protocol, options = self.options.get(place.header.name, (None, None))
        if protocol is None or options is None or place.header.tables[0] is not protocol.tables[0]:
            return None
        return place, options

    def first(
        self, built: Built | None, position: LayerPosition, after: BuiltField | None = None
    ) -> Placed | None:
        """Return the outermost header at `position` that the tool sets, inside `after`."""
        start = after.offset + 1 if after is not None else 0
        for place in built.places if built is not None else ():
            protocol, _ = self.options.get(place.header.name, (None, None))
            if protocol is None or place.offset < start:
                continue
            if protocol.kinds[0].place is position:
                return self.placed(place)
        return None


@dataclass(slots=True)
class ToolCommand:
    """The words of a command, and the fields that they set, by the offset of the layer."""

    evaluation: Evaluation
    built: Built
    words: list[str]
    missing: list[str] = field(default_factory=list)
    covered: dict[int, set[str]] = field(default_factory=dict)

    def write(self, place: BuiltField, options: CommandOptions) -> None:
        """Add the words that choose the header's protocol and set its fields."""
        fields = self.covered.setdefault(place.offset, set())
        self.words += options.select
        for key, argument in options.arguments.items():
            if key not in place.values:
                continue
            words = _words(place, key, argument)
            if words is None:
                continue
            fields.update((key,) if argument.flag_words is None else argument.flag_words)
            self.words += words
        for key in sorted(options.own & place.values.keys()):
            fields.add(key)
            self.missing.append(place.header.slot(key).name)
        if options.quotes is not None and place.values[options.quotes[0]] in options.quotes[1]:
            self.missing.append("the packet that the error quotes")

    def write_target(self, place: BuiltField, options: CommandOptions) -> None:
        """Add the address that the command ends with."""
        self.covered.setdefault(place.offset, set()).add(options.target)
        self.words.append(_text(place, options.target))

    @property
    def payload(self) -> bytes:
        """The bytes that the innermost header carries."""
        return self.built.data[self.built.payload.start : self.built.payload.stop]

    def finished(self) -> CommandText:
        """Return the command, and what it leaves out."""
        left_out = list(self._left_out())
        if self.built.trailer.stop > self.built.trailer.start:
            left_out.append("the trailer")
        missing = ", ".join(dict.fromkeys(left_out + self.missing))
        return CommandText(shlex.join(self.words), missing)

    def _left_out(self) -> Iterator[str]:
        """Yield the layers, fields and options that the tool makes in another way."""
        counted = _computed(self.built)
        kinds = self.evaluation.draft.kinds()
        for index, (place, (kind, _)) in enumerate(zip(self.built.places, kinds, strict=True)):
            if place.offset not in self.covered:
                yield kind.title
                continue
            right = counted[index] if counted is not None else None
            for slot in _leaves(place):
                if not self._is_covered(place, slot) and not _is_default(place, slot, right):
                    yield slot.name
            if place.body.stop > place.body.start:
                yield _body_title(kind)

    def _is_covered(self, place: BuiltField, slot: PlacedField) -> bool:
        parent = slot.parent.key if slot.parent is not None else slot.key
        return bool({slot.key, parent} & self.covered[place.offset])


def _words(place: BuiltField, key: str, argument: Argument) -> tuple[str, ...] | None:
    """Return the words that set a field, or None if the tool has no word for its value."""
    if argument.flag_words is not None:
        words = (word for part, word in argument.flag_words.items() if place.values[part])
        return argument.option, ",".join(words) or argument.no_flags
    value = place.values[key]
    if argument.unless_zero and not value:
        return ()
    if argument.is_flag:
        return (argument.option,) if value else ()
    if argument.is_text:
        return argument.option, _text(place, key)
    assert isinstance(value, int)
    if argument.words is not None:
        return (argument.option, argument.words[value]) if value in argument.words else None
    number = value * argument.factor
    return argument.option, f"{number:x}" if argument.is_hexadecimal else f"{number}"


def _text(place: BuiltField, key: str) -> str:
    return place.header.slot(key).text(place.values[key])


def _computed(built: Built) -> tuple[BuiltField, ...] | None:
    """Return the headers of the packet with all lengths and sums computed; None if too long."""
    headers = []
    for place in built.places:
        header = place.header
        values = {
            key: value
            for key, value in header.values.items()
            if not header.slot(key).field.automatic
        }
        headers.append(Header(header.tables, values, header.body))
    payload = built.data[built.payload.start : built.payload.stop]
    try:
        return build(Parts(tuple(headers), payload)).places
    except DoesNotFitError:
        return None


def _is_default(place: BuiltField, slot: PlacedField, right: BuiltField | None) -> bool:
    """Return True if a tool writes this value without an option for the field."""
    if not slot.field.automatic:
        return place.values[slot.key] == slot.field.default
    if slot.key in place.computed:
        return True
    return right is not None and place.values[slot.key] == right.values[slot.key]


def _leaves(place: BuiltField) -> Iterator[PlacedField]:
    """Yield the fields that have no parts."""
    for table in place.header.tables:
        yield from (slot for slot in table.slots if not slot.field.parts)


def _body_title(kind: LayerKind) -> str:
    return f"{kind.title} {kind.body.lower()}"
