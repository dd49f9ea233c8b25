"""Give each test process its own network namespace.

Two workers of one test run that shared the loopback interface would see each other's packets in
captures on ``lo``, and could take each other's ports. With the privilege (CAP_SYS_ADMIN), a process
leaves the host's network before the first test: ``unshare(2)`` moves the calling thread, and every
thread and program that it starts later follows. ``/sys`` still shows the host's interfaces, since
it belongs to the mount and not to the thread; nothing in rawscope reads it. ``ip netns`` works as
before, because its names are files.

Without the privilege, the process stays in the host's network. Tests therefore let the kernel
choose the ports that they listen on.
"""

from __future__ import annotations

import ctypes
import fcntl
import socket
import struct

CLONE_NEWNET = 0x40000000  # linux/sched.h
SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914  # linux/sockios.h
IFF_UP = 1  # linux/if.h
_IFREQ = struct.Struct("=16sH22x")  # struct ifreq: name and flags; netdevice(7)


def flags_of(name: str) -> int:
    """Return the flags (netdevice(7)) of an interface in this thread's network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        answer = fcntl.ioctl(channel, SIOCGIFFLAGS, _IFREQ.pack(name.encode(), 0))
        return _IFREQ.unpack(answer)[1]


def leave_network() -> bool:
    """Move the calling thread into a new network namespace and bring its ``lo`` up.

    Without the privilege, change nothing and return False.
    """
    if ctypes.CDLL(None).unshare(CLONE_NEWNET):
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        fcntl.ioctl(channel, SIOCSIFFLAGS, _IFREQ.pack(b"lo", flags_of("lo") | IFF_UP))
    return True
