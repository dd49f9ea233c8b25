"""A packet socket bound to an interface, used by the ring and by the datagram source.

The order matters: the socket is made with protocol 0 and receives nothing; the filter and
everything else (ring, timestamps) come first; only then is it bound to ETH_P_ALL, so it never
receives a frame that the filter would reject.

Promiscuous mode is a membership of the socket (packet(7), PACKET_ADD_MEMBERSHIP): the kernel counts
members and leaves the mode with the last one, also when the process is killed. `close` drops it
explicitly, since a mapped ring keeps the socket alive as long as it is mapped. ``any`` names no
device, so promiscuous mode stays off, as in tcpdump.

When the interface goes down, the socket gets ENETDOWN and the kernel takes it off the link; when it
comes up again, the kernel puts it back. After the interface is deleted, the socket never receives
again.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct

import numpy as np

from core.capture import bpf
from core.capture.block import SOCKADDR_LL
from core.capture.capture_filter import CaptureFilter
from core.capture.filter_compiler import CaptureFilterError
from core.capture.interface_map import InterfaceMap
from core.capture.options import ANY, CaptureOptions
from core.capture.source import AddInterface, CaptureError
from core.decode.capture_statistics import CaptureStatistics
from core.net import sockets as kernel
from core.net.interface_lookup import UnknownInterfaceError, require_interface
from core.net.netlink import LinkMessage, LinkWatcher
from core.net.sockets import SocketProvider
from core.wire.model.text import safe

LOOPBACK_INDEX = 1  # of lo in every network namespace: drivers/net/loopback.c, loopback_net_init
PACKET_MREQ = struct.Struct("=iHH8s")  # linux/if_packet.h: index, type, address length, address
TPACKET_STATS = struct.Struct("=II")  # tpacket_stats, and the beginning of tpacket_stats_v3

_libc = ctypes.CDLL(None, use_errno=True)


class PacketSocket:
    """The socket and the interface that it is bound to. Raises `CaptureError` and `OSError`."""

    def __init__(
        self, name: str, options: CaptureOptions, add: AddInterface, sockets: SocketProvider
    ) -> None:
        self.info = None if name == ANY else find_link(name)
        self.name = self.info.name if self.info else name
        self.interface_index = self.info.index if self.info else 0
        self.note = ""
        self._snap_length = options.snap_length
        program = self.program(options.capture_filter)
        self._promiscuous = options.promiscuous and self.info is not None
        self._received = 0
        self._dropped = 0
        try:
            self.socket = sockets.packet_socket(interfaces=options.interfaces)
        except kernel.NotPermittedError as error:
            raise CaptureError(str(error)) from error
        self._watcher: LinkWatcher | None = None
        try:
            bpf.attach(self.socket, program)
            if self.info is None:
                self._watcher = LinkWatcher()  # before the first frame
        except BaseException:
            self.socket.close()
            raise
        self.interface_map = InterfaceMap(add, options.snap_length, self._watcher)

    def bind(self) -> None:
        """Start receiving. Raises CaptureError if the interface has been deleted."""
        try:
            _bind(self.socket, self.interface_index)
        except OSError as error:
            raise CaptureError(f"{safe(self.name)}: {error.strerror}") from error
        self._describe()
        if self._promiscuous:
            try:
                self._membership(kernel.PACKET_ADD_MEMBERSHIP)
            except OSError as error:
                self._promiscuous = False
                self.note = f"{safe(self.name)}: no promiscuous mode: {error.strerror}"

    def rename(self, name: str) -> None:
        """Give later frames the interface's new name. The socket is bound by its index."""
        self.name = name
        self._describe()

    def describe_again(self) -> None:
        """Add the interfaces of later frames again."""
        self.interface_map.forget()
        self._describe()

    def _describe(self) -> None:
        if self.info is not None:
            self.interface_map.add(self.info.index, self.name, self.info.hardware_type)

    def statistics(self) -> CaptureStatistics:
        """Return the totals; the kernel resets its own counters at each read."""
        size = TPACKET_STATS.size
        raw = self.socket.getsockopt(kernel.SOL_PACKET, kernel.PACKET_STATISTICS, size)
        received, dropped = TPACKET_STATS.unpack(raw)
        self._received += received  # drops included: net/packet/af_packet.c, packet_getsockopt
        self._dropped += dropped
        return CaptureStatistics(self._received, self._dropped)

    def program(self, capture_filter: CaptureFilter | None) -> bpf.Program:
        """Return the program of a filter for this interface. Raises `CaptureError`."""
        if capture_filter is None:
            return bpf.accept(self._snap_length, LOOPBACK_INDEX)
        try:
            if self.info is None:
                body = capture_filter.program_for_all()
            else:
                body = capture_filter.program(self.info.hardware_type)
        except CaptureFilterError as error:
            raise CaptureError(f"{safe(self.name)}: {error}") from error
        return bpf.accept(self._snap_length, LOOPBACK_INDEX, body)

    def clear_error(self) -> int:
        """Return and clear the pending socket error."""
        return self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    def detach(self) -> None:
        """Reject every frame from now on."""
        bpf.reject_all(self.socket)

    def close(self) -> None:
        """Leave promiscuous mode and close the socket; no frame arrives in between."""
        if self._watcher is not None:
            self._watcher.close()
        with self.socket:  # closed even if an error is raised
            self.detach()
            if self._promiscuous:
                self._promiscuous = False
                try:
                    self._membership(kernel.PACKET_DROP_MEMBERSHIP)
                except OSError as error:
                    if error.errno not in (errno.ENODEV, errno.EADDRNOTAVAIL):  # deleted
                        raise

    def _membership(self, option: int) -> None:
        request = PACKET_MREQ.pack(self.interface_index, kernel.PACKET_MR_PROMISC, 0, bytes(8))
        self.socket.setsockopt(kernel.SOL_PACKET, option, request)


def _bind(target: socket.socket, interface_index: int) -> None:
    """Call bind(2) by index: Python's `bind` takes a name, and no name means every interface."""
    address = np.zeros((), SOCKADDR_LL)
    address["sll_family"] = socket.AF_PACKET
    address["sll_protocol"] = kernel.ETH_P_ALL
    address["sll_ifindex"] = interface_index
    if _libc.bind(target.fileno(), address.tobytes(), SOCKADDR_LL.itemsize):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def find_link(name: str) -> LinkMessage:
    """Return the link that `name` means. Raises CaptureError if no link matches."""
    try:
        return require_interface(name)
    except UnknownInterfaceError as error:
        raise CaptureError(str(error)) from error
