"""The end of a capture that the user set in advance: a number of packets, or a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.capture.packet_sink import PacketSink
from core.decode.batch import Batch
from core.net.event_loop import EpollLoop


@dataclass(frozen=True, slots=True)
class CaptureEnd:
    """End after `packets` packets or `seconds`, whichever comes first (None: no such end)."""

    packets: int | None = None
    seconds: float | None = None


NO_END = CaptureEnd()


class EndingSink:
    """Hands the packets of one capture to a sink, at most as many as its end allows.

    `taken` counts them. Calls `stop` in the thread of `loop` when the time is over. The owner of
    the capture stops it when `is_full`.
    """

    def __init__(
        self, sink: PacketSink, end: CaptureEnd, loop: EpollLoop, stop: Callable[[], None]
    ) -> None:
        self._sink = sink
        self._most = end.packets
        self.taken = 0
        self._timer = None if end.seconds is None else loop.call_every(end.seconds, stop)

    def append(self, batch: Batch) -> None:
        """Take packets."""
        if self._most is not None:
            batch = batch.first(self._most - self.taken)
        self.taken += len(batch)
        if len(batch):
            self._sink.append(batch)

    @property
    def is_full(self) -> bool:
        """True once no more packets are wanted."""
        return self.taken == self._most

    def close(self) -> None:
        """Do not call `stop` anymore."""
        if self._timer is not None:
            self._timer.canceled = True
