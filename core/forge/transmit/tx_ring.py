"""Send frames through a ring of slots shared with the kernel (`tx_slots`).

rawscope fills slots that are TP_STATUS_AVAILABLE, then sets their status to TP_STATUS_SEND_REQUEST;
one send(2) makes the kernel process all of them in order and set each back to AVAILABLE when its
frame is done. So a system call carries thousands of frames.

ENOBUFS means that the device's queue is full, or that the device dropped the frame itself, as a
veth does with a frame that its other end does not accept: the frame stays a request and is tried
again, so nothing is lost, and a slow device slows the replay down; for `_PATIENCE_S` at most, or
until the user stops it: then the frames that the kernel has not taken are withdrawn, and none is
sent after them. send(2) does not block: waiting inside it for frames on their way costs more than
another call.

Source: packet(7); net/packet/af_packet.c, tpacket_snd.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from core.forge.send_errors import Circumstances, SendError, refused
from core.forge.transmit.frame_assembly import copy_frames
from core.forge.transmit.link_header import shortest
from core.forge.transmit.slot_contents import SlotContents
from core.forge.transmit.tx_slots import TxSlots, alone
from core.net import sockets as kernel
from core.net.sockets import SocketProvider
from core.wire.link.ethernet import ETHERNET
from core.wire.link.vlan import VLAN

_PATIENCE_S = 5.0  # the longest time without a sent frame
_NAP_S = 0.001
_PASSING = frozenset({0, errno.EINTR, errno.ENOBUFS, errno.EAGAIN})


class TxRing:
    """A ring on one interface. Frames are put in by order; `flush` makes the kernel send them.

    `longest` is the length of the longest frame (bytes): the caller's, or what the interface takes.
    If the caller repeats `cycle` frames, they are copied into the ring once, memory permitting.
    `header` is the size of the interface's link headers; the ring refuses frames of less than
    `shortest` bytes.
    `sent` counts the frames that left. The ring calls `stopped` while a device takes nothing.
    Raises `SendError` and `core.net.sockets.NotPermittedError`.
    """

    def __init__(
        self,
        interface: str,
        mtu: int,
        longest: int,
        sockets: SocketProvider,
        *,
        bypass: bool = False,
        stopped: Callable[[], bool] = lambda: False,
        header: int = ETHERNET.size,
        cycle: int = 0,
    ) -> None:
        self.sent = 0
        self.shortest = shortest(header)
        self._stopped = stopped
        self._what = Circumstances(interface, interface, mtu, longest, verbatim=True)
        self.longest = min(longest, mtu + header + VLAN.size)
        self._next = 0
        self._waiting = 0
        self._is_over = False  # frames were withdrawn
        try:
            self._slots = TxSlots(interface, mtu, self.longest, bypass, sockets, header, cycle)
        except OSError as error:
            raise refused(error.errno or 0, self._what) from error
        self._contents = SlotContents(len(self._slots))

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
        self._slots.close()

    def fits(
        self, data: NDArray[np.uint8], offset: NDArray[np.int64], length: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Return (n,) which frames ``data[offset : offset + length]`` the interface takes now."""
        return self._slots.fits(data, offset, length)

    def put(self, frames: Iterable[bytes | memoryview]) -> None:
        """Put frames in; if the ring is full, send those that are in it first. Raises `SendError`.

        After the ring was stopped, put nothing in.
        """
        for frame in frames:
            if not self._make_room():
                return
            self._check(*alone(frame))
            self._slots.frames[self._next, : len(frame)] = np.frombuffer(frame, np.uint8)
            slot = slice(self._next, self._next + 1)
            self._slots.measure(slot, len(frame))
            self._contents.forget(slot)
            self._next = (self._next + 1) % len(self._slots)
            self._waiting += 1

    def put_many(
        self,
        data: NDArray[np.uint8],
        offset: NDArray[np.int64],
        length: NDArray[np.int64],
        *,
        stable: bool = False,
    ) -> None:
        """Put in frames that are in one array: ``data[offset : offset + length]`` each; (n,).

        With `stable`, nobody changes `data` as long as the ring is open. Put nothing in if one of
        the frames does not fit, nor after the ring was stopped.
        """
        self._check(data, offset, length)
        at = 0
        while at < len(offset) and self._make_room():
            room = len(self._slots) - max(self._waiting, self._next)
            stop = min(len(offset), at + room)
            slots = slice(self._next, self._next + stop - at)
            frames = data, offset[at:stop], length[at:stop]
            if not (stable and self._contents.are(slots, *frames)):
                copy_frames(self._slots.frames[slots], *frames)
                self._slots.measure(slots, length[at:stop])
                if stable:
                    self._contents.note(slots, *frames)
                else:
                    self._contents.forget(slots)
            self._next = slots.stop % len(self._slots)
            self._waiting += stop - at
            at = stop

    def _make_room(self) -> bool:
        """Send the frames in the ring if it is full; return False after the ring was stopped."""
        if self._waiting == len(self._slots):
            self.flush()
        return not self._is_over

    def flush(self) -> None:
        """Have the kernel send all frames in the ring, and wait for the end.

        After a stop the ring must not be used again. Raises `SendError`.
        """
        if not self._waiting:
            return
        start = self._next - self._waiting
        waiting = [self._slots.status[max(0, start) : self._next]]
        if start < 0:  # around the ring's end
            waiting.insert(0, self._slots.status[start:])
        self._waiting = 0
        for part in waiting:
            part[:] = kernel.TP_STATUS_SEND_REQUEST
        left = sum(map(len, waiting))
        moved_s = time.monotonic()
        while left:
            number = self._slots.kick()
            now_left = sum(int(np.count_nonzero(part)) for part in waiting)
            if now_left < left:
                self.sent += left - now_left
                left, moved_s = now_left, time.monotonic()
                continue
            if number not in _PASSING or time.monotonic() - moved_s > _PATIENCE_S:
                raise self._failure(number)
            if self._stopped():
                self._withdraw(waiting)
                return
            time.sleep(_NAP_S)

    def _withdraw(self, waiting: Iterable[NDArray[np.uint32]]) -> None:
        """Take back the requests among these statuses; the kernel reads them only in a call."""
        self._is_over = True
        for part in waiting:
            self.sent += int(np.count_nonzero(part & ~np.uint32(kernel.TP_STATUS_SEND_REQUEST)))
            part[part == kernel.TP_STATUS_SEND_REQUEST] = kernel.TP_STATUS_AVAILABLE

    def _check(
        self, data: NDArray[np.uint8], offset: NDArray[np.int64], length: NDArray[np.int64]
    ) -> None:
        """Raise the `SendError` of the first frame that does not fit."""
        for row in np.flatnonzero(~self.fits(data, offset, length))[:1]:
            what = replace(self._what, mtu=self._slots.mtu(), length=int(length[row]))
            raise refused(self._slots.refusal(what.length), what)

    def _failure(self, number: int) -> SendError:
        """Return the error for the errno that stopped the kernel."""
        if number != errno.ENOBUFS:
            return refused(number or errno.EAGAIN, self._what)
        name = self._what.interface
        return SendError(
            number,
            f"ENOBUFS: {name} took no frame for {_PATIENCE_S:.0f} s: its queue is full, or what is "
            "behind it drops the frame (the other end of a veth: one that is longer than its MTU)",
        )
