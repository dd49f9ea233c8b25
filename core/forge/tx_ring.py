"""Frames out through PACKET_TX_RING, TPACKET_V2: we write into memory shared with the kernel.

The ring is a row of equal slots. A slot is a header (``struct tpacket2_hdr``) and the frame behind
it. We fill slots that are TP_STATUS_AVAILABLE, set their length, then their status to
TP_STATUS_SEND_REQUEST; one send(2) makes the kernel go through all of them in order and put each
back to AVAILABLE when its frame is done. So a system call carries thousands of frames.

The kernel copies a link header out of a slot and refers to the rest in place, page by page, which
for a frame of a few hundred bytes costs more than the copy: taking and releasing pages, and each
reader of the packet behind it that wants its header in one piece. With PACKET_VNET_HDR a
``struct virtio_net_hdr`` stands before each frame, whose ``hdr_len`` says how many bytes to copy:
all, up to `_COPIED`. It asks for nothing else (no checksum, no segmentation), and is a third to a
half faster at 54 as at 1,514 bytes.

With such a header the kernel does not compare a frame with the MTU, so that is done here
(`TxRing.fits`), by the kernel's rule for packet sockets on Ethernet: a frame may have the MTU of
now and the link header, and 4 bytes more only if it has a VLAN tag (af_packet.c,
packet_extra_vlan_len_allowed).

ENOBUFS means that the device's queue is full, or that the device dropped the frame itself, as a
veth does with what its other end does not take: the frame stays a request and is tried again, so
nothing is lost, and a slow device slows us down; for `_PATIENCE_S` at most. send(2) does not
block: waiting inside it for frames on their way costs more than to look again.

Source: packet(7); Documentation/networking/packet_mmap.rst; linux/if_packet.h; linux/virtio_net.h;
net/packet/af_packet.c, tpacket_snd.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import socket
import struct
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from core import sockets as kernel
from core.forge.answers import Circumstances, SendError, refused
from core.wire.ethernet import ETHERNET, EtherType
from core.wire.vlan import VLAN

_MOST_SLOTS = 4096
_LEAST_SLOT = 128  # small slots stay in the processor's cache: a tenth faster than 256
_RING_BYTES = 16 << 20
_PATIENCE_S = 5.0  # so long may a device send nothing
_NAP_S = 0.001
_PASSING = frozenset({0, errno.EINTR, errno.ENOBUFS, errno.EAGAIN})

IFREQ = struct.Struct("=16si20x")  # struct ifreq: name, MTU
TPACKET_REQ = struct.Struct("=4I")  # block size, blocks, frame size, frames
HEADER = np.dtype(
    [
        ("tp_status", "=u4"),
        ("tp_len", "=u4"),
        ("tp_snaplen", "=u4"),
        ("tp_mac", "=u2"),
        ("tp_net", "=u2"),
        ("tp_sec", "=u4"),
        ("tp_nsec", "=u4"),
        ("tp_vlan_tci", "=u2"),
        ("tp_vlan_tpid", "=u2"),
        ("tp_padding", "=u4"),
    ]
)
VIRTIO = np.dtype(
    [
        ("flags", "u1"),
        ("gso_type", "u1"),
        ("hdr_len", "=u2"),
        ("gso_size", "=u2"),
        ("csum_start", "=u2"),
        ("csum_offset", "=u2"),
    ]
)
_VIRTIO = -(-HEADER.itemsize // 16) * 16  # TPACKET_ALIGN: where the kernel looks for it
_DATA = _VIRTIO + VIRTIO.itemsize
_COPIED = 2048  # bytes: what is longer would take the kernel more than a page
_TYPE = ETHERNET["type"].span


class TxRing:
    """A ring on one interface. Frames are given in order; `flush` makes the kernel send them.

    `longest` is the longest frame that may be given (bytes): what is asked for, or what the
    interface takes. `sent` counts the frames that left. Raises `SendError` and
    `core.sockets.NotPermittedError`.
    """

    def __init__(self, interface: str, mtu: int, longest: int, *, bypass: bool = False) -> None:
        self.sent = 0
        self._what = Circumstances(interface, interface, mtu, longest, verbatim=True)
        self._mtu = mtu
        self.longest = min(longest, mtu + ETHERNET.size + VLAN.size)
        room = _DATA + self.longest
        self._slot = max(_LEAST_SLOT, 1 << (room - 1).bit_length())
        self._slots = min(_MOST_SLOTS, _RING_BYTES // self._slot)
        self._next = 0
        self._waiting = 0
        self._socket = kernel.packet_socket("sending")
        try:
            self._socket.bind((interface, 0))
            if bypass:
                self._socket.setsockopt(kernel.SOL_PACKET, kernel.PACKET_QDISC_BYPASS, 1)
            self._map()
        except OSError as error:
            self._socket.close()
            raise refused(error.errno or 0, self._what) from error

    def __enter__(self) -> TxRing:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Unmap the ring and close the socket."""
        del self._status, self._length, self._copied, self._frames
        self._memory.release()
        self._map_object.close()
        self._socket.close()

    def fits(
        self, data: NDArray[np.uint8], offset: NDArray[np.int64], length: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """(n,) which frames ``data[offset : offset + length]`` the interface takes now."""
        untagged = self._mtu_now() + ETHERNET.size
        found: NDArray[np.bool_] = length <= min(self.longest, untagged)
        found &= length >= ETHERNET.size
        longest = min(self.longest, untagged + VLAN.size)
        rows = np.flatnonzero((length > untagged) & (length <= longest))
        at = offset[rows] + _TYPE.start
        found[rows] = (data[at].astype(np.uint16) << 8 | data[at + 1]) == EtherType.VLAN
        return found

    def put(self, frames: Iterable[bytes | memoryview]) -> None:
        """Put frames in; when the ring is full what is in is sent first. Raises `SendError`."""
        memory, slot = self._memory, self._slot
        for frame in frames:
            if self._waiting == self._slots:
                self.flush()
            self._check(*_alone(frame))
            at = self._next * slot + _DATA
            memory[at : at + len(frame)] = frame
            self._measure(slice(self._next, self._next + 1), len(frame))
            self._next = (self._next + 1) % self._slots
            self._waiting += 1

    def put_many(
        self, data: NDArray[np.uint8], offset: NDArray[np.int64], length: NDArray[np.int64]
    ) -> None:
        """`put` for frames that lie in one array: ``data[offset : offset + length]`` each; (n,).
        Nothing is put in if one of them does not fit.

        Rows of one width are copied at once, the longest frame's: what stands behind a shorter
        one in its slot is not sent.
        """
        self._check(data, offset, length)
        at = 0
        while at < len(offset):
            if self._waiting == self._slots:
                self.flush()
            room = min(self._slots - self._waiting, self._slots - self._next)
            stop = min(len(offset), at + room)
            width = int(length[at:stop].max())
            inside = int((offset[at:stop] + width <= len(data)).argmin() or stop - at)
            if offset[at] + width > len(data):
                self.put((data[offset[at] : offset[at] + length[at]].tobytes(),))
                at += 1
                continue
            slots = slice(self._next, self._next + inside)
            self._frames[slots, :width] = _rows(data, offset[at : at + inside], width)
            self._measure(slots, length[at : at + inside])
            self._next = (self._next + inside) % self._slots
            self._waiting += inside
            at += inside

    def flush(self) -> None:
        """Have the kernel send all that was put in, and wait until it has. Raises `SendError`."""
        if not self._waiting:
            return
        start = self._next - self._waiting
        waiting = [self._status[max(0, start) : self._next]]
        if start < 0:  # around the ring's end
            waiting.insert(0, self._status[start:])
        self._waiting = 0
        for part in waiting:
            part[:] = kernel.TP_STATUS_SEND_REQUEST
        left = sum(map(len, waiting))
        moved_s = time.monotonic()
        while left:
            number = self._kick()
            now_left = sum(int(np.count_nonzero(part)) for part in waiting)
            if now_left < left:
                self.sent += left - now_left
                left, moved_s = now_left, time.monotonic()
                continue
            if number not in _PASSING or time.monotonic() - moved_s > _PATIENCE_S:
                raise self._failure(number)
            time.sleep(_NAP_S)

    def _measure(self, slots: slice, length: int | NDArray[np.int64]) -> None:
        """Say how long the frames of some slots are."""
        self._length[slots] = length + VIRTIO.itemsize
        self._copied[slots] = np.minimum(length, _COPIED)

    def _check(
        self, data: NDArray[np.uint8], offset: NDArray[np.int64], length: NDArray[np.int64]
    ) -> None:
        """Raise the `SendError` of the first frame that does not fit."""
        for row in np.flatnonzero(~self.fits(data, offset, length))[:1]:
            is_short = length[row] < ETHERNET.size
            what = replace(self._what, mtu=self._mtu, length=int(length[row]))
            raise refused(errno.EINVAL if is_short else errno.EMSGSIZE, what)

    def _mtu_now(self) -> int:
        """The interface's MTU; the last one known of an interface that is gone."""
        request = IFREQ.pack(self._what.interface.encode(), 0)
        with suppress(OSError):
            answer = fcntl.ioctl(self._socket, kernel.SIOCGIFMTU, request)
            self._mtu = int(IFREQ.unpack(answer)[1])
        return self._mtu

    def _failure(self, number: int) -> SendError:
        """What stopped the kernel."""
        if number != errno.ENOBUFS:
            return refused(number or errno.EAGAIN, self._what)
        name = self._what.interface
        return SendError(
            number,
            f"ENOBUFS: {name} took no frame for {_PATIENCE_S:.0f} s: its queue is full, or what is "
            "behind it drops the frame (the other end of a veth: one that is longer than its MTU)",
        )

    def _kick(self) -> int:
        """One send(2) over the ring; the errno, 0 if all is well."""
        try:
            self._socket.send(b"")
        except OSError as error:
            return error.errno or 0
        return 0

    def _map(self) -> None:
        ring = self._socket
        ring.setsockopt(kernel.SOL_PACKET, kernel.PACKET_VERSION, kernel.TPACKET_V2)
        ring.setsockopt(kernel.SOL_PACKET, kernel.PACKET_VNET_HDR, 1)
        block = max(mmap.PAGESIZE, self._slot)
        blocks = self._slots * self._slot // block
        request = TPACKET_REQ.pack(block, blocks, self._slot, self._slots)
        ring.setsockopt(kernel.SOL_PACKET, kernel.PACKET_TX_RING, request)
        ring.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        self._map_object = mmap.mmap(ring.fileno(), self._slots * self._slot)
        self._memory = memoryview(self._map_object)
        headers = np.ndarray((self._slots,), HEADER, self._map_object, 0, (self._slot,))
        self._status, self._length = headers["tp_status"], headers["tp_len"]
        virtio = np.ndarray((self._slots,), VIRTIO, self._map_object, _VIRTIO, (self._slot,))
        self._copied = virtio["hdr_len"]
        shape = (self._slots, self._slot - _DATA)
        self._frames = np.ndarray(shape, np.uint8, self._map_object, _DATA, (self._slot, 1))


def _alone(
    frame: bytes | memoryview,
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """One frame as an array of frames: data, offset, length."""
    return np.frombuffer(frame, np.uint8), np.zeros(1, np.int64), np.array([len(frame)], np.int64)


def _rows(data: NDArray[np.uint8], offset: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
    """``data[offset : offset + width]`` for each offset, (n, width); all of it is in `data`.

    Frames of one size lie evenly apart in a file: then it is a view, and nothing is gathered.
    """
    rows = np.lib.stride_tricks.sliding_window_view(data, width)
    steps = np.diff(offset)
    if len(steps) and (steps == steps[0]).all() and steps[0] > 0:
        return rows[offset[0] : offset[-1] + 1 : steps[0]]
    return rows[offset]
