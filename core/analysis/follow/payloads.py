"""The payloads of one stream's packets in a chunk, as columns."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import numpy as np
from numpy.typing import NDArray

from core.analysis.tcp.segments import transport_headers, tunneled_rows
from core.decode.chunk import Chunk
from core.wire.model.dissection import Dissection
from core.wire.model.table import HeaderTable
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6
from core.wire.transport.tcp import FLAG_BITS, TCP
from core.wire.transport.udp import UDP

_SEED = 0  # of the hashes of directions; only those of one stream are compared
_ACK, _SYN = FLAG_BITS["ack"], FLAG_BITS["syn"]
_TABLES = {"tcp": TCP, "udp": UDP}
_ADDRESSES = {IPV4.name: IPv4Address, IPV6.name: IPv6Address}

Rows = NDArray[np.int64]
End = tuple[str, int]  # address and port


@dataclass(frozen=True, slots=True, eq=False)
class Payloads:
    """The payloads of packets: parallel arrays (k,).

    ``packet``    int64   packet numbers, ascending
    ``source``    uint64  a hash of the direction
    ``start``     int64   where the payload begins in the chunk's data
    ``captured``  int64   bytes that the capture kept of it
    ``length``    int64   bytes on the wire
    ``sequence``, ``acknowledgment``  int64  as in the TCP header; 0 in UDP
    ``has_ack``, ``is_syn``           bool   the TCP flags; False in UDP
    ``time_ns``   int64   the times of the packets
    """

    packet: Rows
    source: NDArray[np.uint64]
    start: Rows
    captured: Rows
    length: Rows
    sequence: Rows
    acknowledgment: Rows
    has_ack: NDArray[np.bool_]
    is_syn: NDArray[np.bool_]
    time_ns: Rows

    def __len__(self) -> int:
        return len(self.packet)


def payloads_of(chunk: Chunk, rows: Rows, protocol: str) -> Payloads:
    """Return the payloads of some rows (ascending) of a chunk, whose packets have the protocol."""
    part, numbers = chunk.copied(rows), chunk.first + rows
    tcp, udp = transport_headers(part, _SEED, tunneled_rows(part))
    headers = tcp if protocol == "tcp" else udp
    data, starts, count = chunk.data, headers.starts, len(headers)
    sequence = acknowledgment = flags = np.zeros(count, np.int64)
    if protocol == "tcp":
        begin = starts + TCP["hdr_len"].column(data, starts).astype(np.int64)
        sequence, acknowledgment, flags = (
            TCP[key].column(data, starts).astype(np.int64)
            for key in ("seq_raw", "ack_raw", "flags")
        )
        stops = np.where(begin - starts < TCP.size, begin, headers.stops)
    else:
        begin = starts + UDP.size
        stated = UDP["length"].column(data, starts).astype(np.int64)
        stops = np.where(
            stated < UDP.size, headers.stops, np.minimum(headers.stops, starts + stated)
        )
    limits = part.dissected_stops(headers.rows)
    return Payloads(
        numbers[headers.rows],
        headers.forward,
        begin,
        np.maximum(np.minimum(stops, limits) - begin, 0),
        np.maximum(stops - begin, 0),
        sequence,
        acknowledgment,
        flags & _ACK > 0,
        flags & _SYN > 0,
        part.timestamp_ns[headers.rows],
    )


def ends_of(dissection: Dissection, protocol: str) -> tuple[End, End] | None:
    """Return source and destination of the outermost header of a protocol that nothing quotes."""
    table: HeaderTable = _TABLES[protocol]
    network = None
    for layer in dissection.layers:
        if layer.quoted:
            break
        if layer.name in _ADDRESSES:
            network = layer
        elif layer.name == table.name and network is not None and layer.is_whole(table):
            found = []
            for address, port in (("src", "srcport"), ("dst", "dstport")):
                number = network.number(dissection.data, address)
                if number is None:
                    return None
                text = str(_ADDRESSES[network.name](number))
                found.append((text, table[port].number(dissection.data, layer.offset)))
            return found[0], found[1]
    return None
