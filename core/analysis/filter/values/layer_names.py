"""``frame.protocols`` for all packets of a chunk.

Packets of the same kind have the same text: the same link-layer headers, network header, and
transport header, with or without a payload. So the text is made once for each kind that occurs.
The statistics count packets by kind, with the names of application protocols (`Naming`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.values.byte_fields import (
    COLUMN_PAYLOADS,
    transport_payloads,
    without_column_payload,
)
from core.analysis.filter.values.chunk_headers import NETWORKS, TRANSPORTS, ChunkHeaders
from core.analysis.filter.values.dissected import DissectedPackets
from core.wire.link.ethernet import ETHERNET
from core.wire.link.link_types import LinkType
from core.wire.model.batch import Network
from core.wire.model.dissection import Dissection
from core.wire.network import authentication_header
from core.wire.present.record import LISTED, protocols
from core.wire.protocol import Protocol
from core.wire.registry import LINK_PROTOCOLS

_NETWORK_NAMES: dict[int, str] = {kind: name for name, kind in NETWORKS.items()}
_TRANSPORT_NAMES = {number: name for name, number in TRANSPORTS.items()}
(_AUTHENTICATION,) = authentication_header.PROTOCOLS
_NETWORKS, _TRANSPORTS, _PAYLOADS = max(Network) + 1, 256, 16  # numbers of kinds
_MOST_LISTED = 1 << 20  # numbers for which a table is faster than sorting


def _has_payload(headers: ChunkHeaders) -> NDArray[np.uint8]:
    """Return 1 for each packet with a payload, (n,), else 0."""
    found = np.zeros(len(headers.chunk), np.uint8)
    for protocol in COLUMN_PAYLOADS.values():
        found[transport_payloads(headers, protocol).rows] = 1
    return found


@dataclass(frozen=True, slots=True)
class Naming:
    """Which names a packet's text has.

    `listed` are the names of headers that appear. `payloads` numbers the payload of each packet,
    (n,) below 16, and `payload_names` has the name of each number, empty for none. `text` names the
    layers of a dissected packet. Packets that ICMP errors quote appear if it `has_quoted`.
    """

    listed: frozenset[str]
    payload_names: tuple[str, ...]
    payloads: Callable[[ChunkHeaders], NDArray[np.uint8]]
    text: Callable[[Dissection], str]
    has_quoted: bool = True

    @property
    def links(self) -> tuple[Protocol, ...]:
        """The link-layer protocols that appear."""
        return tuple(protocol for protocol in LINK_PROTOCOLS if protocol.name in self.listed)


WIRESHARK_NAMING = Naming(LISTED, ("", "data"), _has_payload, protocols)
"""The names in ``frame.protocols``."""


def protocol_names(headers: ChunkHeaders, inner: DissectedPackets) -> NDArray[Any]:
    """Return the listed layers of each packet, (n,) object: ``eth:ip:tcp:data``."""
    texts, index = protocol_kinds(headers, inner, WIRESHARK_NAMING)
    return np.array([*texts, ""], dtype=object)[index]


def protocol_kinds(
    headers: ChunkHeaders, inner: DissectedPackets, naming: Naming
) -> tuple[list[str], NDArray[np.int64]]:
    """Return texts such as ``eth:ip:tcp:data``, and the index (n,) of each packet's text.

    Some of the texts may have no packet.
    """
    chunk = headers.chunk
    numbers: dict[str, int] = {}
    index = np.zeros(len(chunk), np.int64)
    rows = without_column_payload(headers)
    payloads = naming.payloads(headers)
    shown = [
        (packets, inside)
        for packets, inside in headers.inner
        if naming.has_quoted or not inside.are_quoted
    ]
    for packets, _ in headers.inner:
        rows[packets.rows] = False
        payloads[packets.rows] = 0
    for packets, inside in shown:
        rows[packets.rows] = without_column_payload(inside)
    for dissected in (DissectedPackets(chunk, np.flatnonzero(rows)), inner):
        for packet in dissected:
            text = naming.text(packet.dissection)
            index[packet.row] = numbers.setdefault(text, len(numbers))
    left = np.flatnonzero(~rows & ~headers.dissected)
    index[left] = _numbered(numbers, *_kinds_by_columns(headers, left, payloads, naming))
    for packets, inside in shown:
        kept = np.flatnonzero(~rows[packets.rows])
        texts, found = _kinds_by_columns(inside, kept, naming.payloads(inside), naming)
        around = index[packets.rows[kept]]
        pairs, pair_of = np.unique(around * max(1, len(texts)) + found, return_inverse=True)
        outer, between = list(numbers), ":"
        if packets.tunnel in naming.listed:
            between = f":{packets.tunnel}:"
        joined = [
            f"{outer[pair // len(texts)]}{between}{texts[pair % len(texts)]}"
            for pair in pairs.tolist()
        ]
        index[packets.rows[kept]] = _numbered(numbers, joined, pair_of)
    return list(numbers), index


def _numbered(
    numbers: dict[str, int], texts: list[str], index: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the numbers (k,) of texts, given by their index (k,); new texts get the next ones."""
    known = [numbers.setdefault(text, len(numbers)) for text in texts]
    return np.array(known, np.int64)[index] if known else index


def _kinds_by_columns(
    headers: ChunkHeaders,
    rows: NDArray[np.int64],
    payloads: NDArray[np.uint8],
    naming: Naming,
) -> tuple[list[str], NDArray[np.int64]]:
    """Return texts, and the index (k,) of the text of each packet of `rows` (k,)."""
    if not len(rows):
        return [], np.empty(0, dtype=np.int64)
    chunk = headers.chunk
    links, link_of = _link_names(headers, rows, naming.links)
    kind = link_of * 2 + _has_authentication(headers, naming)[rows]
    kind = kind * _NETWORKS + chunk.network[rows]
    kind = kind * _TRANSPORTS + chunk.transport[rows]
    kind = kind * _PAYLOADS + payloads[rows]
    kinds, index = _distinct(kind, len(links) * 2 * _NETWORKS * _TRANSPORTS * _PAYLOADS)
    return [_text(links, each, naming.payload_names) for each in kinds.tolist()], index


def _distinct(kind: NDArray[np.int64], limit: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the different numbers below `limit`, and the index (k,) of each number."""
    if limit > _MOST_LISTED:
        return np.unique(kind, return_inverse=True)
    number = np.zeros(limit, np.int64)
    number[kind] = 1
    kinds = np.flatnonzero(number)
    number[kinds] = np.arange(len(kinds))
    return kinds, number[kind]


def _text(links: list[str], kind: int, payload_names: tuple[str, ...]) -> str:
    kind, payload_number = divmod(kind, _PAYLOADS)
    kind, transport = divmod(kind, _TRANSPORTS)
    kind, network = divmod(kind, _NETWORKS)
    link, has_authentication = links[kind >> 1], kind & 1
    parts = [link] if link else []
    if network:  # the outermost packet has that of a datagram in fragments
        parts.append(_NETWORK_NAMES[network])
    if has_authentication:
        parts.append(_AUTHENTICATION.name)
    if network != Network.ARP and transport in _TRANSPORT_NAMES:
        parts.append(_TRANSPORT_NAMES[transport])
    payload = payload_names[payload_number]
    return ":".join([*parts, payload] if payload else parts)


def _has_authentication(headers: ChunkHeaders, naming: Naming) -> NDArray[np.int64]:
    """Return 1 for each packet with an authentication header that appears in the text, (n,).

    Behind an IPv6 header it is one of the extension headers, which do not appear.
    """
    found = np.zeros(len(headers.chunk), np.int64)
    if _AUTHENTICATION.name in naming.listed and headers.has_extension.any():
        for each in headers.headers(_AUTHENTICATION, _AUTHENTICATION.tables[0]):
            found[each.rows] = headers.chunk.network[each.rows] == Network.IPV4
    return found


def _link_names(
    headers: ChunkHeaders, rows: NDArray[np.int64], links: tuple[Protocol, ...]
) -> tuple[list[str], NDArray[np.int64]]:
    """Return texts of link-layer headers, and the index (k,) of each packet's text."""
    if not headers.has_links:
        return [""], np.zeros(len(rows), np.int64)
    chunk = headers.chunk
    is_alone = (chunk.network_offset[rows] == ETHERNET.size) & (
        chunk.link_type[rows] == LinkType.ETHERNET
    )
    index = np.zeros(len(rows), np.int64)
    texts = [ETHERNET.name]
    others = np.flatnonzero(~is_alone)
    if not len(others):
        return texts, index
    tables = tuple(table for protocol in links for table in protocol.tables)
    walked = headers.walk(tables, rows[others], only_link=True)
    places = []
    for number, protocol in enumerate(links, 1):
        for table in protocol.tables:
            found = walked.headers(table)
            places.append(np.stack((found.rows, found.at, np.full(len(found), number))))
    row, at, number_of = np.concatenate(places, axis=1)
    order = np.lexsort((at, row))
    number_of = number_of[order]
    position = np.searchsorted(rows, row[order])
    rank = np.arange(len(position)) - np.searchsorted(position, position)
    names, base = [""], len(links) + 1
    of_packet = np.zeros(len(rows), np.int64)
    for depth in range(int(rank.max(initial=-1)) + 1):
        at_depth = rank == depth
        pairs = of_packet[position[at_depth]] * base + number_of[at_depth]
        new, pair_of = np.unique(pairs, return_inverse=True)
        of_packet[position[at_depth]] = len(names) + pair_of
        names += [
            f"{names[pair // base]}:{links[pair % base - 1].name}".removeprefix(":")
            for pair in new.tolist()
        ]
    index[others] = of_packet[others] + 1
    return texts + names, index
