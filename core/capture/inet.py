"""Receive the packets of a classic raw socket: ``socket(AF_INET, SOCK_RAW, IPPROTO_TCP)``.

The kernel gives such a socket a copy of every *incoming* IPv4 packet of its one protocol, beginning
with the IP header, without a link header (raw(7)). The socket receives nothing that this host
sends, no ARP, no IPv6, and nothing that the firewall dropped; fragments arrive reassembled. That is
less than a packet socket receives, and it is what most first sniffers are made of.

There is one socket for each of TCP, UDP and ICMP. An epoll set over the three is itself a
descriptor, readable when one of them is; it is the descriptor of this source.

SO_MEMINFO reports the losses: the socket's running total of drops.

Such a socket receives from the moment it exists. So it rejects everything until it has its device,
and what it received until then is thrown away before its filter is attached.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct

import numpy as np

from core.capture import bpf
from core.capture.bpf import Program
from core.capture.capture_filter import CaptureFilter
from core.capture.datagram import BATCH_FRAMES, TIMESPEC, grow_receive_buffer, timestamp
from core.capture.filter_compiler import CaptureFilterError
from core.capture.options import ANY, CaptureOptions
from core.capture.packet_socket import find_link
from core.capture.source import AddInterface, CaptureError
from core.decode.batch import Batch, CaptureInterface
from core.decode.capture_statistics import CaptureStatistics
from core.net import sockets as kernel
from core.net.sockets import SocketProvider
from core.wire.link.link_types import LinkType
from core.wire.model.dissection import PacketFlag
from core.wire.model.text import safe

PROTOCOLS = (socket.IPPROTO_TCP, socket.IPPROTO_UDP, socket.IPPROTO_ICMP)
_LARGEST_PACKET = 1 << 16
_MEMINFO = struct.Struct("=9I")  # linux/sock_diag.h, SK_MEMINFO_VARS
_CONTROL_BYTES = socket.CMSG_SPACE(TIMESPEC.size)


class InetSource:
    """Incoming TCP, UDP and ICMP over IPv4. See `core.capture.source.CaptureSource`."""

    def __init__(
        self, name: str, options: CaptureOptions, add: AddInterface, sockets: SocketProvider
    ) -> None:
        link = None if name == ANY else find_link(name)
        self.name = link.name if link else name
        self.interface_index = link.index if link else 0
        self.note = ""
        self._snap_length = options.snap_length
        self._add = add
        self._numbers: dict[str, int] = {}  # in the store, by the names that the interface had
        self._memory = memoryview(bytearray(BATCH_FRAMES * 2048 + _LARGEST_PACKET))
        self._bytes = np.frombuffer(self._memory, np.uint8)
        self._read = 0
        self._program = self.program(options.capture_filter)
        self._ready = select.epoll(flags=select.EPOLL_CLOEXEC)
        self._sockets: list[socket.socket] = []
        self._dropped_before = 0  # until the sockets had their filters
        try:
            for protocol in PROTOCOLS:
                self._open(protocol, options, sockets)
        except BaseException:
            self.close()
            raise
        self.rename(self.name)

    def fileno(self) -> int:
        """Return an epoll descriptor that is readable while one of the sockets is."""
        return self._ready.fileno()

    def read(self) -> Batch | None:
        """Return the waiting packets in the order of their arrival, at most BATCH_FRAMES.

        Each call begins with another socket: a flood on one must not starve the others.
        """
        packets: list[tuple[int, int, int]] = []  # time in ns, offset, length
        at = 0
        self._sockets.append(self._sockets.pop(0))
        for one in self._sockets:
            while len(packets) < BATCH_FRAMES and at + _LARGEST_PACKET <= len(self._memory):
                room = self._memory[at : at + _LARGEST_PACKET]
                try:
                    length, control, _flags, _sender = one.recvmsg_into([room], _CONTROL_BYTES)
                except BlockingIOError:
                    break
                seconds, nanoseconds = timestamp(control)
                packets.append((seconds * 1_000_000_000 + nanoseconds, at, length))
                at += length
        if not packets:
            return None
        self._read += len(packets)
        table = np.array(sorted(packets), np.int64)
        original = table[:, 2].astype(np.uint32)
        return Batch(
            data=self._bytes,
            offset=table[:, 1].copy(),
            captured=np.minimum(original, np.uint32(self._snap_length)),
            original=original,
            timestamp_ns=table[:, 0].copy(),
            interface=np.full(len(packets), self._numbers[self.name], np.uint16),
            flags=np.full(len(packets), PacketFlag.INBOUND, np.uint16),
        )

    def statistics(self) -> CaptureStatistics:
        """Return the number of packets read and the number that the sockets dropped."""
        dropped = sum(map(_drops, self._sockets)) - self._dropped_before
        return CaptureStatistics(self._read + dropped, dropped)

    def clear_error(self) -> int:
        """Return and clear the first pending error of the three."""
        errors = [one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) for one in self._sockets]
        return next((error for error in errors if error), 0)

    def rename(self, name: str) -> None:
        """Give later packets the interface's new name. The kernel keeps the device by its index."""
        self.name = name
        if name not in self._numbers:
            self._numbers[name] = self._add(
                CaptureInterface(name, LinkType.IPV4, self._snap_length)
            )

    def program(self, capture_filter: CaptureFilter | None) -> Program:
        """Return the program of a filter for this source. Raises `CaptureError`."""
        try:
            body = bpf.KEEP_ALL if capture_filter is None else capture_filter.program_for_ip()
        except CaptureFilterError as error:
            raise CaptureError(f"{safe(self.name)}: {error}") from error
        return bpf.cut_at(_LARGEST_PACKET, body)  # whole: `read` reports the original length

    def attach(self, program: Program) -> None:
        """Replace the filter. Packets that were received before stay."""
        changed: list[socket.socket] = []
        try:
            for one in self._sockets:
                bpf.attach(one, program)
                changed.append(one)
        except OSError:
            for one in changed:
                bpf.attach(one, self._program)
            raise
        self._program = program

    def describe_again(self) -> None:
        """Add the interface of later packets again."""
        self._numbers.clear()
        self.rename(self.name)

    def detach(self) -> None:
        """Reject every packet from now on."""
        for one in self._sockets:
            bpf.reject_all(one)

    def close(self) -> None:
        """Close the sockets and the set over them."""
        self._ready.close()
        for one in self._sockets:
            one.close()

    def _open(self, protocol: int, options: CaptureOptions, sockets: SocketProvider) -> None:
        try:
            opened = sockets.raw_ipv4_socket(protocol, options.interfaces)
        except kernel.NotPermittedError as error:
            raise CaptureError(str(error)) from error
        self._sockets.append(opened)
        bpf.attach(opened, bpf.REJECT_ALL)
        grow_receive_buffer(opened, options.ring_bytes)
        opened.setsockopt(socket.SOL_SOCKET, kernel.SO_TIMESTAMPNS, 1)
        if self.interface_index:
            device = self.name.encode("utf-8", "surrogateescape")
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
        _discard(opened)
        self._dropped_before += _drops(opened)
        bpf.attach(opened, self._program)
        self._ready.register(opened.fileno(), select.EPOLLIN)


def _discard(one: socket.socket) -> None:
    """Throw away what a socket has received. It must receive no more."""
    with contextlib.suppress(BlockingIOError):
        while True:
            one.recv(1)


def _drops(one: socket.socket) -> int:
    raw = one.getsockopt(socket.SOL_SOCKET, kernel.SO_MEMINFO, _MEMINFO.size)
    return int(_MEMINFO.unpack(raw)[kernel.SK_MEMINFO_DROPS])
