"""Send one frame many times through the slots of a ring, as `tx_ring` sends a file.

Each slot is filled once; setting its status sends it again. The status after the call shows what
the kernel did with it:

* TP_STATUS_AVAILABLE or TP_STATUS_SENDING: the frame left. The next call starts after it.
* TP_STATUS_SEND_REQUEST: the kernel did not reach the frame. The first of them is where the kernel
  stopped: the device's queue dropped the frame (ENOBUFS), or its buffer is full (EAGAIN).
* TP_STATUS_WRONG_FORMAT: the kernel refused the frame, and stopped there, too.

As with sendmmsg(2), the errno of a call that sent anything is lost: the next call makes up for a
drop after other frames, without a report. So the reported drops are a lower bound.

Source: packet(7); net/packet/af_packet.c, tpacket_snd.
"""

from __future__ import annotations

import errno

import numpy as np

from core.forge.transmit.tx_slots import TxSlots, alone
from core.net import sockets as kernel
from core.net.sockets import SocketProvider
from core.wire.link.ethernet import ETHERNET

_KEPT = kernel.TP_STATUS_SEND_REQUEST | kernel.TP_STATUS_WRONG_FORMAT


class EqualFrames:
    """A ring on one interface, whose link headers have `header` bytes, full of one frame.

    Raises OSError and `core.net.sockets.NotPermittedError` if the kernel gives no ring.
    """

    def __init__(
        self,
        interface: str,
        mtu: int,
        frame: bytes,
        bypass: bool,
        sockets: SocketProvider,
        header: int = ETHERNET.size,
    ) -> None:
        self._slots = TxSlots(interface, mtu, len(frame), bypass, sockets, header)
        self._next = 0
        self._frame = alone(frame)
        self._slots.frames[:, : len(frame)] = self._frame[0]
        self._slots.measure(slice(0, len(self._slots)), len(frame))

    def close(self) -> None:
        """Close the socket; frames on their way still leave."""
        self._slots.close()

    def send(self, count: int) -> tuple[int, int]:
        """Send the frame up to `count` times; return how often it left, and an errno.

        The errno is 0 if the frame left once. EAGAIN means that all slots are on their way, or that
        the buffer is full.
        """
        if not self._slots.fits(*self._frame)[0]:
            return 0, self._slots.refusal(len(self._frame[0]))
        slots = self._slots.status[self._next : self._next + count]
        on_their_way = np.flatnonzero(slots)
        slots = slots[: on_their_way[0]] if len(on_their_way) else slots
        slots[:] = kernel.TP_STATUS_SEND_REQUEST
        number = self._slots.kick()
        is_kept = slots & _KEPT != 0
        slots[is_kept] = kernel.TP_STATUS_AVAILABLE
        gone = len(slots) - int(np.count_nonzero(is_kept))
        self._next = (self._next + gone) % len(self._slots)
        return (gone, 0) if gone else (0, number or errno.EAGAIN)
