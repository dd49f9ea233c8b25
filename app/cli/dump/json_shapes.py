"""Shapes: how to write the JSON of many packets with the same headers.

Packets of one *shape* have the same headers, options included, at the same offsets. So their JSON
differs only in values, and one template with a place for each value writes all of them. A shape is
made from one packet, its *model*, in the order in which `core.wire.present.record.record` adds the
keys; the tests compare both for every capture.

A header is read in *runs*: fields that begin and end on a byte together, such as the flags of TCP.
The text of a run of small fields is written once for each value that occurs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from json.encoder import encode_basestring_ascii
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.cli.dump.value_texts import TextTable, address_texts, hex_rows, hex_texts
from core.analysis.filter.types import Spans
from core.decode.chunk import Chunk
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.dissection import Dissection, Layer, Verdict
from core.wire.model.field import JsonValue, PlacedField, gather
from core.wire.model.kind import ADDRESS_TEXTS, Kind
from core.wire.present.record import DERIVED, OPTION_KEYS, PAYLOAD_KEYS, STACKED, protocols
from core.wire.transport.udp import UDP

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PacketGroup:
    """Packets of one shape: `rows` (n,) of a chunk, and the `starts` of their frames in its data.

    `numbers` (n,) are those of the packets in the capture; `protocol` and `info` (n,) are the texts
    of these columns of the packet table.
    """

    chunk: Chunk
    rows: Rows
    starts: Rows
    numbers: Rows
    protocol: NDArray[np.object_]
    info: NDArray[np.object_]


Column = Callable[[PacketGroup], Sequence[Any]]
"""Returns a value for each packet of a group."""

_WIDTHS = (1, 2, 4, 8)
_RUN_LIMIT = 1 << 14  # texts kept of a run
_RUN_TEXTS: dict[PlacedField, TextTable[int]] = {}
"""The texts of each run, by its first field."""


class NoShapeError(Exception):
    """The model has something that no template can express."""


@dataclass(slots=True)
class Template:
    """A text with a place for each of some columns. `keys` are the JSON keys that it has."""

    text: str = ""
    columns: list[Column] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)

    def literal(self, text: str) -> None:
        """Add text that all packets have."""
        self.text += text.replace("%", "%%")

    def place(self, form: str, column: Column) -> None:
        """Add a place, such as ``%d``, and the column that fills it."""
        self.text += form
        self.columns.append(column)

    def key(self, name: str) -> None:
        """Begin a value. Raise `NoShapeError` if the packet has the key already."""
        if name in self.keys:
            raise NoShapeError(name)
        self.literal(f',"{name}":' if self.keys else f'"{name}":')
        self.keys.add(name)


def layers_template(dissection: Dissection) -> Template:
    """Return the template for the part of the record that describes the packet's headers.

    Raise `NoShapeError`.
    """
    template = Template(keys={"frame.number"})
    template.key("frame.protocols")
    template.literal(encode_basestring_ascii(protocols(dissection)))
    if dissection.stop is not None:
        raise NoShapeError("it has a reason why dissection ended")
    for layer in dissection.layers:
        if layer.depth > 1 or layer.quoted or not layer.is_complete:
            raise NoShapeError(layer.name)
        _add_layer(template, layer, dissection)
    _add_payload(template, dissection)
    return template


def _add_payload(template: Template, dissection: Dissection) -> None:
    """Add the bytes after the innermost header."""
    if dissection.payload.start >= dissection.payload.stop:
        return
    layer = dissection.layers[-1]
    column = _payload_column(layer)
    if layer.name in PAYLOAD_KEYS:
        template.key(PAYLOAD_KEYS[layer.name])
        template.place('"%s"', column)
    template.key("data")
    template.place('"%s"', column)


def payload_ends(chunk: Chunk, rows: Rows, at: Rows) -> Rows:
    """Return where the captured payloads of transport headers end in their frames, (n,).

    `at` (n,) are the places of the headers in the frames. A datagram tells its own length.
    """
    ends = np.minimum(chunk.stop[rows], chunk.captured[rows]).astype(np.int64)
    datagrams = np.flatnonzero(chunk.transport[rows] == IpProtocol.UDP)
    starts = chunk.offset[rows[datagrams]].astype(np.int64) + at[datagrams]
    lengths = UDP["length"].column(chunk.data, starts).astype(np.int64)
    own = np.where(lengths > 0, at[datagrams] + lengths, ends[datagrams])
    ends[datagrams] = np.minimum(ends[datagrams], own)
    return ends


def _payload_column(layer: Layer) -> Column:
    at, start = layer.offset, layer.offset + layer.header_length

    def column(group: PacketGroup) -> Sequence[str]:
        ends = payload_ends(group.chunk, group.rows, np.full(len(group.rows), at))
        return hex_texts(Spans(group.chunk.data, group.starts + start, group.starts + ends))

    return column


def _add_layer(template: Template, layer: Layer, dissection: Dissection) -> None:
    checks = {check.slot: check for check in layer.checks}
    for table in layer.tables:
        for run in _runs(table.slots):
            _add_run(template, layer, run)
            for check in (checks[slot] for slot in run if slot in checks):
                if check.verdict is Verdict.BAD:
                    raise NoShapeError("the right value of a wrong checksum is computed")
                if check.verdict is not Verdict.NONE:
                    template.key(f"{check.slot.name}.status")
                    template.literal(f'"{check.verdict.word}"')
    _add_options(template, layer)
    for derived in DERIVED.get(layer.name, ()):
        if derived.value(layer, dissection) is not None:
            template.key(derived.name)
            template.place("%d", _derived(derived.name, layer))


def _runs(slots: Sequence[PlacedField]) -> Iterator[list[PlacedField]]:
    """Yield consecutive fields that begin and end on a byte, with their parts."""
    run: list[PlacedField] = []
    bits = 0
    for slot in slots:
        if slot.parent is None:
            if run and bits % 8 == 0:
                yield run
                run, bits = [], 0
            bits += slot.field.bits
        run.append(slot)
    yield run


def _add_run(template: Template, layer: Layer, run: list[PlacedField]) -> None:
    if len(run) == 1 and layer.name not in STACKED:
        template.key(run[0].name)
        _place_value(template, run[0], layer.offset)
        return
    first, stop = run[0].span.start, max(slot.span.stop for slot in run)
    if stop - first not in _WIDTHS:
        raise NoShapeError(run[0].name)
    for slot in run:
        if slot.name in template.keys:
            raise NoShapeError(slot.name)
    template.keys.update(slot.name for slot in run)
    template.place("%s", _run_column(run, first, stop, layer))


def _run_column(run: list[PlacedField], first: int, stop: int, layer: Layer) -> Column:
    """Return a column of ``,"name":value,…`` for several fields in few bytes."""
    table = _RUN_TEXTS.get(run[0])
    if table is None:
        form = ',"%s":[%s]' if layer.name in STACKED else ',"%s":%s'
        table = _RUN_TEXTS[run[0]] = TextTable(_run_writer(run, first, stop, form), _RUN_LIMIT)
    at, width = layer.offset + first, stop - first

    def column(group: PacketGroup) -> Sequence[str]:
        return table.texts(gather(group.chunk.data, group.starts + at, width).tolist())

    return column


def _run_writer(run: list[PlacedField], first: int, stop: int, form: str) -> Callable[[int], str]:
    """Return a function that writes the fields in the bytes ``first:stop`` of a layer."""

    def write(number: int) -> str:
        layer = bytes(first) + number.to_bytes(stop - first, "big")
        return "".join(form % (slot.name, json_text(slot, layer)) for slot in run)

    return write


def json_text(slot: PlacedField, layer: bytes) -> str:
    """Return a field of a header as text of JSON."""
    value: JsonValue = slot.json(slot.read(layer, 0))
    if isinstance(value, bool):
        return "true" if value else "false"
    return encode_basestring_ascii(value) if isinstance(value, str) else str(value)


def _place_value(template: Template, slot: PlacedField, offset: int) -> None:
    """Add a place for the value of a field, whose layer begins at `offset` in the frame."""
    kind, span = slot.field.kind, slot.span.shifted(offset)
    size = span.stop - span.start
    if kind is Kind.NUMBER and size in _WIDTHS and slot.field.bits == 8 * size:
        unit = slot.field.unit

        def numbers(group: PacketGroup) -> Sequence[int]:
            found = gather(group.chunk.data, group.starts + span.start, size)
            values: list[int] = (found * np.uint64(unit) if unit != 1 else found).tolist()
            return values

        template.place("%d", numbers)
    elif kind in ADDRESS_TEXTS:
        template.place(
            '"%s"', lambda group: address_texts(group.chunk.data, group.starts + span.start, kind)
        )
    elif kind is Kind.BYTES:
        template.place(
            '"%s"', lambda group: hex_rows(group.chunk.data, group.starts + span.start, size)
        )
    else:
        raise NoShapeError(slot.name)


def _add_options(template: Template, layer: Layer) -> None:
    span = layer.options_span
    if layer.name in OPTION_KEYS and span is not None:
        start, size = span.start, span.stop - span.start
        template.key(OPTION_KEYS[layer.name])
        template.place('"%s"', lambda group: hex_rows(group.chunk.data, group.starts + start, size))
    values: dict[str, list[tuple[PlacedField, int]]] = {}
    for option in layer.options:
        if option.problem:
            raise NoShapeError(option.problem)
        for inside in option.values:
            at = inside.span.start - inside.slot.span.start
            values.setdefault(inside.slot.name, []).append((inside.slot, at))
    for name, places in values.items():
        template.key(name)
        template.literal("[" if len(places) > 1 else "")
        for index, (slot, at) in enumerate(places):
            template.literal("," if index else "")
            _place_value(template, slot, at)
        template.literal("]" if len(places) > 1 else "")


def _derived(name: str, layer: Layer) -> Column:
    if name != "tcp.len":
        raise NoShapeError(name)
    start = layer.offset + layer.header_length

    def lengths(group: PacketGroup) -> Sequence[int]:
        found: list[int] = np.maximum(
            group.chunk.stop[group.rows].astype(np.int64) - start, 0
        ).tolist()
        return found

    return lengths
