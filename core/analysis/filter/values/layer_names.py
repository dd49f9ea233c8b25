"""``frame.protocols`` for all packets of a chunk.

Packets of the same kind have the same text: the same link-layer headers, network header, and
transport header, with or without a payload. So the text is made once for each kind that occurs.
"""

from __future__ import annotations

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
from core.wire.present.record import LISTED, protocols
from core.wire.registry import LINK_PROTOCOLS

_LINKS = tuple(protocol for protocol in LINK_PROTOCOLS if protocol.name in LISTED)
_NETWORK_NAMES: dict[int, str] = {kind: name for name, kind in NETWORKS.items()}
_TRANSPORT_NAMES = {number: name for name, number in TRANSPORTS.items()}


def protocol_names(headers: ChunkHeaders, inner: DissectedPackets) -> NDArray[Any]:
    """Return the listed layers of each packet, (n,) object: ``eth:ip:tcp:data``."""
    chunk = headers.chunk
    names = np.empty(len(chunk), dtype=object)
    rows = without_column_payload(headers)
    payloads = _has_payload(headers)
    for packets, inside in headers.inner:
        rows[packets.rows] = without_column_payload(inside)
        payloads[packets.rows] = False
    for dissected in (DissectedPackets(chunk, np.flatnonzero(rows)), inner):
        for packet in dissected:
            names[packet.row] = protocols(packet.dissection)
    left = np.flatnonzero(~rows & ~headers.dissected)
    names[left] = _names_by_columns(headers, left, payloads)
    for packets, inside in headers.inner:
        index = np.flatnonzero(~rows[packets.rows])
        found = _names_by_columns(inside, index, _has_payload(inside))
        names[packets.rows[index]] += ":" + found
    return names


def _names_by_columns(
    headers: ChunkHeaders, rows: NDArray[np.int64], payloads: NDArray[np.bool_]
) -> NDArray[Any]:
    """Return the layers of packets `rows` (k,); `payloads` (n,) says which have a payload."""
    if not len(rows):
        return np.empty(0, dtype=object)
    chunk = headers.chunk
    links, link_of = _link_names(headers, rows)
    kind = link_of * (1 << 17) + chunk.network[rows].astype(np.int64) * (1 << 9)
    kind += chunk.transport[rows].astype(np.int64) * 2
    kind += payloads[rows]
    kinds, index = np.unique(kind, return_inverse=True)
    return np.array([_text(links, int(each)) for each in kinds], dtype=object)[index]


def _text(links: list[str], kind: int) -> str:
    parts = [links[kind >> 17]] if links[kind >> 17] else []
    network = Network(kind >> 9 & 0xFF)
    parts.append(_NETWORK_NAMES[network])
    if network is not Network.ARP and kind >> 1 & 0xFF in _TRANSPORT_NAMES:
        parts.append(_TRANSPORT_NAMES[kind >> 1 & 0xFF])
    return ":".join([*parts, "data"] if kind & 1 else parts)


def _has_payload(headers: ChunkHeaders) -> NDArray[np.bool_]:
    found = np.zeros(len(headers.chunk), np.bool_)
    for protocol in COLUMN_PAYLOADS.values():
        found[transport_payloads(headers, protocol).rows] = True
    return found


def _link_names(
    headers: ChunkHeaders, rows: NDArray[np.int64]
) -> tuple[list[str], NDArray[np.int64]]:
    """Return texts of link-layer headers, and the index (k,) of each packet's text."""
    if headers.inside is not None:
        return [""], np.zeros(len(rows), np.int64)
    chunk = headers.chunk
    is_alone = (chunk.network_offset[rows] == ETHERNET.size) & (
        chunk.link_type[rows] == LinkType.ETHERNET
    )
    index = np.zeros(len(rows), np.int64)
    texts = [_LINKS[0].name]
    others = np.flatnonzero(~is_alone)
    if not len(others):
        return texts, index
    tables = tuple(table for protocol in _LINKS for table in protocol.tables)
    walked = headers.walk(tables, rows[others], only_link=True)
    places = []
    for number, protocol in enumerate(_LINKS, 1):
        for table in protocol.tables:
            found = walked.headers(table)
            places.append(np.stack((found.rows, found.at, np.full(len(found), number))))
    row, at, number_of = np.concatenate(places, axis=1)
    order = np.lexsort((at, row))
    base = len(_LINKS) + 1
    signature = np.zeros(len(rows), np.int64)
    position = np.searchsorted(rows, row[order])
    first = np.searchsorted(position, position)
    rank = np.arange(len(position)) - first
    for depth in range(int(rank.max(initial=-1)) + 1):
        at_depth = rank == depth
        signature[position[at_depth]] = (
            signature[position[at_depth]] * base + number_of[order][at_depth]
        )
    signatures, of_other = np.unique(signature[others], return_inverse=True)
    index[others] = of_other + 1
    return texts + [_names(int(each), base) for each in signatures], index


def _names(signature: int, base: int) -> str:
    names: list[str] = []
    while signature:
        signature, number = divmod(signature, base)
        names.append(_LINKS[number - 1].name)
    return ":".join(reversed(names))
