"""Select the packets of one TCP connection, and find the connection of a packet.

The predicate compares ports first: few of a million packets have both, and it reads addresses only
if some do. It keeps no column, because a view asks about each packet once; reading a column takes
about 20 ms of processor time for a million packets (`tests.bench.bench_store`).
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

import numpy as np
from numpy.typing import NDArray

from core.decode.chunk import Chunk
from core.decode.columns import equals
from core.wire.model.dissection import Dissection

End = tuple[str, int]  # address and port

_ADDRESS_TYPES = {"ip": IPv4Address, "ipv6": IPv6Address}


@dataclass(frozen=True, slots=True)
class Connection:
    """A predicate for both ends of a connection, each an address and a port.

    An empty address and port 0 match any.
    """

    one: End
    other: End

    def __call__(self, chunk: Chunk) -> NDArray[np.bool_]:
        """Return (n,) bool: True for packets of either direction."""
        forward = self._of_direction(chunk, self.one, self.other)
        return forward | self._of_direction(chunk, self.other, self.one)

    def _of_direction(self, chunk: Chunk, source: End, destination: End) -> NDArray[np.bool_]:
        passed = np.ones(len(chunk), dtype=np.bool_)
        for port, name in ((source[1], "tcp.srcport"), (destination[1], "tcp.dstport")):
            if port:
                passed &= equals(chunk, name, port)
        if passed.any():
            for address, end in ((source[0], "src"), (destination[0], "dst")):
                if address:
                    passed &= _has_address(chunk, address, end)
        return passed


def _has_address(chunk: Chunk, address: str, end: str) -> NDArray[np.bool_]:
    wanted = ip_address(address.partition("%")[0])
    return equals(chunk, f"{'ip' if wanted.version == 4 else 'ipv6'}.{end}", int(wanted))


def tcp_ends(dissection: Dissection) -> tuple[End, End] | None:
    """Return source and destination of the outermost TCP header; None without a whole one."""
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
