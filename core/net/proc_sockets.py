"""Read the kernel's lists of ping sockets and raw sockets, of both address families.

A ping socket (SOCK_DGRAM with IPPROTO_ICMP; icmp(7)) has the identifier of its echo requests as its
port. A raw socket has the number of its protocol there, and tells no identifier. sock_diag(7) does
not know ping sockets, so both are read from /proc/thread-self/net, which is of this thread's
network namespace.

Source: net/ipv4/ping.c (ping_v4_format_sock), net/ipv4/raw.c (raw_sock_seq_show), net/ipv6/ping.c,
net/ipv6/raw.c; proc_net(5).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from core.net.sock_diag import ENDS_BYTES, DiagnosedSockets
from core.wire.model.address_texts import MAPPED
from core.wire.model.assigned_numbers import IpProtocol

FOLDER = Path("/proc/thread-self/net")
_ANY_PROTOCOL = 255  # IPPROTO_RAW: sends packets of any protocol
_FILES = {IpProtocol.ICMP: "", IpProtocol.ICMPV6: "6"}


def ping_sockets(protocol: int, folder: Path = FOLDER) -> DiagnosedSockets:
    """Return the ping sockets of ICMP or ICMPv6; the identifier is the local port."""
    return _columns(_sockets(folder / f"icmp{_FILES[IpProtocol(protocol)]}"))


def raw_sockets(protocol: int, folder: Path = FOLDER) -> DiagnosedSockets:
    """Return the raw sockets that can send ICMP or ICMPv6. Their local port is the protocol."""
    found = _sockets(folder / f"raw{_FILES[IpProtocol(protocol)]}")
    return _columns(each for each in found if _port(each) in (protocol, _ANY_PROTOCOL))


def echo_sockets(protocol: int) -> tuple[DiagnosedSockets, DiagnosedSockets]:
    """Return the ping sockets and the raw sockets of ICMP or ICMPv6."""
    return ping_sockets(protocol), raw_sockets(protocol)


_Socket = tuple[bytes, int, int, int]  # the ends, state, user, and inode


def _port(found: _Socket) -> int:
    return int.from_bytes(found[0][:2], "big")


def _sockets(path: Path) -> Iterator[_Socket]:
    with suppress(OSError):  # a kernel without that kind of sockets, or without IPv6
        for line in path.read_text().splitlines()[1:]:
            words = line.split()
            with suppress(ValueError, IndexError):  # another format than that of today
                (local, local_port), (remote, remote_port) = map(_end, words[1:3])
                ends = local_port + remote_port + local + remote
                yield ends, int(words[3], 16), int(words[7]), int(words[9])


def _end(word: str) -> tuple[bytes, bytes]:
    """Return the address and the port of an end, such as ``0100007F:0016``."""
    address, _, port = word.partition(":")
    words = [int(address[at : at + 8], 16) for at in range(0, len(address), 8)]
    if len(words) not in (1, 4):
        raise ValueError(word)
    packed = struct.pack(f"={len(words)}I", *words)  # words of the network, as this host reads them
    return (packed if len(words) == 4 else MAPPED + packed), int(port, 16).to_bytes(2, "big")


def _columns(found: Iterator[_Socket]) -> DiagnosedSockets:
    sockets = list(found)
    ends, states, users, inodes = zip(*sockets, strict=True) if sockets else ((), (), (), ())
    return DiagnosedSockets(
        np.frombuffer(b"".join(ends), np.uint8).reshape(-1, ENDS_BYTES),
        np.array(states, np.uint8),
        np.array(users, np.uint32),
        np.array(inodes, np.uint32),
        np.zeros(len(sockets), np.bool_),
    )
