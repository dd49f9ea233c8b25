"""The memory of a TX ring: PACKET_TX_RING, TPACKET_V2.

A row of equal slots. A slot is a header (``struct tpacket2_hdr``) and the frame behind it.

The kernel copies a link header out of a slot and refers to the rest in place, page by page, which
for a frame of a few hundred bytes costs more than the copy: taking and releasing pages, and each
reader of the packet behind it that wants its header in one piece. With PACKET_VNET_HDR a
``struct virtio_net_hdr`` stands before each frame, whose ``hdr_len`` says how many bytes to copy:
all, up to `_COPIED`. It asks for nothing else (no checksum, no segmentation), and is a third to a
half faster at 54 as at 1,514 bytes; but the kernel does not compare such a frame with the MTU.

Source: packet(7); Documentation/networking/packet_mmap.rst; linux/if_packet.h; linux/virtio_net.h;
net/packet/af_packet.c, tpacket_snd.
"""

from __future__ import annotations

import fcntl
import mmap
import socket
import struct
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from core import sockets as kernel

_MOST_SLOTS = 4096
_LEAST_SLOT = 128  # small slots stay in the processor's cache: a tenth faster than 256
_RING_BYTES = 16 << 20

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


class TxSlots:
    """The slots of a ring on one interface, for frames of up to `longest` bytes, as columns.

    `status` (TP_STATUS_*) has one number a slot, `frames` one row, (slots, room). Raises OSError
    and `core.sockets.NotPermittedError`.
    """

    def __init__(self, interface: str, mtu: int, longest: int, bypass: bool) -> None:
        self._interface = interface
        self._mtu = mtu
        self._size = max(_LEAST_SLOT, 1 << (_DATA + longest - 1).bit_length())
        self._count = min(_MOST_SLOTS, _RING_BYTES // self._size)
        self._socket = kernel.packet_socket("sending")
        try:
            self._socket.bind((interface, 0))
            if bypass:
                self._socket.setsockopt(kernel.SOL_PACKET, kernel.PACKET_QDISC_BYPASS, 1)
            self._ask_for_ring()
            self._memory = mmap.mmap(self._socket.fileno(), self._count * self._size)
        except OSError:
            self._socket.close()
            raise
        shape, step = (self._count,), (self._size,)
        headers = np.ndarray(shape, HEADER, self._memory, 0, step)
        virtio = np.ndarray(shape, VIRTIO, self._memory, _VIRTIO, step)
        self.status, self._length, self._copied = (
            headers["tp_status"], headers["tp_len"], virtio["hdr_len"],
        )  # fmt: skip
        room = (self._count, self._size - _DATA)
        self.frames = np.ndarray(room, np.uint8, self._memory, _DATA, (self._size, 1))

    def __len__(self) -> int:
        return self._count

    def close(self) -> None:
        """Unmap the memory and close the socket."""
        del self.status, self._length, self._copied, self.frames
        self._memory.close()
        self._socket.close()

    def measure(self, slots: slice, length: int | NDArray[np.int64]) -> None:
        """Say how long the frames of some slots are."""
        self._length[slots] = length + VIRTIO.itemsize
        self._copied[slots] = np.minimum(length, _COPIED)

    def kick(self) -> int:
        """One send(2) over the ring; the errno, 0 if all is well."""
        try:
            self._socket.send(b"")
        except OSError as error:
            return error.errno or 0
        return 0

    def mtu(self) -> int:
        """The interface's MTU of now; the last one known of an interface that is gone."""
        request = IFREQ.pack(self._interface.encode(), 0)
        with suppress(OSError):
            answer = fcntl.ioctl(self._socket, kernel.SIOCGIFMTU, request)
            self._mtu = int(IFREQ.unpack(answer)[1])
        return self._mtu

    def _ask_for_ring(self) -> None:
        ring = self._socket
        ring.setsockopt(kernel.SOL_PACKET, kernel.PACKET_VERSION, kernel.TPACKET_V2)
        ring.setsockopt(kernel.SOL_PACKET, kernel.PACKET_VNET_HDR, 1)
        block = max(mmap.PAGESIZE, self._size)
        blocks = self._count * self._size // block
        request = TPACKET_REQ.pack(block, blocks, self._size, self._count)
        ring.setsockopt(kernel.SOL_PACKET, kernel.PACKET_TX_RING, request)
        ring.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
