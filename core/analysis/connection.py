"""The packets of one TCP connection as a predicate of a view, and the connection of a packet.

Ports are looked at first: of a million packets few have both, and only where some do are
addresses read. The columns are read and dropped (about 10 ms a million packets): a view
asks about each packet once, so nobody would ask for them again.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

import numpy as np
from numpy.typing import NDArray

from core.decode.chunk import Chunk
from core.decode.columns import SLOTS, FieldColumn, read
from core.wire.model.dissection import Dissection

End = tuple[str, int]  # address and port

_LOW = (1 << 64) - 1
_ADDRESS_TYPES = {"ip": IPv4Address, "ipv6": IPv6Address}


@dataclass(frozen=True, slots=True)
class Connection:
    """Both ends, each an address and a port; an empty address and port 0 stand for any."""

    one: End
    other: End

    def __call__(self, chunk: Chunk) -> NDArray[np.bool_]:
        """(n,) true for the packets of either direction."""
        there = self._of_direction(chunk, self.one, self.other)
        return there | self._of_direction(chunk, self.other, self.one)

    def _of_direction(self, chunk: Chunk, source: End, destination: End) -> NDArray[np.bool_]:
        passed = np.ones(len(chunk), dtype=np.bool_)
        for port, name in ((source[1], "tcp.srcport"), (destination[1], "tcp.dstport")):
            if port:
                passed &= _equal(chunk, name, port)
        if passed.any():
            for address, end in ((source[0], "src"), (destination[0], "dst")):
                if address:
                    passed &= _has_address(chunk, address, end)
        return passed


def _has_address(chunk: Chunk, address: str, end: str) -> NDArray[np.bool_]:
    wanted = ip_address(address.partition("%")[0])
    if isinstance(wanted, IPv4Address):
        return _equal(chunk, f"ip.{end}", int(wanted))
    column = _column(chunk, f"ipv6.{end}")
    halves = np.array([int(wanted) >> 64, int(wanted) & _LOW], dtype=np.uint64)
    same: NDArray[np.bool_] = (column.values == halves).all(axis=1)
    return column.valid & same


def _equal(chunk: Chunk, name: str, value: int) -> NDArray[np.bool_]:
    column = _column(chunk, name)
    same: NDArray[np.bool_] = column.values == value
    return column.valid & same


def _column(chunk: Chunk, name: str) -> FieldColumn:
    return read(chunk, SLOTS[name])


def tcp_ends(dissection: Dissection) -> tuple[End, End] | None:
    """Source and destination of a packet's outermost TCP header; None where there is none whole."""
    segment = dissection.layer("tcp")
    packet = dissection.layer("ip") or dissection.layer("ipv6")
    if segment is None or packet is None:
        return None
    ends = []
    for address_key, port_key in (("src", "srcport"), ("dst", "dstport")):
        address = packet.number(dissection.data, address_key)
        port = segment.number(dissection.data, port_key)
        if port is None or address is None:
            return None
        ends.append((str(_ADDRESS_TYPES[packet.name](address)), port))
    return ends[0], ends[1]
