"""Signal-driven I/O: the kernel sends a signal when a socket changes.

* With ``O_ASYNC`` set and an owner (``F_SETOWN``), the kernel sends SIGIO on every change. SIGIO
  does not queue and does not name the descriptor. ``F_SETSIG`` chooses a real-time signal
  instead, which queues and carries the descriptor (fcntl(2), "Managing signals"; signal(7)).
* Like an edge, a signal reports a change, so the model reads until EAGAIN.
* The queue is bounded (RLIMIT_SIGPENDING). When it is full the kernel falls back to plain SIGIO:
  something happened somewhere, so the model tries every peer.
* A handler could run between any two instructions. So the signals are blocked and read from a
  descriptor, signalfd(2), many with one read; Python's `sigwaitinfo` omits the number of the
  descriptor, and signalfd is not in the standard library, so it is called through ctypes.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import struct
from collections.abc import Sequence
from fcntl import F_GETFL, F_SETFL, F_SETOWN, fcntl

from core.iolab.peers import Calls, ModelRefusedError, Peer, non_blocking_peers

_F_SETSIG = 10  # asm-generic/fcntl.h
_CHANGED = signal.SIGRTMIN + 1
_INFO = struct.Struct("=I16xi104x")  # struct signalfd_siginfo: ssi_signo, ssi_fd; 128 bytes
_INFOS = 64
_SIGSET_BYTES = 128  # sigset_t of the C library


def serve(connections: Sequence[socket.socket], calls: Calls) -> None:
    """Echo until every peer has ended. Call this in the main thread of a process of its own."""
    signal.pthread_sigmask(signal.SIG_BLOCK, (_CHANGED, signal.SIGIO))
    signals = _signalfd((_CHANGED, signal.SIGIO))
    try:
        _serve(non_blocking_peers(connections, calls), signals, calls)
    finally:
        os.close(signals)


def _serve(peers: dict[int, Peer], signals: int, calls: Calls) -> None:
    for descriptor in peers:
        calls["fcntl"] += 4
        fcntl(descriptor, F_SETOWN, os.getpid())
        fcntl(descriptor, _F_SETSIG, _CHANGED)
        fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | os.O_ASYNC)
    changed = list(peers)  # bytes that arrived before the signals were on sent none
    while True:
        for descriptor in changed:
            peer = peers.get(descriptor)
            if peer is None:
                continue  # a signal sent before it was closed
            peer.flush()
            peer.drain()
            if peer.finished:
                peer.close()
                del peers[descriptor]
        if not peers:
            return
        calls["read"] += 1
        taken = list(_INFO.iter_unpack(os.read(signals, _INFO.size * _INFOS)))
        overflown = any(number == signal.SIGIO for number, _descriptor in taken)
        changed = list(peers) if overflown else [descriptor for _number, descriptor in taken]


def _signalfd(numbers: Sequence[int]) -> int:
    """Return a signalfd(2): a descriptor from which blocked signals are read."""
    mask = bytearray(_SIGSET_BYTES)
    for number in numbers:
        mask[(number - 1) // 8] |= 1 << (number - 1) % 8
    library = ctypes.CDLL(None, use_errno=True)
    made: int = library.signalfd(-1, bytes(mask), os.O_CLOEXEC)
    if made < 0:
        raise ModelRefusedError(f"signalfd: {os.strerror(ctypes.get_errno())}")
    return made
