"""Translate the kernel's answers to packets into sentences that say what to do next.

Each answer has a name (errno(3)) and, from a raw or packet socket, a meaning of its own, which the
kernel's general text does not give ("Operation not permitted" is a firewall). Sources: raw(7),
packet(7), ip(7); net/ipv4/raw.c, net/ipv6/raw.c, net/packet/af_packet.c.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass

_REFUSING = {
    errno.EINVAL: "blackhole",
    errno.EHOSTUNREACH: "unreachable",
    errno.EACCES: "prohibit",
}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The details for the sentence about an error.

    Destination and interface are text; `mtu` is the largest packet that the send method takes
    (bytes; 0 if unknown); `length` is the packet's; `verbatim` is true for a frame.
    """

    destination: str = ""
    interface: str = ""
    mtu: int = 0
    length: int = 0
    verbatim: bool = False


class SendError(Exception):
    """A packet was refused.

    The text is one sentence; `number` is the kernel's errno, 0 if rawscope refused it.
    """

    def __init__(self, number: int, sentence: str) -> None:
        super().__init__(sentence)
        self.number = number

    @property
    def name(self) -> str:
        """``EMSGSIZE`` or another name of errno(3), or empty."""
        return errno.errorcode.get(self.number, "")


def refused(number: int, what: Circumstances) -> SendError:
    """Return the error for a kernel answer."""
    name = errno.errorcode.get(number, str(number))
    return SendError(number, f"{name}: {_meaning(number, what)}")


def no_route(number: int, destination: str) -> SendError:
    """Return the error for the routing table's answer when no route is usable.

    A route's type may be the reason: blackhole answers EINVAL, unreachable EHOSTUNREACH, prohibit
    EACCES (ip-route(8)).
    """
    kind = _REFUSING.get(number)
    if kind is None:
        return refused(number, Circumstances(destination))
    name = errno.errorcode.get(number, str(number))
    words = f"the route to {destination} is of type {kind}; see 'ip route get {destination}'"
    return SendError(number, f"{name}: {words}, or send it verbatim (--link)")


def _meaning(number: int, what: Circumstances) -> str:
    to = what.destination or "the destination"
    over = f" on {what.interface}" if what.interface else ""
    match number:
        case errno.EMSGSIZE:
            return _too_long(what, over)
        case errno.ENOBUFS | errno.ENOMEM:
            return f"the queue{over} is full and the packet was dropped; send slower"
        case errno.EPERM:
            return f"a firewall rule dropped the packet to {to}; see 'nft list ruleset'"
        case errno.EACCES:
            return f"the kernel does not let this socket send to {to}; 'ip route get {to}' says why"
        case errno.ENETUNREACH:
            return f"there is no route to {to}; see 'ip route', or send it verbatim (--link)"
        case errno.EHOSTUNREACH:
            return f"nobody{over} answers for {to}: no link address is known for it"
        case errno.ENETDOWN:
            return f"the interface{over.replace(' on ', ' ')} is down; 'ip link set up' raises it"
        case errno.ENXIO | errno.ENODEV:
            return f"the interface{over.replace(' on ', ' ')} is gone"
        case errno.EINVAL:
            return _invalid(what)
        case errno.EAFNOSUPPORT:
            return "this kernel has no IPv6 here; see net.ipv6.conf.all.disable_ipv6"
        case errno.EADDRNOTAVAIL:
            return f"no address of this host can be the source for {to}"
        case errno.EPROTONOSUPPORT:
            return (
                f"the kernel has no raw socket for protocol {to}; IP_HDRINCL and verbatim send any"
            )
        case errno.EAGAIN:
            return f"the socket's buffer stayed full{over}: the interface does not send"
    return os.strerror(number)


def _too_long(what: Circumstances, over: str) -> str:
    mtu = f"the MTU{over} is {what.mtu} bytes" if what.mtu else "it is more than the MTU"
    return f"the packet has {what.length} bytes and {mtu}; shorten the payload, or send fragments"


def _invalid(what: Circumstances) -> str:
    if what.verbatim:
        return "the frame is shorter than a link header"
    return (
        "the kernel refuses this IP header (a header length past the packet's end, or a bad "
        "destination); verbatim (--link) it goes as it is"
    )
