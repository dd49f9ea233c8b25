"""Capture on an interface to find sent packets and their replies.

The source is open before the packets leave, so no frame is missed. `ReplyListener.listen` takes its
whole time, since many packets may have many answers; it ends early only if one answer is expected
and has arrived. It takes longer than a very short time if sent packets have not been captured yet:
the kernel hands over captured frames within `DRAIN_S`.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Sequence
from types import TracebackType

from app.cli.interrupts import Interrupts
from app.cli.output import CommandError
from core.capture.options import CaptureOptions
from core.capture.session import DRAIN_S
from core.capture.source import CaptureError
from core.capture.source_factory import open_source
from core.forge.observe.tracker import Track
from core.net.sockets import SocketProvider
from core.store.captured_packet import CapturedPacket, packets_of
from core.store.interface_numbers import InterfaceNumbers

_LOOK_S = 0.05  # so soon a stop is noticed

Heard = Callable[[Track, CapturedPacket], None]


class ReplyListener:
    """A source on `interface` whose frames are fed to the tracks. A context manager.

    `sockets` makes its sockets. It calls `heard` with each first copy and each reply. `one_answer`
    is true if a single packet leaves, to a single host.
    """

    def __init__(
        self,
        interface: str,
        sockets: SocketProvider,
        tracks: Sequence[Track],
        heard: Heard,
        *,
        one_answer: bool = False,
    ) -> None:
        self._tracks = tracks
        self._heard = heard
        self._one_answer = one_answer
        self._number = 0  # of the newest frame
        self._interfaces = InterfaceNumbers()
        options = CaptureOptions((interface,), promiscuous=False)
        try:
            self._source = open_source(interface, options, self._interfaces.add, sockets)
        except CaptureError as error:
            raise CommandError(f"--wait has to capture: {error}") from error

    def __enter__(self) -> ReplyListener:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._source.close()

    def listen(self, seconds: float, interrupts: Interrupts) -> None:
        """Feed frames for `seconds`, or until the one answer or a signal arrives.

        Wait at least `DRAIN_S` for the sent packets themselves.
        """
        began_s = time.monotonic()
        while not interrupts.stopped and not self._is_answered():
            wait_s = seconds if self._has_copies() else max(seconds, DRAIN_S)
            left_s = began_s + wait_s - time.monotonic()
            if left_s <= 0:
                break
            ready, _, _ = select.select([self._source], [], [], min(_LOOK_S, left_s))
            if ready:
                self.read()
        self.read()

    def read(self) -> None:
        """Feed the frames that have arrived; call this before the ring is full."""
        while (batch := self._source.read()) is not None:
            for packet in packets_of(batch, self._interfaces.interfaces, self._number + 1):
                self._number = packet.number
                self._feed(packet)

    def _feed(self, seen: CapturedPacket) -> None:
        for track in self._tracks:
            if track.take(seen):
                if track.outcome.copy is seen or track.last != seen.number:
                    self._heard(track, seen)
                return

    def _has_copies(self) -> bool:
        return all(track.outcome.copy is not None for track in self._tracks)

    def _is_answered(self) -> bool:
        return self._one_answer and all(
            track.outcome.copy and track.reply_count for track in self._tracks
        )
