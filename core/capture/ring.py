"""Receive frames through PACKET_RX_RING, TPACKET_V3: the kernel writes into mapped memory.

The ring is a number of blocks. The kernel fills a block with frames and hands it over when it is
full, or when the retire time has passed since its first frame, so a single frame appears promptly.
rawscope reads it and writes TP_STATUS_KERNEL into its header, which returns it. While no block is
free, the kernel drops frames and counts them.

`read` returns the frames of one block without copying them; the next `read` returns the block to
the kernel. The descriptor polls readable as long as a block waits (level-triggered).

A large frame (65,535 bytes from segmentation or receive offload, more with big TCP) must fit into
one block, so blocks are large; a block that is handed over half empty costs only its space.

Source: Documentation/networking/packet_mmap.rst; linux/if_packet.h; net/packet/af_packet.c.
"""

from __future__ import annotations

import errno
import mmap
import struct

import numpy as np

from core.capture import block, bpf
from core.capture.block_chain import frame_offsets
from core.capture.bpf import Program
from core.capture.capture_filter import CaptureFilter
from core.capture.options import CaptureOptions
from core.capture.packet_socket import PacketSocket
from core.capture.source import AddInterface
from core.decode.batch import Batch
from core.decode.capture_statistics import CaptureStatistics
from core.net import sockets as kernel
from core.net.sockets import SocketProvider
from core.wire.model.text import safe

BLOCK_BYTES = 1 << 20
MINIMUM_BLOCKS = 2
RETIRE_MS = 40

# tpacket_req3: block size, blocks, frame size, frames, retire ms, private bytes, features
TPACKET_REQ3 = struct.Struct("=7I")
_FRAME_BYTES = 2048  # has no meaning in version 3, but must divide the block

# tpacket_block_desc with its tpacket_hdr_v1
BLOCK_HEADER = np.dtype(
    [
        ("version", "=u4"),
        ("offset_to_priv", "=u4"),
        ("block_status", "=u4"),
        ("num_pkts", "=u4"),
        ("offset_to_first_pkt", "=u4"),
        ("blk_len", "=u4"),
        ("seq_num", "=u8"),
        ("ts_first_pkt", "=u4", (2,)),
        ("ts_last_pkt", "=u4", (2,)),
    ]
)


class RingUnavailableError(Exception):
    """The kernel provides no ring; the text says why. The datagram source may still work."""


class RingSource:
    """One interface, or all of them, through one ring. See `core.capture.source.CaptureSource`."""

    def __init__(
        self, name: str, options: CaptureOptions, add: AddInterface, sockets: SocketProvider
    ) -> None:
        self._packet_socket = PacketSocket(name, options, add, sockets)
        self.name = self._packet_socket.name
        self.interface_index = self._packet_socket.interface_index
        try:
            requested = max(MINIMUM_BLOCKS, options.ring_bytes // BLOCK_BYTES)
            self._map(requested)
            self._packet_socket.bind()
        except BaseException:
            self._packet_socket.close()
            raise
        self.note = self._packet_socket.note
        if len(self._headers) < requested:
            less = len(self._headers) * BLOCK_BYTES >> 20
            self.note = f"{safe(name)}: the kernel had memory for a ring of only {less} MiB"
        self._current = 0
        self._held: int | None = None

    def fileno(self) -> int:
        """Return a descriptor that is readable while a block waits."""
        return self._packet_socket.socket.fileno()

    def read(self) -> Batch | None:
        """Return the frames of the next block; return the previous block to the kernel."""
        self.release()
        header = self._headers[self._current]
        if not header["block_status"] & kernel.TP_STATUS_USER:
            return None
        start = self._current * BLOCK_BYTES
        self._held = self._current
        self._current = (self._current + 1) % len(self._headers)
        stop = start + int(header["blk_len"])
        data = self._bytes[start:stop]
        frames = frame_offsets(data, int(header["offset_to_first_pkt"]), int(header["num_pkts"]))
        return block.to_batch(
            data, frames, block.gather(data, frames), self._packet_socket.interface_map
        )

    def release(self) -> None:
        """Return the last block to the kernel. Its batch is invalid after that."""
        if self._held is not None:
            self._headers["block_status"][self._held] = kernel.TP_STATUS_KERNEL
            self._held = None

    def statistics(self) -> CaptureStatistics:
        """Return the totals since opening."""
        return self._packet_socket.statistics()

    def clear_error(self) -> int:
        """Return and clear the pending socket error."""
        return self._packet_socket.clear_error()

    def rename(self, name: str) -> None:
        """Give later frames the interface's new name."""
        self.name = name
        self._packet_socket.rename(name)

    def program(self, capture_filter: CaptureFilter | None) -> Program:
        """Return the program of a filter for this source. Raises `CaptureError`."""
        return self._packet_socket.program(capture_filter)

    def attach(self, program: Program) -> None:
        """Replace the filter. Frames that were received before stay."""
        bpf.attach(self._packet_socket.socket, program)

    def describe_again(self) -> None:
        """Add the interfaces of later frames again."""
        self._packet_socket.describe_again()

    def detach(self) -> None:
        """Reject every new frame. The kernel hands over the current block when it retires."""
        self._packet_socket.detach()

    def close(self) -> None:
        """Leave promiscuous mode, unmap the ring, close the socket."""
        try:
            self._packet_socket.close()
        finally:
            del self._headers, self._bytes
            self._memory.release()
            try:
                self._map_object.close()
            except BufferError:  # a batch still uses the memory: the last batch unmaps it
                del self._map_object

    def _map(self, blocks: int) -> None:
        """Request a ring of `blocks` blocks, or fewer if memory is short, and map it."""
        ring_socket = self._packet_socket.socket
        ring_socket.setsockopt(kernel.SOL_PACKET, kernel.PACKET_VERSION, kernel.TPACKET_V3)
        while True:
            frames = blocks * BLOCK_BYTES // _FRAME_BYTES
            request = (BLOCK_BYTES, blocks, _FRAME_BYTES, frames, RETIRE_MS, 0, 0)
            try:
                ring_socket.setsockopt(
                    kernel.SOL_PACKET, kernel.PACKET_RX_RING, TPACKET_REQ3.pack(*request)
                )
                break
            except OSError as error:
                if error.errno != errno.ENOMEM or blocks == MINIMUM_BLOCKS:
                    raise RingUnavailableError(f"no capture ring: {error.strerror}") from error
            blocks = max(MINIMUM_BLOCKS, blocks // 2)
        try:
            self._map_object = mmap.mmap(ring_socket.fileno(), blocks * BLOCK_BYTES)
        except OSError as error:
            raise RingUnavailableError(f"no capture ring: {error.strerror}") from error
        self._memory = memoryview(self._map_object)
        self._bytes = np.frombuffer(self._map_object, np.uint8)
        self._headers = np.ndarray((blocks,), BLOCK_HEADER, self._map_object, 0, (BLOCK_BYTES,))
