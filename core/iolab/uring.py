"""The rings of io_uring(7), by system calls, without a library.

Three mappings are shared with the kernel: the numbers of the submission queue, the *entries* that
are submitted (64 bytes each), and the completions (16 bytes each). Each queue has a head, which its
reader moves, and a tail, which its writer moves; both only grow, modulo 2³², and `mask` turns them
into indexes. The kernel takes submissions and, with IORING_SETUP_DEFER_TASKRUN (since Linux 6.1),
posts completions only inside the program's io_uring_enter(2), on its thread: so no barrier is
needed here. An older kernel may post them from another thread; there the code relies on x86, which
keeps stores in order.

Why not a package: the one that has wheels (``liburing``) is built for processors with AVX-512 and
dies of SIGILL on others. This module needs one structure, two calls, and two operations.

Sources: io_uring_setup(2), io_uring_enter(2); linux/io_uring.h.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import struct
from collections.abc import Iterator

# asm-generic/unistd.h: the same number on every architecture but alpha
_NR_SETUP = 425
_NR_ENTER = 426
# linux/io_uring.h
_OFFSET_RINGS = 0
_OFFSET_ENTRIES = 0x10000000
_FEATURE_SINGLE_MMAP = 1 << 0
_ENTER_GETEVENTS = 1 << 0
_SETUP_SINGLE_ISSUER = 1 << 12
_SETUP_DEFER_TASKRUN = 1 << 13
OP_SEND = 26
OP_RECV = 27
_ENTRY = struct.Struct("=BBHiQQIIQ24x")  # struct io_uring_sqe: opcode … user_data, and the rest
_COMPLETION = struct.Struct("=QiI")  # struct io_uring_cqe: user_data, res, flags
_PARAMS = struct.Struct("=10I 8IQ 8IQ")  # struct io_uring_params: numbers, sq_off, cq_off
_SQ_OFF, _CQ_OFF = 10, 19  # indexes of sq_off and cq_off
_FEATURES = 5
_U32 = 1 << 32

_libc = ctypes.CDLL(None, use_errno=True)


class Ring:
    """A ring with room for `entries` submissions. Raise OSError if the kernel refuses."""

    def __init__(self, entries: int) -> None:
        self._descriptor, found = _set_up(entries)
        try:
            self._map(found)
        except BaseException:
            os.close(self._descriptor)
            raise
        self._unsubmitted = 0

    def _map(self, found: tuple[int, ...]) -> None:
        if not found[_FEATURES] & _FEATURE_SINGLE_MMAP:
            raise OSError(errno.ENOSYS, "Linux 5.4 or later is needed")
        submissions, completions = found[0], found[1]
        sq_head, sq_tail, sq_mask, _, _, _, sq_array = found[_SQ_OFF : _SQ_OFF + 7]
        cq_head, cq_tail, cq_mask, _, _, self._completions_at = found[_CQ_OFF : _CQ_OFF + 6]
        size = max(sq_array + 4 * submissions, self._completions_at + 16 * completions)
        self._rings = mmap.mmap(self._descriptor, size, offset=_OFFSET_RINGS)
        self._entries = mmap.mmap(
            self._descriptor, submissions * _ENTRY.size, offset=_OFFSET_ENTRIES
        )
        numbers = memoryview(self._rings)[: size & ~3].cast("I")
        self._numbers = numbers
        self._sq_head, self._sq_tail = sq_head // 4, sq_tail // 4
        self._cq_head, self._cq_tail = cq_head // 4, cq_tail // 4
        self._sq_mask, self._cq_mask = numbers[sq_mask // 4], numbers[cq_mask // 4]
        for index in range(submissions):  # entries are always submitted in order
            numbers[sq_array // 4 + index] = index

    def close(self) -> None:
        """Unmap the rings and close the descriptor; the kernel cancels pending operations."""
        self._numbers.release()
        self._rings.close()
        self._entries.close()
        os.close(self._descriptor)

    @property
    def is_full(self) -> bool:
        """True if prepared operations must be submitted before there is room for more."""
        used = (self._numbers[self._sq_tail] - self._numbers[self._sq_head]) % _U32
        return used > self._sq_mask

    def prepare(self, operation: int, descriptor: int, address: int, size: int, tag: int) -> None:
        """Prepare one operation on `size` bytes at `address`; its completion has the `tag`."""
        tail = self._numbers[self._sq_tail]
        at = (tail & self._sq_mask) * _ENTRY.size
        _ENTRY.pack_into(self._entries, at, operation, 0, 0, descriptor, 0, address, size, 0, tag)
        self._numbers[self._sq_tail] = (tail + 1) % _U32
        self._unsubmitted += 1

    def enter(self, wait_for: int) -> None:
        """Submit the prepared operations, and wait for `wait_for` completions. Raise OSError."""
        flags = _ENTER_GETEVENTS if wait_for else 0
        taken = _call(_NR_ENTER, self._descriptor, self._unsubmitted, wait_for, flags, None, 0)
        self._unsubmitted -= taken

    def completions(self) -> Iterator[tuple[int, int]]:
        """Yield (tag, result) of each finished operation; a negative result is an errno."""
        head, tail = self._numbers[self._cq_head], self._numbers[self._cq_tail]
        while head != tail:
            at = self._completions_at + (head & self._cq_mask) * _COMPLETION.size
            tag, result, _flags = _COMPLETION.unpack_from(self._rings, at)
            head = (head + 1) % _U32
            self._numbers[self._cq_head] = head
            yield tag, result


def _set_up(entries: int) -> tuple[int, tuple[int, ...]]:
    """Return the descriptor, and the parameters that the kernel filled in."""
    for flags in (_SETUP_SINGLE_ISSUER | _SETUP_DEFER_TASKRUN, 0):
        params = ctypes.create_string_buffer(_PARAMS.size)
        struct.pack_into("=I", params, 8, flags)
        try:
            descriptor = _call(_NR_SETUP, entries, params)
        except OSError as error:
            if error.errno == errno.EINVAL and flags:
                continue  # an older kernel
            raise
        return descriptor, _PARAMS.unpack(params)
    raise AssertionError("the second round returns or raises")


def _call(number: int, *arguments: object) -> int:
    """Make one system call, again if a signal interrupts it. Raise OSError."""
    while True:
        result = int(_libc.syscall(number, *arguments))
        if result >= 0:
            return result
        code = ctypes.get_errno()
        if code != errno.EINTR:
            raise OSError(code, os.strerror(code))
