"""A small part of rtnetlink: list interfaces and addresses, query one link, watch links change.

Routes and neighbors are in `core.net.routes`.

A request and its answers are messages: ``struct nlmsghdr``, then ``struct ifinfomsg`` or ``struct
ifaddrmsg``, then attributes (``struct rtattr``: length, type, value, padded to 4 bytes). A dump
ends with NLMSG_DONE. A socket that joined RTMGRP_LINK receives every change of a link; if it could
not keep up, the next read fails with ENOBUFS, and the listener must list all links again. A port
that leaves its bridge is reported as RTM_DELLINK, too, with the family AF_BRIDGE: the link still
exists. No privilege is needed.

Source: rtnetlink(7), netlink(7); linux/netlink.h, linux/rtnetlink.h, linux/if_link.h,
linux/if_addr.h. All integers are in the byte order of the host.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass

NLMSGHDR = struct.Struct("=IHHII")  # length, type, flags, sequence, port
IFINFOMSG = struct.Struct("=BxHiII")  # family, ARPHRD_*, index, IFF_*, change mask
IFADDRMSG = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, index
RTATTR = struct.Struct("=HH")  # length with this header, type

# linux/netlink.h
NLMSG_ERROR = 2
NLMSG_DONE = 3
NLM_F_REQUEST = 0x01
NLM_F_ACK = 0x04
NLM_F_DUMP = 0x300
NLA_TYPE_MASK = 0x3FFF
# linux/rtnetlink.h
RTM_NEWLINK = 16
RTM_DELLINK = 17
RTM_GETLINK = 18
RTM_NEWADDR = 20
RTM_GETADDR = 22
RTMGRP_LINK = 1
# linux/if_link.h
IFLA_ADDRESS = 1
IFLA_IFNAME = 3
IFLA_MTU = 4
IFLA_LINKINFO = 18
IFLA_INFO_KIND = 1
IFLA_EXT_MASK = 29
IFLA_PROMISCUITY = 30
IFLA_PROP_LIST = 52
IFLA_ALT_IFNAME = 53
RTEXT_FILTER_SKIP_STATS = 8  # linux/rtnetlink.h
NAME_BYTES = 15  # IFNAMSIZ without the zero byte, linux/if.h
ALTERNATIVE_NAME_BYTES = 127  # ALTIFNAMSIZ without the zero byte
# linux/if_addr.h
IFA_ADDRESS = 1
IFA_LOCAL = 2  # this host's address on a point-to-point link, where IFA_ADDRESS is the peer's

_RECEIVE_BYTES = 1 << 17


@dataclass(frozen=True, slots=True)
class LinkMessage:
    """One link as the kernel describes it, or the report that it was deleted."""

    deleted: bool
    index: int
    hardware_type: int  # ARPHRD_*, linux/if_arp.h
    flags: int  # IFF_*, linux/if.h
    name: str
    mtu: int
    address: bytes
    promiscuity: int  # the number of requests for promiscuous mode
    kind: str  # "veth", "bridge", …; empty for hardware
    alternative_names: tuple[str, ...] = ()  # ip-link(8), altname


@dataclass(frozen=True, slots=True)
class AddressMessage:
    """One network address of a link."""

    index: int
    family: int
    prefix_length: int
    address: bytes


def dump_links() -> list[LinkMessage]:
    """Return every link of this network namespace."""
    return [_link(kind, body) for kind, body in _dump(RTM_GETLINK) if kind == RTM_NEWLINK]


def get_link(index: int) -> LinkMessage | None:
    """Return the link with this index, or None. Asks the kernel for this one only."""
    return _get_link(index, b"")


def get_link_named(name: str) -> LinkMessage | None:
    """Return the link with this name or alternative name, or None.

    Alternative names need Linux 5.5; an older kernel finds links by their names only.
    """
    raw = name.encode("utf-8", "surrogateescape")
    if not raw or b"\0" in raw or len(raw) > ALTERNATIVE_NAME_BYTES:
        return None
    if len(raw) <= NAME_BYTES:  # the kernel looks up both kinds of names
        return _get_link(0, attribute(IFLA_IFNAME, raw + b"\0"))
    return _get_link(0, attribute(IFLA_ALT_IFNAME, raw + b"\0"))


def _get_link(index: int, wanted: bytes) -> LinkMessage | None:
    body = IFINFOMSG.pack(socket.AF_UNSPEC, 0, index, 0, 0) + wanted
    body += attribute(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS.to_bytes(4, sys.byteorder))
    try:
        kind, answer = next(ask(RTM_GETLINK, 0, body))
    except OSError as error:
        if error.errno in (errno.ENODEV, errno.EINVAL):  # EINVAL: an index below 1, an old kernel
            return None
        raise
    return _link(kind, answer)


def dump_addresses() -> list[AddressMessage]:
    """Return every IPv4 and IPv6 address of this network namespace."""
    return [_address(body) for kind, body in _dump(RTM_GETADDR) if kind == RTM_NEWADDR]


class LinkWatcher:
    """A descriptor that becomes readable when a link appears, changes, or is deleted."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        try:
            self._socket.setblocking(False)
            self._socket.bind((0, RTMGRP_LINK))
        except BaseException:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._socket.fileno()

    def read(self, known: Collection[int] = ()) -> list[LinkMessage]:
        """Return the changes since the last call.

        If the kernel dropped some (ENOBUFS), every link follows as it is now, and each index of
        `known` (the links that the caller uses) that no longer exists follows as deleted.
        """
        changes, lost = self.take()
        return changes + _anew(known) if lost else changes

    def take(self) -> tuple[list[LinkMessage], bool]:
        """Return the changes since the last call, and True if the kernel dropped some (ENOBUFS)."""
        changes: list[LinkMessage] = []
        lost = False
        while True:
            try:
                data = self._socket.recv(_RECEIVE_BYTES)
            except BlockingIOError:
                return changes, lost
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                lost = True
                continue
            changes.extend(
                _link(kind, body)
                for kind, body in messages(data)
                if kind in (RTM_NEWLINK, RTM_DELLINK) and body[0] == socket.AF_UNSPEC
            )

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


def messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the type and body of each message."""
    at = 0
    while at + NLMSGHDR.size <= len(data):
        length, kind, _flags, _sequence, _port = NLMSGHDR.unpack_from(data, at)
        if length < NLMSGHDR.size:
            return
        yield kind, data[at + NLMSGHDR.size : at + length]
        at += _aligned(length)


def attributes(data: bytes) -> dict[int, bytes]:
    """Return the attributes that fill `data`, by type; the last one of each type."""
    return dict(each_attribute(data))


def each_attribute(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the type and value of each attribute that fills `data`, in order."""
    at = 0
    while at + RTATTR.size <= len(data):
        length, kind = RTATTR.unpack_from(data, at)
        if length < RTATTR.size:
            return
        yield kind & NLA_TYPE_MASK, data[at + RTATTR.size : at + length]
        at += _aligned(length)


def attribute(kind: int, value: bytes) -> bytes:
    """Return one attribute, padded to 4 bytes."""
    raw = RTATTR.pack(RTATTR.size + len(value), kind) + value
    return raw.ljust(_aligned(len(raw)), b"\0")


def _anew(known: Collection[int]) -> list[LinkMessage]:
    links = dump_links()
    gone = set(known) - {link.index for link in links}
    return links + [LinkMessage(True, index, 0, 0, "", 0, b"", 0, "") for index in gone]


def ask(
    request: int, flags: int, body: bytes, family: int = socket.NETLINK_ROUTE
) -> Iterator[tuple[int, bytes]]:
    """Send one request (RTM_*, NLM_F_*) to the kernel and yield the type and body of each answer.

    `family` is that of netlink (NETLINK_*). Raises OSError with the kernel's error number and text
    if the kernel refuses.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, family) as asking:
        length = NLMSGHDR.size + len(body)
        asking.send(NLMSGHDR.pack(length, request, NLM_F_REQUEST | flags, 1, 0) + body)
        while True:
            for kind, answer in messages(asking.recv(_RECEIVE_BYTES)):
                if kind == NLMSG_DONE:
                    return
                if kind == NLMSG_ERROR:
                    code = -int.from_bytes(answer[:4], sys.byteorder, signed=True)
                    if code:
                        raise OSError(code, os.strerror(code))
                    return  # the acknowledgment that NLM_F_ACK requested
                yield kind, answer
            if not flags & NLM_F_DUMP:
                return


def _dump(request: int) -> Iterator[tuple[int, bytes]]:
    return ask(request, NLM_F_DUMP, IFINFOMSG.pack(socket.AF_UNSPEC, 0, 0, 0, 0))


def _link(kind: int, body: bytes) -> LinkMessage:
    _family, hardware_type, index, flags, _change = IFINFOMSG.unpack_from(body)
    found = attributes(body[IFINFOMSG.size :])
    return LinkMessage(
        deleted=kind == RTM_DELLINK,
        index=index,
        hardware_type=hardware_type,
        flags=flags,
        name=_text(found.get(IFLA_IFNAME, b"")),
        mtu=_integer(found.get(IFLA_MTU, b"")),
        address=found.get(IFLA_ADDRESS, b""),
        promiscuity=_integer(found.get(IFLA_PROMISCUITY, b"")),
        kind=_text(attributes(found.get(IFLA_LINKINFO, b"")).get(IFLA_INFO_KIND, b"")),
        alternative_names=tuple(
            _text(value)
            for key, value in each_attribute(found.get(IFLA_PROP_LIST, b""))
            if key == IFLA_ALT_IFNAME
        ),
    )


def _address(body: bytes) -> AddressMessage:
    family, prefix_length, _flags, _scope, index = IFADDRMSG.unpack_from(body)
    found = attributes(body[IFADDRMSG.size :])
    address = found.get(IFA_LOCAL, found.get(IFA_ADDRESS, b""))
    return AddressMessage(index, family, prefix_length, address)


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode("utf-8", "surrogateescape")


def _integer(value: bytes) -> int:
    return int.from_bytes(value, sys.byteorder)


def _aligned(length: int) -> int:
    return (length + 3) & ~3
