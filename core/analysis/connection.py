"""The two ends of a packet's TCP connection."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from core.wire.model.dissection import Dissection

End = tuple[str, int]  # address and port

_ADDRESS_TYPES = {"ip": IPv4Address, "ipv6": IPv6Address}


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
