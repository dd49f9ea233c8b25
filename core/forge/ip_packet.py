"""Read the IP header of a packet that is to be sent: version, destination, and what follows it."""

from __future__ import annotations

from core.forge.send_errors import SendError
from core.wire.model.kind import Kind, address_text
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6


def system_payload(packet: bytes, network: str = "") -> bytes:
    """Return the bytes after the IP header, which a classic raw socket takes."""
    if is_ipv6(packet, network):
        return packet[IPV6.size :]
    return packet[max(IPV4.size, IPV4["hdr_len"].number(packet)) :]


def destination_of(packet: bytes, network: str = "") -> tuple[str, bytes]:
    """Return the destination of an IP packet, as text and as bytes.

    Raises `SendError` if there is no IP header.

    `network` is the protocol of the draft's first layer, ``ip`` or ``ipv6``, whatever the version
    field says.
    """
    six = is_ipv6(packet, network)
    table, kind = (IPV6, Kind.IPV6) if six else (IPV4, Kind.IPV4)
    if len(packet) < table.size or (not network and _version(packet) not in (4, 6)):
        reason = "the packet does not begin with an IP header, so there is no destination"
        raise SendError(0, f"{reason}; send it verbatim (--link)")
    slot = table["dst"]
    number = slot.number(packet)
    return address_text(kind, number), number.to_bytes(slot.field.bits // 8, "big")


def is_ipv6(packet: bytes, network: str = "") -> bool:
    """Return True if the header is IPv6's: by `network`, or by its version if that is empty."""
    return network == "ipv6" or (not network and _version(packet) == 6)


def _version(packet: bytes) -> int:
    return IPV4["version"].number(packet) if packet else 0
