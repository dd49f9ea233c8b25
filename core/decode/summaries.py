"""The rows of the packet table for many packets at once, in the words of `summarize`.

Most packets of a capture have one of a few shapes: a TCP segment, a datagram, an echo or an ARP
message, whole and outermost. The columns of the chunk say which packets these are and where their
headers begin, so the addresses and the Info line are written column by column: the protocol's
record does it (`Protocol.info_columns`) in the same words as for one packet. All other packets (cut
or malformed ones, fragments, tunnels, quoted packets, wrong checksums that the network card may
have to fill in, other protocols) are left to `core.wire.present.summary`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.decode.chunk import Chunk
from core.decode.verdicts import fill, unpack
from core.wire.application import payload_info
from core.wire.link.ethernet import ETHERNET
from core.wire.link.link_types import LinkType
from core.wire.model.address_texts import address_texts
from core.wire.model.batch import HeaderState, Network
from core.wire.model.field import PlacedField
from core.wire.model.text import safe
from core.wire.model.walk import Numbering
from core.wire.present.summary import WRONG, wrong_text
from core.wire.protocol import HeaderColumns, Protocol, SequenceBases
from core.wire.registry import PROTOCOLS, numbers

Texts = NDArray[np.object_]
Rows = NDArray[np.int64]

_OTHERWISE = HeaderState.CAUSE_MASK | HeaderState.FRAGMENT | HeaderState.ROUTED | HeaderState.NESTED
_BY_NAME = {protocol.name: protocol for protocol in PROTOCOLS if protocol.info_columns is not None}
_TRANSPORTS = {
    number: _BY_NAME[name]
    for name, number in numbers(Numbering.IP_PROTOCOL).items()
    if name in _BY_NAME
}
_NETWORKS = tuple(each for each in _BY_NAME.values() if each.network is not Network.NONE)
_CARRIERS = tuple(each for each in PROTOCOLS if each.has_pseudo_header)
_NAMES = {int(carrier.network): carrier.name for carrier in _CARRIERS}
_TRANSPORT_NAMES = {number: protocol.name for number, protocol in _TRANSPORTS.items()}
_ZERO_IN_DOUBT = {
    carrier: tuple(key for key in ("checksum", "len", "plen") if key in carrier.tables[0])
    for carrier in _CARRIERS
}
_IS_WRONG = np.isin(np.arange(256) & 0xF, list(WRONG)) | np.isin(np.arange(256) >> 4, list(WRONG))
"""True for the values of the `verdict` column with a wrong checksum, (256,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Summaries:
    """The texts of n rows, safe to print, as `Summary` has them.

    Each is (n,) of `str`, or None for the packets that columns do not describe. `wrong` has the
    `wrong_checksums` of the packets with any, by row.
    """

    source: Texts
    destination: Texts
    protocol: Texts
    info: Texts
    wrong: Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The parts of rows that the caller does not need.

    Addresses, and the Info lines of the protocols named in `info`, stay empty; checksums are not
    computed. With `applications`, payloads are not read; with `application_lines`, they are named
    and not described. With `source` or `destination`, that address stays empty.
    """

    addresses: bool = False
    checksums: bool = False
    info: frozenset[str] = frozenset()
    applications: bool = False
    application_lines: bool = False
    source: bool = False
    destination: bool = False


WHOLE_ROWS = LeftOut()
ALL_INFO = frozenset(_BY_NAME)
"""The protocols whose Info lines are written by columns."""


def summaries(
    chunk: Chunk, bases: SequenceBases | None = None, left_out: LeftOut = WHOLE_ROWS
) -> Summaries:
    """Return the rows of the packets of a chunk. `bases` make numbers relative, and mark Info."""
    count = len(chunk)
    plain = np.flatnonzero(chunk.state & _OTHERWISE == 0)
    wrong = plain[:0]
    if not left_out.checksums:
        is_wrong = _IS_WRONG[fill(chunk)[plain]]
        wrong = plain[is_wrong]
        wrong = wrong[_is_sure(chunk, wrong)]
        plain = np.sort(np.concatenate([plain[~is_wrong], wrong]))
    source, destination, shown, info = np.full((4, count), None, dtype=object)
    texts = Summaries(source, destination, shown, info, _wrong_texts(chunk, wrong))
    writer = _Writer(chunk, bases or SequenceBases.unknown(count), texts, left_out)
    networks = chunk.network[plain]
    for protocol in _NETWORKS:
        writer.write_network(protocol, plain[networks == protocol.network])
    for carrier in _CARRIERS:
        rows = plain[networks == carrier.network]
        rows = rows[chunk.state[rows] & HeaderState.TRANSPORT > 0]
        transports = chunk.transport[rows]
        for number, protocol in _TRANSPORTS.items():
            writer.write_transport(carrier, protocol, rows[transports == number])
    if bases is not None:
        for row in np.flatnonzero(bases.marks != "").tolist():
            if info[row] is not None:
                info[row] = f"{bases.marks[row]} {info[row]}"
    return texts


def _is_sure(chunk: Chunk, rows: Rows) -> NDArray[np.bool_]:
    """Return a mask (k,) of packets whose wrong sums the network card did not have to fill in.

    That is in doubt if the sum of the network header, or its length, is 0.
    """
    is_sure = np.zeros(len(rows), dtype=np.bool_)
    for protocol, keys in _ZERO_IN_DOUBT.items():
        index = np.flatnonzero(chunk.network[rows] == protocol.network)
        starts = chunk.offset[rows[index]].astype(np.int64) + chunk.network_offset[rows[index]]
        table = protocol.tables[0]
        values = [table[key].column(chunk.data, starts) != 0 for key in keys]
        is_sure[index] = np.logical_and.reduce(values)
    return is_sure


def _wrong_texts(chunk: Chunk, rows: Rows) -> dict[int, tuple[str, ...]]:
    """Return the `wrong_checksums` of packets, by row."""
    columns = (chunk.verdict[rows], chunk.network[rows], chunk.transport[rows])
    kinds = list(zip(*(column.tolist() for column in columns), strict=True))
    words = {kind: _wrong_words(*kind) for kind in set(kinds)}
    return {row: words[kind] for row, kind in zip(rows.tolist(), kinds, strict=True)}


def _wrong_words(verdict: int, network: int, transport: int) -> tuple[str, ...]:
    found = unpack(verdict)
    names = (_NAMES.get(network, ""), _TRANSPORT_NAMES.get(transport, ""))
    return tuple(
        wrong_text(each, name) for each, name in zip(found, names, strict=True) if each in WRONG
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Writer:
    """Writes the texts of groups of packets with the same headers."""

    chunk: Chunk
    bases: SequenceBases
    texts: Summaries
    left_out: LeftOut

    def write_network(self, protocol: Protocol, rows: Rows) -> None:
        """Write packets whose network header is the innermost, behind Ethernet addresses."""
        chunk = self.chunk
        is_plain = chunk.network_offset[rows] == ETHERNET.size
        rows = rows[is_plain & (chunk.link_type[rows] == LinkType.ETHERNET)]
        if not len(rows):
            return
        self._write_addresses(ETHERNET["src"], ETHERNET["dst"], rows, self._starts(rows, 0))
        headers = self._headers(protocol, rows, chunk.network_offset)
        self._write_info(protocol, rows, headers)

    def write_transport(self, carrier: Protocol, protocol: Protocol, rows: Rows) -> None:
        """Write packets with this transport header behind this network header."""
        if not len(rows):
            return
        assert carrier.addresses is not None
        source, destination = (carrier.tables[0][key] for key in carrier.addresses)
        starts = self._starts(rows, self.chunk.network_offset[rows])
        self._write_addresses(source, destination, rows, starts)
        headers = self._headers(protocol, rows, self.chunk.transport_offset)
        self._write_info(protocol, rows, headers)
        if protocol.name in payload_info.TRANSPORTS and not self.left_out.applications:
            self._write_applications(protocol, rows, headers)

    def _starts(self, rows: Rows, offset: int | NDArray[Any]) -> NDArray[np.int64]:
        return self.chunk.offset[rows].astype(np.int64) + offset

    def _headers(self, protocol: Protocol, rows: Rows, offset: NDArray[np.int32]) -> HeaderColumns:
        data, starts = self.chunk.data, self._starts(rows, offset[rows])
        stops = self._starts(rows, self.chunk.stop[rows])
        if protocol.total_length_key:
            length = protocol.tables[0][protocol.total_length_key].column(data, starts)
            own = starts + np.where(length > 0, length, stops - starts)
            stops = np.minimum(stops, own)
        return HeaderColumns(data, starts, stops, self.bases.take(rows))

    def _write_addresses(
        self, source: PlacedField, destination: PlacedField, rows: Rows, starts: NDArray[np.int64]
    ) -> None:
        left_out = self.left_out
        for slot, texts, is_left_out in (
            (source, self.texts.source, left_out.source),
            (destination, self.texts.destination, left_out.destination),
        ):
            is_empty = is_left_out or left_out.addresses
            texts[rows] = "" if is_empty else address_texts(slot, self.chunk.data, starts)

    def _write_info(self, protocol: Protocol, rows: Rows, headers: HeaderColumns) -> None:
        assert protocol.info_columns is not None
        self.texts.protocol[rows] = protocol.shown
        is_empty = protocol.name in self.left_out.info
        self.texts.info[rows] = "" if is_empty else protocol.info_columns(headers)

    def _write_applications(self, protocol: Protocol, rows: Rows, headers: HeaderColumns) -> None:
        """Write the lines of the payloads that a reader of application bytes knows."""
        starts = headers.starts + protocol.header_lengths(headers.data, headers.starts)
        stops = np.minimum(headers.stops, self._starts(rows, self.chunk.captured[rows]))
        index = np.flatnonzero(starts < stops)
        columns = [
            protocol.tables[0][key].column(headers.data, headers.starts[index])
            for key in ("srcport", "dstport")
        ]
        readers = payload_info.recognized(
            self.chunk.decode_rules,
            protocol.name,
            (columns[0], columns[1]),
            headers.data,
            starts[index],
            stops[index],
        )
        for number in np.unique(readers[readers > 0]).tolist():
            reader = payload_info.READERS[payload_info.READER_NAMES[number - 1]]
            read = index[readers == number]
            self.texts.protocol[rows[read]] = reader.names[protocol.name]
            if self.left_out.application_lines:
                continue
            begins = starts[read] + reader.start(protocol.name)
            places = (rows[read], begins, stops[read])
            for row, start, stop in zip(*(each.tolist() for each in places), strict=True):
                text = reader.describe(headers.data[start:stop].tobytes())
                self.texts.info[row] = safe(text or "")
