"""The link header of frames that leave on an interface, by the kernel's hardware type.

Frames on Ethernet and loopback interfaces begin with an Ethernet header. Tunnels of type
ARPHRD_NONE (tun, WireGuard) and modems of type ARPHRD_RAWIP have no link header: packet sockets
take bare IP packets there, and the kernel reads the protocol from their version
(net/packet/af_packet.c, packet_parse_headers; since Linux 5.8 for both tunnels).
"""

from __future__ import annotations

import errno

from core.forge.send_errors import SendError
from core.forge.values import SendMethod
from core.net.interfaces import ARPHRD_NONE, ARPHRD_RAWIP, IFF_RUNNING, IFF_UP, InterfaceInfo
from core.net.netlink import LinkMessage
from core.net.routes import ARPHRD_ETHER, ARPHRD_LOOPBACK
from core.wire.link.ethernet import ETHERNET
from core.wire.model.text import safe
from core.wire.network.ipv4 import IPV4

_METHODS = {
    ARPHRD_ETHER: SendMethod.LINK,
    ARPHRD_LOOPBACK: SendMethod.LINK,
    ARPHRD_NONE: SendMethod.PACKET,
    ARPHRD_RAWIP: SendMethod.PACKET,
}


def method_on(link: LinkMessage | InterfaceInfo) -> SendMethod | None:
    """Return LINK or PACKET, the method that sends verbatim on a link; None on all other types."""
    return _METHODS.get(link.hardware_type)


def check_carrier(link: LinkMessage) -> None:
    """Raise `SendError` if the link is up but has no carrier: the kernel drops all packets there.

    Sending succeeds nevertheless: the queueing discipline of such a link is noop, which drops
    silently (net/sched/sch_generic.c, dev_deactivate). A link that is down answers ENETDOWN.
    """
    if link.flags & IFF_UP and not link.flags & IFF_RUNNING:
        reason = "no program uses it" if link.kind == "tun" else "plug it in, or raise its peer"
        words = f"{safe(link.name)} has no carrier ({reason}): the kernel would drop the packets"
        raise SendError(errno.ENETDOWN, words)


def header_bytes(method: SendMethod) -> int:
    """Return the size of the link header in front of each packet."""
    return ETHERNET.size if method is SendMethod.LINK else 0


def shortest(header: int) -> int:
    """Return the least length of a frame whose link header has `header` bytes."""
    return header or IPV4.size
