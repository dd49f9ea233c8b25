"""Send one packet many times by one call of sendmmsg(2).

If the kernel refuses a packet after it sent others, the call returns their number, and the errno is
lost.
"""

from __future__ import annotations

import ctypes

BURST = 1024  # packets a call: UIO_MAXIOV, the most that sendmmsg takes

_libc = ctypes.CDLL(None, use_errno=True)


class _IoVec(ctypes.Structure):
    """struct iovec, bits/types/struct_iovec.h."""

    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class _MsgHdr(ctypes.Structure):
    """struct msghdr, bits/socket.h."""

    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("vectors", ctypes.POINTER(_IoVec)),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    ]


class _MMsgHdr(ctypes.Structure):
    """struct mmsghdr, sendmmsg(2)."""

    _fields_ = [("header", _MsgHdr), ("sent", ctypes.c_uint)]


class EqualMessages:
    """The arguments of sendmmsg for `BURST` equal packets, to a connected or bound socket."""

    def __init__(self, packet: bytes) -> None:
        self.packet = packet
        self._held = ctypes.create_string_buffer(packet, len(packet))
        self._vector = _IoVec(ctypes.addressof(self._held), len(packet))
        self._messages = (_MMsgHdr * BURST)()
        for message in self._messages:
            message.header.vectors = ctypes.pointer(self._vector)
            message.header.vector_count = 1

    def send(self, descriptor: int, count: int) -> tuple[int, int]:
        """Send the packet up to `count` times, at most `BURST`; return how often, and an errno.

        The errno is 0 if the packet was sent once.
        """
        sent = int(_libc.sendmmsg(descriptor, self._messages, min(count, BURST), 0))
        return (sent, 0) if sent > 0 else (0, ctypes.get_errno())
