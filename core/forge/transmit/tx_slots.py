"""The memory of a TX ring: PACKET_TX_RING, TPACKET_V2.

A row of equal slots. A slot is a header (``struct tpacket2_hdr``) and the frame behind it.

The kernel copies a link header out of a slot and refers to the rest in place, page by page, which
for a frame of a few hundred bytes costs more than the copy: taking and releasing pages, and each
reader of the packet behind it that wants its header in one piece. With PACKET_VNET_HDR a
``struct virtio_net_hdr`` precedes each frame, and its ``hdr_len`` says how many bytes to copy:
all, up to `_COPIED`. It asks for nothing else (no checksum, no segmentation), and is a third to a
half faster at 54 as at 1,514 bytes.

With such a header the kernel does not compare a frame with the MTU, so that is done here
(`TxSlots.fits`), by its own rule for packet sockets: a frame may have the MTU of now and the link
header, and on Ethernet 4 bytes more only if it has a VLAN tag (packet_extra_vlan_len_allowed).

Source: packet(7); Documentation/networking/packet_mmap.rst; linux/if_packet.h; linux/virtio_net.h;
net/packet/af_packet.c, tpacket_snd.
"""

from __future__ import annotations

import errno
import fcntl
import math
import mmap
import socket
import struct
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from core.forge.transmit.link_header import shortest
from core.net import sockets as kernel
from core.net.sockets import SocketProvider
from core.wire.link.ethernet import ETHERNET
from core.wire.link.vlan import VLAN
from core.wire.model.assigned_numbers import EtherType

_MOST_SLOTS = 4096
_LEAST_SLOT = 128  # small slots stay in the processor's cache: a tenth faster than 256
_RING_BYTES = 16 << 20
_MOST_CYCLE_BYTES = 32 << 20  # of a ring that has room for a whole cycle
SEND_BUFFER_BYTES = 4 << 20

_IFREQ = struct.Struct("=16si20x")  # struct ifreq: name, MTU
_TPACKET_REQ = struct.Struct("=4I")  # block size, blocks, frame size, frames
_HEADER = np.dtype(
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
_VIRTIO_HEADER = np.dtype(
    [
        ("flags", "u1"),
        ("gso_type", "u1"),
        ("hdr_len", "=u2"),
        ("gso_size", "=u2"),
        ("csum_start", "=u2"),
        ("csum_offset", "=u2"),
    ]
)
_VIRTIO_AT = -(-_HEADER.itemsize // 16) * 16  # TPACKET_ALIGN: where the kernel looks for it
_DATA = _VIRTIO_AT + _VIRTIO_HEADER.itemsize
_COPIED = 2048  # bytes: what is longer would take the kernel more than a page


def alone(
    frame: bytes | memoryview,
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Return one frame as an array of frames: data, offset (1,), length (1,)."""
    return np.frombuffer(frame, np.uint8), np.zeros(1, np.int64), np.array([len(frame)], np.int64)


class TxSlots:
    """The slots of a ring on one interface, for frames of up to `longest` bytes, as columns.

    `status` (slots,) are TP_STATUS_*, `frames` (slots, room) uint8. `mtu` (bytes) is the value to
    use while the interface cannot report its own; `header` is the size of link headers. The number
    of slots is a multiple of `cycle`, if so many slots are not too much memory. Raises OSError and
    `core.net.sockets.NotPermittedError`.
    """

    def __init__(
        self,
        interface: str,
        mtu: int,
        longest: int,
        bypass: bool,
        sockets: SocketProvider,
        header: int = ETHERNET.size,
        cycle: int = 0,
    ) -> None:
        self._interface = interface
        self._mtu = mtu
        self._header = header
        self.longest = longest
        self._size = max(_LEAST_SLOT, 1 << (_DATA + longest - 1).bit_length())
        self._count = slot_count(self._size, cycle)
        self._socket = sockets.packet_socket("sending")
        try:
            self._socket.bind((interface, 0))
            if bypass:
                self._socket.setsockopt(kernel.SOL_PACKET, kernel.PACKET_QDISC_BYPASS, 1)
            self._ask_for_ring()
            memory = mmap.mmap(self._socket.fileno(), self._count * self._size)
        except OSError:
            self._socket.close()
            raise
        shape, step = (self._count,), (self._size,)
        headers = np.ndarray(shape, _HEADER, memory, 0, step)
        virtio = np.ndarray(shape, _VIRTIO_HEADER, memory, _VIRTIO_AT, step)
        self.status, self._length, self._copied = (
            headers["tp_status"], headers["tp_len"], virtio["hdr_len"],
        )  # fmt: skip
        room = (self._count, self._size - _DATA)
        self.frames = np.ndarray(room, np.uint8, memory, _DATA, (self._size, 1))

    def __len__(self) -> int:
        return self._count

    def close(self) -> None:
        """Close the socket.

        The memory is unmapped when the last column is released: numpy does not keep a mapping open.
        """
        none = np.empty(0, np.uint32)
        self.status, self._length, self._copied = none, none, none.astype(np.uint16)
        self.frames = np.empty((0, 0), np.uint8)
        self._socket.close()

    def fits(
        self, data: NDArray[np.uint8], offset: NDArray[np.int64], length: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Return (n,) which frames ``data[offset : offset + length]`` the interface takes now.

        They fit into a slot, and the kernel accepts them (see the module's text).
        """
        return fits(data, offset, length, self.mtu(), self.longest, self._header)

    def refusal(self, length: int) -> int:
        """Return the errno that a socket has for a frame of this length that does not fit."""
        return errno.EINVAL if length < shortest(self._header) else errno.EMSGSIZE

    def measure(self, slots: slice, length: int | NDArray[np.int64]) -> None:
        """Set the lengths of the frames in some slots."""
        self._length[slots] = length + _VIRTIO_HEADER.itemsize
        self._copied[slots] = np.minimum(length, _COPIED)

    def kick(self) -> int:
        """Call send(2) once over the ring; return the errno, or 0."""
        try:
            self._socket.send(b"")
        except OSError as error:
            return error.errno or 0
        return 0

    def mtu(self) -> int:
        """Return the interface's current MTU, or the last known one if it no longer exists."""
        request = _IFREQ.pack(self._interface.encode(), 0)
        with suppress(OSError):
            answer = fcntl.ioctl(self._socket, kernel.SIOCGIFMTU, request)
            self._mtu = int(_IFREQ.unpack(answer)[1])
        return self._mtu

    def _ask_for_ring(self) -> None:
        ring = self._socket
        ring.setsockopt(kernel.SOL_PACKET, kernel.PACKET_VERSION, kernel.TPACKET_V2)
        ring.setsockopt(kernel.SOL_PACKET, kernel.PACKET_VNET_HDR, 1)
        block = max(mmap.PAGESIZE, self._size)
        blocks = self._count * self._size // block
        request = _TPACKET_REQ.pack(block, blocks, self._size, self._count)
        ring.setsockopt(kernel.SOL_PACKET, kernel.PACKET_TX_RING, request)
        ring.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)


def slot_count(size: int, cycle: int) -> int:
    """Return the number of slots of `size` bytes: whole pages, and whole cycles if they fit."""
    count = min(_MOST_SLOTS, _RING_BYTES // size)
    step = math.lcm(cycle, max(1, mmap.PAGESIZE // size)) if cycle else count
    if step <= count:
        return count // step * step
    return step if step * size <= _MOST_CYCLE_BYTES else count


def fits(
    data: NDArray[np.uint8],
    offset: NDArray[np.int64],
    length: NDArray[np.int64],
    mtu: int,
    longest: int,
    header: int = ETHERNET.size,
) -> NDArray[np.bool_]:
    """Return (n,) which frames of at most `longest` bytes an interface with this MTU takes.

    `header` is the size of its link headers.
    """
    untagged = mtu + header
    found: NDArray[np.bool_] = length <= min(longest, untagged)
    found &= length >= shortest(header)
    if not header:
        return found
    rows = np.flatnonzero((length > untagged) & (length <= min(longest, untagged + VLAN.size)))
    found[rows] = ETHERNET["type"].column(data, offset[rows]) == EtherType.VLAN
    return found
