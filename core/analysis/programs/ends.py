"""The ends of flows as the kernel has them: addresses of 16 bytes, and ports."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.decode.chunk import Chunk
from core.wire.model.address_texts import MAPPED, end_text
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.model.batch import HeaderState, Network
from core.wire.model.dissection import Cause
from core.wire.model.field import PlacedField
from core.wire.model.table import HeaderTable
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6
from core.wire.transport.tcp import TCP
from core.wire.transport.udp import UDP

ADDRESSES: Mapping[int, tuple[PlacedField, PlacedField]] = {
    Network.IPV4: (IPV4["src"], IPV4["dst"]),
    Network.IPV6: (IPV6["src"], IPV6["dst"]),
}
"""Source and destination, by `Chunk.network`."""
TRANSPORTS: Mapping[int, HeaderTable] = {int(IpProtocol.TCP): TCP, int(IpProtocol.UDP): UDP}
PORTS = ("srcport", "dstport")


class End(NamedTuple):
    """An address of 16 bytes (IPv4: ::ffff:a.b.c.d) and a port."""

    address: bytes
    port: int

    @property
    def text(self) -> str:
        """``127.0.0.1:443`` or ``[::1]:443``."""
        if self.address.startswith(MAPPED):
            return end_text(socket.inet_ntoa(self.address[12:]), self.port)
        return end_text(socket.inet_ntop(socket.AF_INET6, self.address), self.port)


_STATES = HeaderState.TRANSPORT | HeaderState.FRAGMENT


def with_ends(chunk: Chunk) -> NDArray[np.bool_]:
    """Return a mask (n,) of packets whose outermost TCP or UDP header is whole, in no fragment."""
    is_udp = chunk.transport == IpProtocol.UDP
    mask: NDArray[np.bool_] = is_udp | (chunk.transport == IpProtocol.TCP)
    mask &= chunk.state & _STATES == HeaderState.TRANSPORT
    mask &= chunk.state & HeaderState.CAUSE_MASK != Cause.MALFORMED
    least = chunk.transport_offset + np.where(is_udp, UDP.size, TCP.size)
    mask &= least <= np.minimum(chunk.captured, chunk.stop)
    return mask


def has_ends(chunk: Chunk, row: int) -> bool:
    """Return True for one of the packets of `with_ends`."""
    return bool(with_ends(chunk.rows(row, row + 1))[0])


def ends_of(chunk: Chunk, row: int) -> tuple[End, End]:
    """Return source and destination of a packet that `has_ends`."""
    transport = chunk.offset[row : row + 1].astype(np.int64) + chunk.transport_offset[row]
    table = TRANSPORTS[int(chunk.transport[row])]
    source, destination = (
        End(address_at(chunk, row, field), int(table[port].column(chunk.data, transport)[0]))
        for field, port in zip(ADDRESSES[int(chunk.network[row])], PORTS, strict=True)
    )
    return source, destination


def address_at(chunk: Chunk, row: int, field: PlacedField) -> bytes:
    """Return an address of a packet's outermost network header, in 16 bytes."""
    size = field.field.bits // 8
    at = int(chunk.offset[row]) + int(chunk.network_offset[row]) + field.first_bit // 8
    address = chunk.data[at : at + size].tobytes()
    return address if size == 16 else MAPPED + address
