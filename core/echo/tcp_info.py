"""The kernel's view of a TCP socket: state, round-trip time, unread and unacknowledged bytes.

* ``TCP_INFO`` (tcp(7), linux/tcp.h `struct tcp_info`): byte 0 is the state; the smoothed
  round-trip time in microseconds is the 16th u32 after the eight bytes of the head, at byte 68.
* ``SIOCINQ`` (tcp(7)): bytes received and not yet read by the program.
* ``SIOCOUTQ``: bytes written by the program that the peer has not acknowledged, whether they were
  sent or not: tcp(7) says "unsent", the kernel counts write_seq - snd_una (net/ipv4/tcp.c,
  `tcp_ioctl`).
* ``SIOCATMARK`` (tcp(7)): the next byte to read is the urgent one.

A sample queries the first three, with three system calls per socket, so thousands of clients are
sampled in slices.
"""

from __future__ import annotations

import socket
import struct
from fcntl import ioctl
from typing import NamedTuple

_SIOCINQ = 0x541B  # asm-generic/ioctls.h FIONREAD
_SIOCOUTQ = 0x5411  # asm-generic/ioctls.h TIOCOUTQ
_SIOCATMARK = 0x8905  # asm-generic/sockios.h
_HEAD = struct.Struct("=B67xI")  # tcpi_state, tcpi_rtt
_INT = struct.Struct("=i")
_BLANK = bytes(_INT.size)

# linux/tcp_states.h, by number
STATE_NAMES = (
    "", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE",
    "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV",
)  # fmt: skip


class TcpSample(NamedTuple):
    """A socket at one moment. `state` is an index of `STATE_NAMES`, `rtt_us` in microseconds.

    `unread` and `unsent` are in bytes; `unsent` counts those not acknowledged, sent or not.
    """

    state: int
    rtt_us: int
    unread: int
    unsent: int


def sample(connected: socket.socket) -> TcpSample:
    """Query the kernel. Raise OSError for a socket that is not a TCP connection."""
    state, rtt_us = _HEAD.unpack(
        connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _HEAD.size)
    )
    return TcpSample(state, rtt_us, unread(connected), unsent(connected))


def unread(connected: socket.socket) -> int:
    """Return the bytes that the kernel acknowledged and the program has not read. Raise OSError."""
    count: int = _INT.unpack(ioctl(connected.fileno(), _SIOCINQ, _BLANK))[0]
    return count


def unsent(connected: socket.socket) -> int:
    """Return the bytes that the peer has not acknowledged; a FIN counts as one. Raise OSError."""
    count: int = _INT.unpack(ioctl(connected.fileno(), _SIOCOUTQ, _BLANK))[0]
    return count


def at_urgent_mark(connected: socket.socket) -> bool:
    """Return True if the next byte to read is the urgent one (SIOCATMARK). Raise OSError."""
    return ioctl(connected.fileno(), _SIOCATMARK, _BLANK) != _BLANK


def state_name(state: int) -> str:
    """Return ``ESTABLISHED`` …; the number itself if a newer kernel added it."""
    return STATE_NAMES[state] if 0 <= state < len(STATE_NAMES) else str(state)
