"""The `Protocol` record: everything that rawscope knows of one protocol.

Each protocol's module ends with a `PROTOCOLS` tuple of such records, and `core.wire.registry` lists
them. The readers of frames, the packet table, JSON, the checksum verdicts, the computed fields and
the packet forge derive their tables from that list, so that adding a protocol takes one module and
one line in the registry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.wire.model.assigned_numbers import EtherType
from core.wire.model.batch import Network, Step
from core.wire.model.computed_number import ComputedNumber
from core.wire.model.dissection import Dissection, Layer
from core.wire.model.field import PlacedField, Value
from core.wire.model.options import OptionList
from core.wire.model.other_tools import NO_TOOLS, OtherTools
from core.wire.model.packet_parts import Header
from core.wire.model.table import Condition, HeaderTable
from core.wire.model.walk import Endpoints, Numbering, Parser


@dataclass(frozen=True, slots=True)
class Reader:
    """A parser, and the numbers of one numbering that lead to it.

    A computed next-protocol field takes the first number of the first reader of a protocol that
    has `is_computed`. `step` is the parser's counterpart in the batch decode, which
    marks the packet and ends at a reader without one: there it would leave the outermost packet.
    """

    space: Numbering
    numbers: tuple[int, ...]
    parser: Parser
    step: Step | None = None
    is_computed: bool = True


@dataclass(frozen=True, slots=True)
class ChecksumRule:
    """How to compute the field `checksum` of a protocol's first table.

    `pseudo_header` includes the pseudo-header (RFC 9293 §3.1, RFC 8200 §8.1), if
    `pseudo_header_when` is set only where the field that it names, of at most 64 bits, has one of
    its values. `covered_length` is a field with the number of covered bytes, or 0 for all of the
    packet; a header in which `own_length` is less than its table is malformed, and its checksum has
    no verdict. `cyclic` selects CRC-32C in place of the Internet checksum. A sum with
    `zero_is_absent` is sent as 0xFFFF when it is 0, and 0 is illegal over the network headers of
    `zero_is_illegal_over`. `is_header_only` leaves out what the header carries.
    """

    pseudo_header: bool = False
    pseudo_header_when: Condition | None = None
    covered_length: str = ""
    own_length: str = ""
    cyclic: bool = False
    zero_is_absent: bool = False
    zero_is_illegal_over: frozenset[Network] = frozenset()
    is_header_only: bool = False


class LayerPosition(IntEnum):
    """The position of a layer in a packet; lower is further out."""

    LINK = 0
    TAG = 1
    NETWORK = 2
    EXTENSION = 3
    TRANSPORT = 4


@dataclass(frozen=True, slots=True)
class LayerKind:
    """One form of a layer that a draft can contain.

    `over` is the layer that `core.forge.export.rawscope.inferred_layers` puts around this one if
    the user names none in that position; `outer_values` are the values that fields around this
    layer take, by their full names, if the user types none. `body` labels the input for the bytes
    after the tables and is empty if the layer has none; `options` lists the options that can be
    entered by name there, and `example` shows some.
    """

    name: str
    title: str
    place: LayerPosition
    tables: tuple[HeaderTable, ...]
    continuations: tuple[HeaderTable, ...] = ()
    over: str = ""
    outer_values: Mapping[str, int] = field(default_factory=dict)
    body: str = ""
    options: OptionList | None = None
    example: str = ""

    @property
    def body_hint(self) -> str:
        """Return a short description of what the user can type for the body."""
        return f"{self.example} or hex:…" if self.options is not None else "hex"

    @property
    def prefix(self) -> str:
        """Return the prefix of the layer's field names."""
        return self.tables[0].name

    def tables_for(self, given: Mapping[str, Value]) -> tuple[HeaderTable, ...]:
        """Return the tables in use for these values, which go by the name inside the table."""
        tables = self.tables
        for table in self.continuations:
            if table.when is None:
                continue
            key, numbers = table.when
            number = given.get(key, tables[0][key].field.default)
            if number in numbers and table.start == tables[-1].stop:
                tables += (table,)
        return tables


OPTIONS_BODY = "Options"
REST_BODY = "Rest of the header"

Info = Callable[[Layer, Dissection], str]


class SequenceBase(NamedTuple):
    """The part of a TCP segment's Info line that an analysis of the connection gives.

    `sequence` and `acknowledgment` are subtracted for relative numbers, unless they are None.
    `shift` scales the window. `mark` begins the line: ``[TCP Retransmission]``.
    """

    sequence: int | None
    acknowledgment: int | None
    shift: int = 0
    mark: str = ""


RelativeInfo = Callable[[Layer, Dissection, SequenceBase | None], str]


class SequenceBases(NamedTuple):
    """The `SequenceBase` of n packets: columns (n,) int64, `UNKNOWN_BASE` for None.

    ``marks`` (n,) are of `str`.
    """

    sequence: NDArray[np.int64]
    acknowledgment: NDArray[np.int64]
    shift: NDArray[np.int64]
    marks: NDArray[np.object_]

    @classmethod
    def unknown(cls, count: int) -> SequenceBases:
        """Return the bases of packets without a captured handshake."""
        sequence, acknowledgment = np.full((2, count), UNKNOWN_BASE, dtype=np.int64)
        marks = np.full(count, "", dtype=object)
        return cls(sequence, acknowledgment, np.zeros(count, np.int64), marks)

    @classmethod
    def only(cls, base: SequenceBase) -> SequenceBases:
        """Return the base of one packet."""
        found = cls.unknown(1)
        values: tuple[int | str | None, ...] = base
        for column, value in zip(found, values, strict=True):
            column[0] = UNKNOWN_BASE if value is None else value
        return found

    def take(self, rows: NDArray[np.int64] | slice) -> SequenceBases:
        """Return the bases of some packets."""
        return SequenceBases(
            self.sequence[rows], self.acknowledgment[rows], self.shift[rows], self.marks[rows]
        )

    def of(self, row: int) -> SequenceBase | None:
        """Return what is known of one packet, or None if neither number is known."""
        numbers = (int(self.sequence[row]), int(self.acknowledgment[row]))
        if numbers == (UNKNOWN_BASE, UNKNOWN_BASE):
            return None
        sequence, acknowledgment = (None if each == UNKNOWN_BASE else each for each in numbers)
        return SequenceBase(sequence, acknowledgment, int(self.shift[row]), self.marks[row])


UNKNOWN_BASE = -1


class HeaderColumns(NamedTuple):
    """n complete headers of one protocol, each the innermost of its packet and in no fragment.

    ``data`` uint8 are the bytes; header i begins at ``starts[i]`` in them, and the bytes that
    belong to it end at ``stops[i]``, which may be past the captured bytes (see `Layer.stop`).
    """

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    bases: SequenceBases

    def column(self, slot: PlacedField) -> NDArray[Any]:
        """Return a field of every header, (n,); see `PlacedField.column`."""
        return slot.column(self.data, self.starts)

    def take(self, index: NDArray[np.int64]) -> HeaderColumns:
        """Return the headers at these indices, over the same bytes."""
        bases = self.bases.take(index)
        return HeaderColumns(self.data, self.starts[index], self.stops[index], bases)


InfoColumns = Callable[[HeaderColumns], Sequence[str | None]]


class DerivedField(NamedTuple):
    """A number that follows from a whole packet, such as the length of a TCP segment.

    `name` is Wireshark's. `value` returns None if the packet does not have the number.
    """

    name: str
    label: str
    suffix: str
    value: Callable[[Layer, Dissection], int | None]


class HeaderLength(NamedTuple):
    """How to compute the length of a header (bytes) from fields of its first table.

    `length` takes a number for each of `keys`, or a column (n,) of each.
    """

    keys: tuple[str, ...]
    length: Callable[..., Any]


INFO_MARKS = " →[]=,?"
"""The characters between the numbers and the `info_texts` of Info lines."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Protocol:
    """One protocol. Fields of headers go by the name inside the table.

    ``name``        Wireshark's, and the prefix of the field names; `shown` is the table's
    ``tables``      its headers; those after the first continue it, or are other forms of it
    ``info``        writes the Info line of a complete header, `relative_info` the one with relative
                    sequence numbers; `info_columns` writes those of many packets at once, and None
                    where only `info` can, in the same words. Besides `info_texts`, those lines
                    have only numbers and `INFO_MARKS`; without any, they may have any text
    ``addresses``   the fields with the addresses of source and destination; the destination is
                    empty for a link that does not tell it
    ``destination_when`` the header needs a destination only if this holds
    ``network``     the kind of network header in the `network` column
    ``change_endpoints`` returns the pseudo-header's addresses after this header, if its options or
                    its route change them
    ``headline``    words for the fields that the tree shows beside the title, by field: the first,
                    and those of the others that are not 0; the addresses or ports, if it is empty
    ``meanings``    describe values that have no list of names
    ``derived``     numbers beside the fields
    ``readers``     what leads to the protocol, and how to read it
    ``quotes``      the EtherType of the packets that errors of this protocol quote
    ``computed``    how to compute fields that the user left empty, `checksum` the checksum
    ``alignment``   the unit of the header's length (bytes)
    ``length``      how to compute the header's length, if several fields give it
    ``kinds``       the forge's layers
    ``tools``       what other tools call the protocol

    `options_label` is the title of the options in the tree. A header with `has_options_field` has
    its options as one JSON value, too. The row shows the addresses of the innermost header with
    `shows_addresses`. An `is_fragment_header` states itself which fragment it begins. The capture
    adds an `is_capture_header`, which was never sent. `is_listed` protocols appear in
    ``frame.protocols``; each field of an `is_stacked` one is a list in JSON. A header ends with its
    tables, or after the length that a `computed` field or `length` gives; only the parser finds the
    end of one with `has_open_end`. In filters, the bytes of an `is_message` protocol are those of
    the whole message and not only of its header, as in Wireshark.
    """

    name: str
    shown: str = ""
    tables: tuple[HeaderTable, ...] = ()
    info: Info | None = None
    relative_info: RelativeInfo | None = None
    info_columns: InfoColumns | None = None
    info_texts: tuple[str, ...] = ()
    addresses: tuple[str, str] | None = None
    shows_addresses: bool = True
    destination_when: Condition | None = None
    headline: Mapping[str, str] = field(default_factory=dict)
    meanings: Mapping[str, Callable[[int], str]] = field(default_factory=dict)
    derived: tuple[DerivedField, ...] = ()
    options_label: str = "Options"
    has_options_field: bool = False
    is_fragment_header: bool = False
    is_capture_header: bool = False
    readers: tuple[Reader, ...] = ()
    computed: Mapping[str, ComputedNumber] = field(default_factory=dict)
    checksum: ChecksumRule | None = None
    alignment: int = 1
    length: HeaderLength | None = None
    has_open_end: bool = False
    is_message: bool = False
    kinds: tuple[LayerKind, ...] = ()
    tools: OtherTools = NO_TOOLS
    is_listed: bool = False
    is_stacked: bool = False
    network: Network = Network.NONE
    quotes: EtherType | None = None
    change_endpoints: Callable[[Header, Endpoints], Endpoints] | None = None

    @property
    def has_single_form(self) -> bool:
        """True if every header begins with the first table; the others continue it."""
        return all(table.start > 0 for table in self.tables[1:])

    @property
    def has_pseudo_header(self) -> bool:
        """True for a network header that carries others.

        Their pseudo-header has its two `addresses`, which lie side by side.
        """
        names_next = any(computed.names_next for computed in self.computed.values())
        return self.network is not Network.NONE and names_next

    @property
    def length_rule(self) -> HeaderLength | None:
        """Return how to compute the length of a header, or None if no field gives it."""
        if self.length is not None:
            return self.length
        for key, computed in self.computed.items():
            if computed.header_length is not None:
                return HeaderLength((key,), computed.header_length)
        return None

    @property
    def total_length_key(self) -> str:
        """Return the field with the bytes of header and payload, or "" without one.

        If it is 0, the payload is the rest of the packet.
        """
        return next((key for key, computed in self.computed.items() if computed.is_total), "")

    def header_lengths(
        self, data: NDArray[np.uint8], starts: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return the lengths (n,) of headers with a whole first table at `starts` (n,) in `data`.

        Headers without a length of their own have that of the first table.
        """
        table, rule = self.tables[0], self.length_rule
        if rule is None:
            return np.full(len(starts), table.stop)
        columns = (table[key].column(data, starts).astype(np.int64) for key in rule.keys)
        return np.asarray(rule.length(*columns))

    @property
    def options_field(self) -> str:
        """Return the JSON name of the options as one value, or "" if the protocol has none."""
        return f"{self.name}.options" if self.has_options_field else ""
