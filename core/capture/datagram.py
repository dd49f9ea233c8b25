"""Receive frames with recvmsg(2), one call each, if the kernel provides no ring.

The ring's frame header arrives here in three parts: the address (``sockaddr_ll``), the control
message PACKET_AUXDATA (``struct tpacket_auxdata``: status bits, lengths, VLAN tag), and the control
message SO_TIMESTAMPNS (``struct timespec``). This module converts them to the records of the ring,
with the same gap before each frame, so the same code handles the rest.

A frame costs some microseconds here, and a fraction of one through the ring. The kernel's buffer
belongs to the socket; net.core.rmem_max bounds it for processes without CAP_NET_ADMIN.

Source: packet(7); socket(7); linux/if_packet.h.
"""

from __future__ import annotations

import errno
import socket
import struct

import numpy as np

from core.capture import block, bpf
from core.capture.bpf import Program
from core.capture.capture_filter import CaptureFilter
from core.capture.options import CaptureOptions
from core.capture.packet_socket import PacketSocket
from core.capture.source import AddInterface
from core.decode.batch import Batch
from core.decode.capture_statistics import CaptureStatistics
from core.net import sockets as kernel
from core.net.sockets import SocketProvider

BATCH_FRAMES = 512  # at most, per read, so that other sources are read, too
_GAP = 32  # bytes before a frame for a VLAN tag or a cooked header
_ARENA_BYTES = 1 << 20  # frames of one read, in addition to the largest one

TPACKET_AUXDATA = struct.Struct("=IIIHHHH")  # status, len, snaplen, mac, net, VLAN tci, tpid
TIMESPEC = struct.Struct("@ll")  # seconds, nanoseconds
_CONTROL_BYTES = socket.CMSG_SPACE(TPACKET_AUXDATA.size) + socket.CMSG_SPACE(TIMESPEC.size)

_COLUMNS = (  # of block.FRAME_HEADER, in the order of the tuples that _record makes
    "tp_sec",
    "tp_nsec",
    "tp_status",
    "tp_len",
    "tp_snaplen",
    "tp_mac",
    "tp_net",
    "tp_vlan_tci",
    "tp_vlan_tpid",
    "sll_protocol",
    "sll_ifindex",
    "sll_hatype",
    "sll_pkttype",
    "sll_halen",
    "sll_addr",
)
_ADDRESS_BYTES = 8  # of sll_addr

Control = list[tuple[int, int, bytes]]
Address = tuple[str, int, int, int, bytes]
FrameRecord = tuple[int | tuple[int, ...], ...]


class DatagramSource:
    """One interface, or all of them, by recvmsg. See `core.capture.source.CaptureSource`."""

    def __init__(
        self, name: str, options: CaptureOptions, add: AddInterface, sockets: SocketProvider
    ) -> None:
        self._packet_socket = PacketSocket(name, options, add, sockets)
        self.name = self._packet_socket.name
        self.interface_index = self._packet_socket.interface_index
        self._largest = options.snap_length
        self._arena = bytearray(_ARENA_BYTES + _GAP + self._largest)
        self._memory = memoryview(self._arena)
        self._bytes = np.frombuffer(self._arena, np.uint8)
        self._error = 0
        try:
            grow_receive_buffer(self._packet_socket.socket, options.ring_bytes)
            self._packet_socket.socket.setsockopt(kernel.SOL_PACKET, kernel.PACKET_AUXDATA, 1)
            self._packet_socket.socket.setsockopt(socket.SOL_SOCKET, kernel.SO_TIMESTAMPNS, 1)
            self._packet_socket.bind()
        except BaseException:
            self._packet_socket.close()
            raise
        self.note = self._packet_socket.note

    def fileno(self) -> int:
        """Return a descriptor that is readable while a frame waits."""
        return self._packet_socket.socket.fileno()

    def read(self) -> Batch | None:
        """Return the waiting frames, at most BATCH_FRAMES. The next call reuses the memory."""
        places: list[int] = []
        rows: list[FrameRecord] = []
        indices: dict[str, int] = {}
        at = 0
        while len(rows) < BATCH_FRAMES and at < _ARENA_BYTES:
            room = self._memory[at + _GAP : at + _GAP + self._largest]
            try:
                length, control, _flags, address = self._packet_socket.socket.recvmsg_into(
                    [room], _CONTROL_BYTES
                )
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENETDOWN:
                    raise
                self._error = error.errno
                break
            places.append(at)
            rows.append(_record(length, control, address, self._index(address[0], indices)))
            at = (at + _GAP + length + block.ALIGNMENT - 1) & -block.ALIGNMENT
        if not rows:
            return None
        records = np.zeros(len(rows), block.FRAME_HEADER)
        for name, column in zip(_COLUMNS, zip(*rows, strict=True), strict=True):
            records[name] = column
        frames = np.array(places, np.int64)
        return block.to_batch(self._bytes, frames, records, self._packet_socket.interface_map)

    def statistics(self) -> CaptureStatistics:
        """Return the totals since opening."""
        return self._packet_socket.statistics()

    def clear_error(self) -> int:
        """Return and clear the pending socket error."""
        error, self._error = self._error, 0
        return error or self._packet_socket.clear_error()

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
        """Reject every frame from now on."""
        self._packet_socket.detach()

    def close(self) -> None:
        """Leave promiscuous mode and close the socket."""
        self._packet_socket.close()

    def _index(self, name: str, indices: dict[str, int]) -> int:
        """Return the kernel's index of an interface; Python's address has only the name."""
        if self.interface_index:
            return self.interface_index
        if name not in indices:
            try:
                indices[name] = socket.if_nametoindex(name)
            except OSError:  # deleted since
                indices[name] = 0
        return indices[name]


def grow_receive_buffer(target: socket.socket, size: int) -> None:
    """Request `size` bytes of buffer; without CAP_NET_ADMIN at most net.core.rmem_max."""
    try:
        target.setsockopt(socket.SOL_SOCKET, kernel.SO_RCVBUFFORCE, size)
    except PermissionError:
        target.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)


def timestamp(control: Control) -> tuple[int, int]:
    """Return the seconds and nanoseconds of the SO_TIMESTAMPNS message; (0, 0) without one."""
    for level, kind, data in control:
        if level == socket.SOL_SOCKET and kind == kernel.SO_TIMESTAMPNS:
            seconds, nanoseconds = TIMESPEC.unpack(data)
            return seconds, nanoseconds
    return 0, 0


def _record(length: int, control: Control, address: Address, index: int) -> FrameRecord:
    """Return the values of _COLUMNS for one frame."""
    _name, protocol, packet_type, hardware_type, sender = address
    status, original, kept, network, tci, tpid = 0, length, length, 0, 0, 0
    for level, kind, data in control:
        if level == kernel.SOL_PACKET and kind == kernel.PACKET_AUXDATA:
            status, original, kept, _mac, network, tci, tpid = TPACKET_AUXDATA.unpack(data)
    return (
        *timestamp(control),
        status,
        original,
        kept,
        _GAP,
        _GAP + network,
        tci,
        tpid,
        protocol,
        index,
        hardware_type,
        packet_type,
        len(sender),
        tuple(sender[:_ADDRESS_BYTES].ljust(_ADDRESS_BYTES, b"\0")),
    )
