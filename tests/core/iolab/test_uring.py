"""The rings of io_uring: real operations on a socket pair, wrapping around many times."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from collections.abc import Iterator

import pytest

from core.iolab import uring
from core.iolab.uring import OP_RECV, OP_SEND, Ring

ENTRIES = 4


@pytest.fixture
def ring() -> Iterator[Ring]:
    try:
        made = Ring(ENTRIES)
    except OSError as error:
        pytest.skip(f"the kernel refuses io_uring: {error.strerror}")
    yield made
    made.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ends = socket.socketpair()
    yield ends
    for end in ends:
        end.close()


def test_bytes_go_both_ways_around_the_ring(ring, pair):
    here, there = pair
    buffer = ctypes.create_string_buffer(8)
    address = ctypes.addressof(buffer)
    for turn in range(10 * ENTRIES):
        there.send(turn.to_bytes(8, "big"))
        ring.prepare(OP_RECV, here.fileno(), address, 8, turn)
        ring.enter(1)
        assert list(ring.completions()) == [(turn, 8)]
        assert buffer.raw == turn.to_bytes(8, "big")
        ring.prepare(OP_SEND, here.fileno(), address + 4, 4, turn + 1)
        ring.enter(1)
        assert list(ring.completions()) == [(turn + 1, 4)]
        assert there.recv(100) == turn.to_bytes(4, "big")


def test_a_full_ring_says_so_and_takes_more_when_submitted(ring, pair):
    here, there = pair
    buffers = ctypes.create_string_buffer(2 * ENTRIES)
    for place in range(2 * ENTRIES):
        if ring.is_full:
            assert place == ENTRIES
            ring.enter(0)
        assert not ring.is_full
        ring.prepare(OP_RECV, here.fileno(), ctypes.addressof(buffers) + place, 1, place)
    there.send(bytes(range(2 * ENTRIES)))
    done = []
    while len(done) < 2 * ENTRIES:
        ring.enter(1)
        done += ring.completions()
    assert sorted(done) == [(place, 1) for place in range(2 * ENTRIES)]
    assert sorted(buffers.raw) == list(range(2 * ENTRIES))


def test_a_failed_operation_has_its_errno(ring):
    buffer = ctypes.create_string_buffer(1)
    read_end, write_end = os.pipe()
    ring.prepare(OP_RECV, read_end, ctypes.addressof(buffer), 1, 7)
    ring.enter(1)
    assert list(ring.completions()) == [(7, -errno.ENOTSOCK)]
    os.close(read_end)
    os.close(write_end)


def test_an_older_kernel_gets_no_newer_flags(monkeypatch):
    """Without IORING_SETUP_DEFER_TASKRUN (Linux 6.1)."""
    asked = []
    call = uring._call

    def older(number, *arguments):
        if number == uring._NR_SETUP:
            flags = int.from_bytes(arguments[1][8:12], "little")
            asked.append(flags)
            if flags:
                raise OSError(errno.EINVAL, "Invalid argument")
        return call(number, *arguments)

    monkeypatch.setattr(uring, "_call", older)
    try:
        Ring(ENTRIES).close()
    except OSError as error:
        pytest.skip(f"the kernel refuses io_uring: {error.strerror}")
    assert len(asked) == 2
    assert asked[1] == 0


def test_nonsense_is_refused():
    with pytest.raises(OSError, match=r"Invalid argument|not permitted|not implemented"):
        Ring(0)
