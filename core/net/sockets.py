"""Create raw and packet sockets, here and nowhere else, and define the kernel constants for them.

Creating such a socket takes CAP_NET_RAW (packet(7), raw(7), capabilities(7)); everything after that
(ring, filter, bind, promiscuous mode) takes no privilege. So `LocalSockets` is the only code that
can fail for lack of one, and its error names what is missing and the command that grants it. The
modules that capture and send are given a `SocketProvider`, so that a privileged process can make
the sockets for them.

The command runs rawscope as the same user with that one capability in its ambient set (setpriv(1),
util-linux), nothing else in its bounding set, and no way to gain more (no_new_privs, prctl(2)).
sudo sets HOME to root's, so the command sets it back: the files of the state directory are the
user's own. Giving the capability to the Python binary by setcap(8) would give it to every script on
the host, and a virtual environment's binary is a link to that one.
"""

from __future__ import annotations

import shlex
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

SOL_PACKET = 263  # linux/socket.h
FRAME_FAMILY = socket.AF_PACKET  # of packet sockets; sll_family of the frames that they receive
ETH_P_ALL = 0x0003  # linux/if_ether.h
SIOCGIFMTU = 0x8921  # linux/sockios.h, netdevice(7)

# linux/if_packet.h: socket options
PACKET_ADD_MEMBERSHIP = 1
PACKET_DROP_MEMBERSHIP = 2
PACKET_RX_RING = 5
PACKET_STATISTICS = 6
PACKET_AUXDATA = 8
PACKET_VERSION = 10
PACKET_TX_RING = 13
PACKET_VNET_HDR = 15
PACKET_QDISC_BYPASS = 20
PACKET_MR_PROMISC = 1
TPACKET_V2 = 1
TPACKET_V3 = 2

# linux/if_packet.h: sll_pkttype
PACKET_HOST = 0
PACKET_BROADCAST = 1
PACKET_MULTICAST = 2
PACKET_OTHERHOST = 3
PACKET_OUTGOING = 4

# linux/if_packet.h: tp_status of a received frame, and of a block
TP_STATUS_KERNEL = 0
TP_STATUS_USER = 1 << 0
TP_STATUS_CSUMNOTREADY = 1 << 3
TP_STATUS_VLAN_VALID = 1 << 4
TP_STATUS_VLAN_TPID_VALID = 1 << 6
TP_STATUS_CSUM_VALID = 1 << 7
TP_STATUS_GSO_TCP = 1 << 8

# linux/if_packet.h: tp_status of a frame to be sent
TP_STATUS_AVAILABLE = 0
TP_STATUS_SEND_REQUEST = 1 << 0
TP_STATUS_WRONG_FORMAT = 1 << 2

# linux/in.h, linux/in6.h: options of IPPROTO_IP and IPPROTO_IPV6
IP_HDRINCL = 3
IP_RECVERR = 11
IPV6_RECVERR = 25
IPV6_HDRINCL = 36

# asm-generic/socket.h
SO_ATTACH_FILTER = 26
SO_TIMESTAMPNS = 35
SO_RCVBUFFORCE = 33
SO_MEMINFO = 55
SK_MEMINFO_DROPS = 8  # linux/sock_diag.h: index into the u32 array of SO_MEMINFO

_GRANT = (
    "sudo setpriv --reuid=$(id -u) --regid=$(id -g) --init-groups "
    "--inh-caps=+net_raw --ambient-caps=+net_raw --bounding-set=-all,+net_raw --no-new-privs "
    '-- env HOME="$HOME" '
)


def grant_command(interfaces: Sequence[str] = ()) -> str:
    """Return the shell command that runs this very program, with its arguments and the privilege.

    `interfaces` are those that the user chose to capture on; they replace the interfaces or the
    file that the arguments name.
    """
    program = Path(sys.argv[0]).absolute()
    if program.name != "rawscope":  # started as a module, or inside another program
        return f'{_GRANT}"$(command -v rawscope)"'
    return _GRANT + shlex.join([str(program), *_capturing_on(interfaces, sys.argv[1:])])


def _capturing_on(interfaces: Sequence[str], arguments: Sequence[str]) -> list[str]:
    named, rest = [], []
    words = iter(arguments)
    for word in words:
        if word in ("-i", "-r"):
            named.append(next(words, ""))
        elif word.startswith(("-i", "-r")) or word == "--demo":
            named.append("lo" if word == "--demo" else word[2:])
        else:
            rest.append(word)
    if not interfaces or named == list(interfaces):
        return list(arguments)
    return [*rest, *(word for name in interfaces for word in ("-i", name))]


class NotPermittedError(Exception):
    """The process may not create the socket. The text is one line: what is missing, what to run."""

    def __init__(self, purpose: str, interfaces: Sequence[str] = ()) -> None:
        command = grant_command(interfaces)
        super().__init__(f"{purpose} needs the capability CAP_NET_RAW; run: {command}")


class SocketProvider(Protocol):
    """Makes raw and packet sockets for the modules that capture and send.

    Every socket is non-blocking and close-on-exec. Each method raises `NotPermittedError` if the
    privilege is missing.
    """

    def packet_socket(
        self, purpose: str = "capturing", interfaces: Sequence[str] = ()
    ) -> socket.socket:
        """Return a link-level socket, AF_PACKET / SOCK_RAW, with protocol 0.

        It receives nothing until it is bound to ETH_P_ALL, so no frame gets in before the filter is
        attached (packet(7)). `purpose` and `interfaces` are for the text of the error.
        """
        ...

    def raw_ipv4_socket(self, protocol: int, interfaces: Sequence[str] = ()) -> socket.socket:
        """Return an AF_INET / SOCK_RAW socket.

        It receives incoming IPv4 packets of one protocol, header first (raw(7)).
        """
        ...

    def raw_ipv6_socket(self, protocol: int) -> socket.socket:
        """Return an AF_INET6 / SOCK_RAW socket (raw(7), RFC 3542).

        Raises OSError if the kernel has no IPv6.
        """
        ...


class LocalSockets:
    """The default `SocketProvider`: creates the sockets in this process."""

    def packet_socket(
        self, purpose: str = "capturing", interfaces: Sequence[str] = ()
    ) -> socket.socket:
        """Return a packet socket with protocol 0."""
        return _create(FRAME_FAMILY, 0, purpose, interfaces)

    def raw_ipv4_socket(self, protocol: int, interfaces: Sequence[str] = ()) -> socket.socket:
        """Return a raw IPv4 socket."""
        return _create(socket.AF_INET, protocol, "a raw IPv4 socket", interfaces)

    def raw_ipv6_socket(self, protocol: int) -> socket.socket:
        """Return a raw IPv6 socket."""
        return _create(socket.AF_INET6, protocol, "a raw IPv6 socket")


LOCAL_SOCKETS: SocketProvider = LocalSockets()


def _create(
    family: int, protocol: int, purpose: str, interfaces: Sequence[str] = ()
) -> socket.socket:
    try:
        created = socket.socket(family, socket.SOCK_RAW, protocol)  # Python sets SOCK_CLOEXEC
    except PermissionError as error:
        raise NotPermittedError(purpose, interfaces) from error
    created.setblocking(False)
    return created
