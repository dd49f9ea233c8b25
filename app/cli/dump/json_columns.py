"""The JSON of the packets of a chunk that have one of a few shapes.

Most packets of a capture do: a TCP segment, a datagram, an echo message, or an ARP message of IPv4,
whole and outermost, behind a link header of a usual kind. The columns of the chunk and a few bytes
(types of link headers, kinds and lengths of options) decide the shape of a packet. All others are
left to the packet path.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.cli.dump.json_shapes import (
    Column,
    NoShapeError,
    PacketGroup,
    Rows,
    Template,
    layers_template,
    payload_ends,
)
from app.cli.dump.line_format import ChunkPart
from app.cli.dump.value_texts import hex_texts
from app.cli.field_names import JSON_COLUMNS
from core.analysis.filter.types import Spans
from core.decode.batch import CaptureInterface
from core.decode.chunk import Chunk
from core.decode.summaries import summaries
from core.decode.verdicts import fill
from core.store.frame_detail import seconds_texts
from core.wire.link.ethernet import ETHERNET
from core.wire.link.link_types import LinkType
from core.wire.link.vlan import VLAN
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.batch import HeaderState, Network
from core.wire.model.dissection import Dissection, PacketFlag
from core.wire.network.arp import ARP
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6
from core.wire.transport.tcp import TCP
from core.wire.transport.udp import UDP

Mask = NDArray[np.bool_]

SHAPES = 256  # kept; a capture with more has few packets of each
_ROUNDS = 8  # shapes tried for the packets with the same columns
_OTHERWISE = HeaderState.CAUSE_MASK | HeaderState.NESTED | HeaderState.ROUTED
_STATE = ~(HeaderState.SYN | _OTHERWISE) & 0xFF
_SIZES = {Network.IPV4: IPV4.size, Network.IPV6: IPV6.size}
_LINKS = {  # link type and size of the link headers, and the bytes that decide what they are
    (LinkType.ETHERNET, ETHERNET.size): (),
    (LinkType.ETHERNET, ETHERNET.size + VLAN.size): (12, 13, 16, 17),
    (LinkType.LINUX_SLL, 16): (0, 1, 2, 3, 4, 5, 14, 15),
    (LinkType.LINUX_SLL2, 20): (0, 1, 2, 3, 8, 9, 10, 11),
    (LinkType.NULL, 4): (0, 1, 2, 3),
    (LinkType.LOOP, 4): (0, 1, 2, 3),
    (LinkType.RAW, 0): (),
    (LinkType.IPV4, 0): (),
    (LinkType.IPV6, 0): (),
}
_ECHOES = {IpProtocol.ICMP: (0, 8), IpProtocol.ICMPV6: (128, 129)}
_ECHO_SIZE = 8


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """How to write packets whose bytes at `places` (in the frame) are those of `pattern`."""

    places: Rows
    pattern: NDArray[np.uint8]
    template: Template | None  # None: the packet path writes these packets

    def fits(self, chunk: Chunk, starts: Rows) -> Mask:
        """Return a mask (n,) of the frames at `starts` that have the shape."""
        found: Mask = (chunk.data[starts[:, None] + self.places] == self.pattern).all(axis=1)
        return found


class JsonColumns:
    """Writes JSON by columns, and keeps the shapes that it found. `raw` adds the captured bytes."""

    def __init__(self, raw: bool) -> None:
        self._raw = raw
        self.shapes: dict[int, list[Shape]] = {}
        self._count = 0

    def lines(self, part: ChunkPart, rows: Rows) -> list[str | None]:
        """Return the object of each row (n,) of a chunk, or None for the packet path."""
        numbers = part.chunk.first + rows
        first, stop = int(rows[0]), int(rows[-1]) + 1
        is_run = stop - first == len(rows)
        chunk = part.chunk.rows(first, stop) if is_run else part.chunk.copied(rows)
        texts = summaries(chunk, part.bases.take(rows))
        lines = np.full(len(rows), None, dtype=object)
        has_info = texts.info != None  # noqa: E711 - compares each
        index = np.flatnonzero(_is_usual(chunk, np.arange(len(rows))) & has_info)
        if len(index):
            keys = _keys(chunk, index)
            order = np.argsort(keys, kind="stable")
            index, keys = index[order], keys[order]
            starts = np.flatnonzero(np.diff(keys, prepend=-1))
            for key, group in zip(keys[starts].tolist(), np.split(index, starts[1:]), strict=True):
                for shape, these in self._groups(key, chunk, group, part.interfaces):
                    if shape.template is not None:
                        here = group[these]
                        lines[here] = _written(
                            shape.template,
                            PacketGroup(
                                chunk,
                                here,
                                chunk.offset[here].astype(np.int64),
                                numbers[here],
                                texts.protocol[here],
                                texts.info[here],
                            ),
                        )
        found: list[str | None] = lines.tolist()
        return found

    def _groups(
        self, key: int, chunk: Chunk, rows: Rows, interfaces: Sequence[CaptureInterface]
    ) -> Iterator[tuple[Shape, Rows]]:
        """Yield shapes, and the indices of the packets that have each; some may have none."""
        starts = chunk.offset[rows].astype(np.int64)
        left = np.arange(len(rows))
        for shape in self.shapes.get(key, ()):
            fits = shape.fits(chunk, starts[left])
            yield shape, left[fits]
            left = left[~fits]
        for _ in range(_ROUNDS):
            if not len(left):
                return
            shape = _shape(chunk, int(rows[left[0]]), interfaces, self._raw)
            self._keep(key, shape)
            fits = shape.fits(chunk, starts[left])
            yield shape, left[fits]
            left = left[~fits]

    def _keep(self, key: int, shape: Shape) -> None:
        if self._count >= SHAPES:
            self.shapes.clear()
            self._count = 0
        self.shapes.setdefault(key, []).append(shape)
        self._count += 1


def _is_usual(chunk: Chunk, rows: Rows) -> Mask:
    """Return a mask (n,) of the packets that may have a shape."""
    network, state = chunk.network[rows], chunk.state[rows]
    usual: Mask = state & _OTHERWISE == 0
    usual &= (chunk.timestamp_ns[rows] > 0) & (chunk.flags[rows] & PacketFlag.TIME_INVALID == 0)
    links = np.zeros(len(rows), np.bool_)
    link_types = chunk.link_types.take(chunk.interface[rows])
    for link_type, size in _LINKS:
        links |= (link_types == link_type) & (chunk.network_offset[rows] == size)
    usual &= links
    carried = np.zeros(len(rows), np.bool_)
    has_transport = state & HeaderState.TRANSPORT > 0
    distance = chunk.transport_offset[rows] - chunk.network_offset[rows]
    for kind, size in _SIZES.items():
        carried |= (network == kind) & has_transport & (distance == size)
    transport = chunk.transport[rows]
    known = np.isin(transport, (IpProtocol.TCP, IpProtocol.UDP))
    for protocol, types in _ECHOES.items():
        echoes = np.flatnonzero(usual & carried & (transport == protocol))
        first = chunk.data[_transports(chunk, rows[echoes])]
        known[echoes[np.isin(first, types)]] = True
    usual &= (carried & known) | (network == Network.ARP)
    return usual


def _transports(chunk: Chunk, rows: Rows) -> Rows:
    return chunk.offset[rows].astype(np.int64) + chunk.transport_offset[rows]


def _header_sizes(chunk: Chunk, rows: Rows) -> Rows:
    """Return the size (n,) of each transport header, of the usual kinds; 0 for ARP."""
    transport = chunk.transport[rows]
    sizes = np.full(len(rows), _ECHO_SIZE, np.int64)
    sizes[transport == IpProtocol.UDP] = UDP.size
    segments = np.flatnonzero(transport == IpProtocol.TCP)
    sizes[segments] = TCP["hdr_len"].column(chunk.data, _transports(chunk, rows[segments]))
    sizes[chunk.network[rows] == Network.ARP] = 0
    return sizes


def _keys(chunk: Chunk, rows: Rows) -> NDArray[np.int64]:
    """Return a number (n,) for each packet: packets with different ones have different shapes."""
    sizes = _header_sizes(chunk, rows)
    at = chunk.transport_offset[rows].astype(np.int64)
    has_payload = (sizes > 0) & (at + sizes < payload_ends(chunk, rows, at))
    parts = (
        (chunk.interface[rows], 16),
        (chunk.network_offset[rows], 6),
        (chunk.network[rows], 4),
        (np.where(sizes > 0, chunk.transport[rows], 0), 8),
        (chunk.state[rows] & np.uint8(_STATE), 8),
        (fill(chunk)[rows], 8),
        (sizes, 8),
        (has_payload, 1),
    )
    keys = np.zeros(len(rows), np.int64)
    for values, bits in parts:
        keys = keys << bits | values.astype(np.int64)
    return keys


def _shape(chunk: Chunk, row: int, interfaces: Sequence[CaptureInterface], raw: bool) -> Shape:
    """Return the shape of one packet."""
    dissection = chunk.dissect(row)
    try:
        template: Template | None = _whole(
            layers_template(dissection), interfaces[chunk.interface[row]], raw
        )
    except NoShapeError:
        template = None
    places = np.array(sorted(_deciding(chunk, row, dissection)), np.int64)
    return Shape(places, np.frombuffer(dissection.data, np.uint8)[places], template)


def _deciding(chunk: Chunk, row: int, dissection: Dissection) -> Iterator[int]:
    """Yield the places of the bytes that decide the shape of a packet, beside its key."""
    link = (LinkType(int(chunk.link_type[row])), int(chunk.network_offset[row]))
    yield from _LINKS[link]
    for layer in dissection.layers:
        if layer.name == ARP.name:
            yield from range(layer.offset, layer.offset + ARP["opcode"].span.start)
        for option in layer.options:
            yield option.span.start
            if option.span.stop > option.span.start + 1:
                yield option.span.start + 1


def _whole(layers: Template, interface: CaptureInterface, raw: bool) -> Template:
    """Return the template of the whole record: the facts of the frame, and its layers."""
    template = Template()
    template.literal("{")
    template.key("frame.number")
    template.place("%d", lambda group: group.numbers.tolist())
    template.key("frame.time_epoch")
    template.place('"%s"', lambda group: seconds_texts(group.chunk.timestamp_ns[group.rows]))
    template.key("frame.len")
    template.place("%d", lambda group: group.chunk.original[group.rows].tolist())
    template.key("frame.cap_len")
    template.place("%d", lambda group: group.chunk.captured[group.rows].tolist())
    if interface.name:
        template.key("frame.interface_name")
        template.literal(encode_basestring_ascii(interface.name))
    template.text += layers.text
    template.columns += layers.columns
    for name, attribute in JSON_COLUMNS.items():
        template.key(name)
        template.place("%s", _summary_column(attribute))
    if raw:
        template.key("frame.raw")
        template.place('"%s"', _captured_bytes)
    template.literal("}")
    return template


def _summary_column(attribute: str) -> Column:
    return lambda group: list(map(encode_basestring_ascii, getattr(group, attribute)))


def _captured_bytes(group: PacketGroup) -> list[str]:
    captured = group.chunk.captured[group.rows]
    return hex_texts(Spans(group.chunk.data, group.starts, group.starts + captured))


def _written(template: Template, group: PacketGroup) -> list[str]:
    found: dict[Column, Sequence[Any]] = {}
    for column in template.columns:
        if column not in found:  # a payload has two keys
            found[column] = column(group)
    columns = [found[column] for column in template.columns]
    return list(map(template.text.__mod__, zip(*columns, strict=True)))
