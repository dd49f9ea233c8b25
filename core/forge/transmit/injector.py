"""Send packets by one of three send methods, and what the kernel does with each.

* `SendMethod.IP`: a raw socket with IP_HDRINCL. rawscope writes the IPv4 header, but the kernel
  changes it: Linux always writes total length and header checksum, fills identification and source
  address when they are zero, and refuses packets that exceed the MTU (raw(7); net/ipv4/raw.c,
  raw_send_hdrinc). IPv6 headers leave as they are (IPV6_HDRINCL, since Linux 4.5).
* `SendMethod.SYSTEM`: the classic raw socket without it. rawscope passes the bytes after the IP
  header, and the system writes the header, so that the difference can be seen.
* `SendMethod.LINK`: a packet socket bound to an interface. It sends verbatim, wrong checksums and
  versions included; only a frame longer than MTU and link header is refused (packet(7)).
  `SendMethod.PACKET` is the same on an interface without link headers
  (`core.forge.transmit.link_header`): the bytes are an IP packet.

A loop of single `send` calls costs more in Python than in the kernel's entry, so many equal packets
are sent by sendmmsg(2), a thousand per call: on a veth pair that is half again as fast, and nothing
changes for the kernel, which handles each packet as a call of its own. Many equal frames are sent
through a ring (`core.forge.transmit.repeat_ring`), which saves the kernel the call for each, too.
With PACKET_QDISC_BYPASS frames bypass the queueing discipline and every tap, so rawscope's own
capture does not see them either.

IP_RECVERR makes the kernel report that its queue dropped the packet, which it hides otherwise
(net/ipv4/raw.c). Nothing reads what such a socket receives, so its buffer has the minimum size.
"""

from __future__ import annotations

import errno
import select
import socket
import time
from contextlib import suppress
from types import TracebackType

from core.forge.ip_packet import destination_of, is_ipv6
from core.forge.send_errors import Circumstances, SendError, refused
from core.forge.transmit.link_header import header_bytes
from core.forge.transmit.repeat_ring import EqualFrames
from core.forge.transmit.repeat_sendmmsg import BURST, EqualMessages
from core.forge.transmit.tx_slots import SEND_BUFFER_BYTES
from core.forge.values import Egress, SendMethod
from core.net import sockets as kernel
from core.net.sockets import SocketProvider
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6

_PATIENCE_MS = 1000  # for room in the socket's buffer
_RING_PATIENCE_S = 5.0  # for a frame of a ring to come back from the device
_NAP_S = 0.001


class Injector:
    """A socket that is connected or bound to the destination of one draft's packets."""

    def __init__(self, method: SendMethod, made: socket.socket, what: Circumstances) -> None:
        self.method = method
        self.circumstances = what
        self._socket = made
        self._burst: EqualMessages | None = None

    def __enter__(self) -> Injector:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def send(self, packet: bytes) -> None:
        """Send one packet. Raises `SendError`."""
        while True:
            try:
                self._socket.send(packet)
                return
            except BlockingIOError:
                self._wait(len(packet))
            except OSError as error:
                raise self._refused(error.errno or 0, len(packet)) from error

    def send_burst(self, packet: bytes, count: int) -> int:
        """Send one packet up to `count` times, at most `BURST`; return how often it was sent.

        Raises `SendError` if it was not sent once.
        """
        if self._burst is None or self._burst.packet is not packet:
            self._burst = EqualMessages(packet)
        sent, number = self._burst.send(self._socket.fileno(), count)
        if number == errno.EAGAIN:
            self._wait(len(packet))
        elif number not in (0, errno.EINTR):
            raise self._refused(number, len(packet))
        return sent

    def _wait(self, length: int) -> None:
        """Wait until the socket's buffer has room."""
        waiting = select.poll()
        waiting.register(self._socket, select.POLLOUT)
        if not waiting.poll(_PATIENCE_MS):
            raise self._refused(errno.EAGAIN, length)

    def _refused(self, number: int, length: int) -> SendError:
        what = self.circumstances
        details = Circumstances(what.destination, what.interface, what.mtu, length, what.verbatim)
        return refused(number, details)


class LinkInjector(Injector):
    """Sends frames on one interface: a burst of `BURST` equal ones, and those after it, by a ring.

    If the kernel makes no ring, the frames are sent by sendmmsg, as packets of the other methods
    are.
    """

    def __init__(
        self,
        made: socket.socket,
        what: Circumstances,
        bypass: bool,
        sockets: SocketProvider,
        method: SendMethod = SendMethod.LINK,
    ) -> None:
        super().__init__(method, made, what)
        self._bypass = bypass
        self._sockets = sockets
        self._ring: EqualFrames | None = None
        self._ring_packet: bytes | None = None  # the frame for which a ring was requested last
        self._stuck_since_s: float | None = None

    def close(self) -> None:
        """Close both sockets."""
        if self._ring is not None:
            self._ring.close()
        super().close()

    def send_burst(self, packet: bytes, count: int) -> int:
        """Send one frame up to `count` times, at most `BURST`; return how often it was sent.

        Raises `SendError` if it was not sent once.
        """
        if count >= BURST and packet is not self._ring_packet:
            self._make_ring(packet)
        if self._ring is None or packet is not self._ring_packet:
            return super().send_burst(packet, count)
        sent, number = self._ring.send(min(count, BURST))
        if number == errno.EAGAIN:
            self._wait_for_slots(len(packet))
        elif number not in (0, errno.EINTR):
            raise self._refused(number, len(packet))
        else:
            self._stuck_since_s = None
        return sent

    def _make_ring(self, packet: bytes) -> None:
        if self._ring is not None:
            self._ring.close()
        what, self._ring, self._ring_packet = self.circumstances, None, packet
        with suppress(OSError, kernel.NotPermittedError):
            self._ring = EqualFrames(
                what.interface,
                what.mtu,
                packet,
                self._bypass,
                self._sockets,
                header_bytes(self.method),
            )

    def _wait_for_slots(self, length: int) -> None:
        """Wait a moment for frames on their way. Raises `SendError` if that takes too long."""
        now_s = time.monotonic()
        if self._stuck_since_s is None:
            self._stuck_since_s = now_s
        elif now_s - self._stuck_since_s > _RING_PATIENCE_S:
            raise self._refused(errno.EAGAIN, length)
        time.sleep(_NAP_S)


def open_ip(packet: bytes, out: Egress, sockets: SocketProvider) -> Injector:
    """Return a raw socket for an IP packet of either version, its header included.

    Raises `SendError`, and `core.net.sockets.NotPermittedError`.
    """
    six = is_ipv6(packet, out.network)
    make = sockets.raw_ipv6_socket if six else sockets.raw_ipv4_socket
    made = make(socket.IPPROTO_RAW)
    _include_header(made, six, True)
    return _connected(SendMethod.IP, made, packet, out)


def open_system(packet: bytes, out: Egress, sockets: SocketProvider) -> Injector:
    """Return a raw socket that takes the bytes after the IP header of `packet`.

    The system writes the header. Protocol 255 (IPPROTO_RAW) switches IP_HDRINCL on (raw(7)), which
    would turn the payload into a header: this switches it off again. Raises `SendError`, and
    `core.net.sockets.NotPermittedError`.
    """
    six = is_ipv6(packet, out.network)
    protocol = (IPV6["nxt"] if six else IPV4["proto"]).number(packet)
    try:
        made = sockets.raw_ipv6_socket(protocol) if six else sockets.raw_ipv4_socket(protocol)
    except OSError as error:
        raise refused(error.errno or 0, Circumstances(str(protocol), out.interface)) from error
    _include_header(made, six, False)
    return _connected(SendMethod.SYSTEM, made, packet, out)


def open_link(
    interface: str,
    mtu: int,
    sockets: SocketProvider,
    *,
    bypass: bool = False,
    method: SendMethod = SendMethod.LINK,
) -> Injector:
    """Return a packet socket on an interface that sends by LINK or PACKET.

    `bypass` avoids its queueing discipline.

    Raises `SendError`, and `core.net.sockets.NotPermittedError`.
    """
    what = Circumstances(interface, interface, mtu, verbatim=True)
    made = sockets.packet_socket("sending")
    try:
        made.bind((interface, 0))  # protocol 0: it receives nothing
        if bypass:
            made.setsockopt(kernel.SOL_PACKET, kernel.PACKET_QDISC_BYPASS, 1)
        _enlarge(made)
    except OSError as error:
        made.close()
        raise refused(error.errno or 0, what) from error
    return LinkInjector(made, what, bypass, sockets, method)


def _include_header(made: socket.socket, six: bool, included: bool) -> None:
    """Switch IP_HDRINCL on or off. Closes the socket and raises `SendError` if that fails."""
    level, option = socket.IPPROTO_IP, kernel.IP_HDRINCL
    if six:
        level, option = socket.IPPROTO_IPV6, kernel.IPV6_HDRINCL
    try:
        made.setsockopt(level, option, int(included))
    except OSError as error:
        made.close()
        raise refused(error.errno or 0, Circumstances("IP_HDRINCL")) from error


def _connected(method: SendMethod, made: socket.socket, packet: bytes, out: Egress) -> Injector:
    text, address = destination_of(packet, out.network)
    what = Circumstances(text, out.interface, out.mtu, len(packet))
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)  # the kernel's minimum
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        _enlarge(made)
        if method is SendMethod.IP:
            _enable_drop_reports(made)
        if len(address) == 4:
            made.connect((text, 0))
        else:
            scope = out.index if address[0] == 0xFE or address[0] == 0xFF else 0
            made.connect((text, 0, 0, scope))
    except OSError as error:
        made.close()
        raise refused(error.errno or 0, what) from error
    return Injector(method, made, what)


def _enable_drop_reports(made: socket.socket) -> None:
    if made.family == socket.AF_INET:
        made.setsockopt(socket.IPPROTO_IP, kernel.IP_RECVERR, 1)
    else:
        made.setsockopt(socket.IPPROTO_IPV6, kernel.IPV6_RECVERR, 1)


def _enlarge(made: socket.socket) -> None:
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
