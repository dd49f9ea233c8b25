"""Ask the kernel for its TCP and UDP sockets: their ends, their owner's user, and their inode.

A dump answers with every socket of one family and protocol in this network namespace, as messages
of ``struct inet_diag_msg``. It tells no process: a process that holds the socket has a descriptor
whose link in /proc/PID/fd is ``socket:[INODE]``. The inode is 0 for a connection without a
descriptor: one that waits in the queue of `accept`, or that the program has closed (TIME-WAIT and
the states before it). No privilege is needed, also for the sockets of other users.

An AF_INET6 socket may carry IPv4, with addresses of ::ffff:0:0/96 (RFC 4291 §2.5.5.2). IPv4
addresses have that form here in all sockets, so both kinds are compared alike.

Source: sock_diag(7); linux/inet_diag.h, linux/sock_diag.h; net/ipv4/inet_diag.c.
"""

from __future__ import annotations

import errno
import socket
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.net import netlink
from core.wire.model.address_texts import MAPPED

NETLINK_SOCK_DIAG = 4  # linux/netlink.h
SOCK_DIAG_BY_FAMILY = 20  # linux/sock_diag.h
INET_DIAG_SKV6ONLY = 11  # linux/inet_diag.h
TCP_LISTEN = 10  # net/tcp_states.h
_ALL_STATES = 0xFFFF_FFFF

# inet_diag_req_v2: family, protocol, extensions, states, an inet_diag_sockid that a dump ignores
REQUEST = struct.Struct("=BBBxI48x")
# inet_diag_msg: family, state, timer, retransmits, the ends of inet_diag_sockid (two ports and two
# addresses of 16 bytes), interface, cookie, expires, queues, uid, inode
MESSAGE = np.dtype(
    {
        "names": ["family", "state", "ends", "uid", "inode"],
        "formats": ["u1", "u1", ("u1", (36,)), "=u4", "=u4"],
        "offsets": [0, 1, 4, 64, 68],
        "itemsize": 72,
    }
)
ENDS_BYTES = 36
"""Two ports and two addresses: of this end, then of the other one, as the kernel orders them."""


@dataclass(frozen=True, slots=True, eq=False)
class DiagnosedSockets:
    """The sockets of one protocol: parallel columns (n,).

    ``ends``       uint8 (n, 36)  local port, remote port, local address, remote address; ports in
                                  network byte order, 16 bytes each address; zero where unconnected
    ``state``      uint8          TCP_*, net/tcp_states.h
    ``uid``        uint32         the user that created the socket
    ``inode``      uint32         0 without a descriptor
    ``ipv6_only``  bool           an AF_INET6 socket that carries no IPv4
    """

    ends: NDArray[np.uint8]
    state: NDArray[np.uint8]
    uid: NDArray[np.uint32]
    inode: NDArray[np.uint32]
    ipv6_only: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.inode)


def dump_sockets(protocol: int) -> DiagnosedSockets:
    """Return the sockets of IPPROTO_TCP or IPPROTO_UDP, of both address families.

    Raise OSError (ENOENT, EOPNOTSUPP) if the kernel has no such diagnosis.
    """
    bodies: list[bytes] = []
    only: list[bool] = []
    for family in (socket.AF_INET, socket.AF_INET6):
        request = REQUEST.pack(family, protocol, 0, _ALL_STATES)
        answers = netlink.ask(SOCK_DIAG_BY_FAMILY, netlink.NLM_F_DUMP, request, NETLINK_SOCK_DIAG)
        try:
            for _kind, body in answers:
                bodies.append(body[: MESSAGE.itemsize])
                only.append(family == socket.AF_INET6 and _is_ipv6_only(body))
        except OSError as error:
            if family == socket.AF_INET or error.errno not in (errno.ENOENT, errno.EAFNOSUPPORT):
                raise  # a kernel without IPv6 has no AF_INET6 sockets
    return _columns(b"".join(bodies), np.array(only, np.bool_))


def _is_ipv6_only(body: bytes) -> bool:
    return bool(any(netlink.attributes(body[MESSAGE.itemsize :]).get(INET_DIAG_SKV6ONLY, b"")))


def _columns(data: bytes, ipv6_only: NDArray[np.bool_]) -> DiagnosedSockets:
    found: NDArray[Any] = np.frombuffer(data, MESSAGE)
    ends = found["ends"].copy()
    is_ipv4 = found["family"] == socket.AF_INET
    for start in (4, 20):
        address = ends[is_ipv4, start : start + 4]
        ends[is_ipv4, start : start + 12] = np.frombuffer(MAPPED, np.uint8)
        ends[is_ipv4, start + 12 : start + 16] = address
    return DiagnosedSockets(
        ends, found["state"].copy(), found["uid"].copy(), found["inode"].copy(), ipv6_only
    )
