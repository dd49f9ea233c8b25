"""Listening on an interface for what becomes of a packet: a capture source and outcomes.

The source is open before the packet leaves, so nothing is missed. `Listener.listen` ends when the
time is over or every outcome has its copy and an answer, whichever comes first.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Sequence
from types import TracebackType

from app.commands.frame import frames
from app.commands.interrupts import Interrupts
from app.commands.output import CommandError
from core.capture.opening import open_source
from core.capture.options import CaptureOptions
from core.capture.source import CaptureError
from core.forge.outcome import Outcome, Seen
from core.store.batch import CaptureInterface

_LOOK_S = 0.05  # so soon a stop is noticed

Heard = Callable[[Outcome, Seen], None]


class Listener:
    """A source on `interface` whose frames are fed to the outcomes. A context manager."""

    def __init__(self, interface: str, outcomes: Sequence[Outcome], heard: Heard) -> None:
        self._outcomes = outcomes
        self._heard = heard
        self._interfaces: list[CaptureInterface] = []
        options = CaptureOptions((interface,), promiscuous=False)
        try:
            self._source = open_source(interface, options, self._add)
        except CaptureError as error:
            raise CommandError(f"--wait has to capture: {error}") from error

    def __enter__(self) -> Listener:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._source.close()

    def listen(self, seconds: float, interrupts: Interrupts) -> None:
        """Feed frames for so long, or until there is an answer to each packet, or a signal."""
        end_s = time.monotonic() + seconds
        while not interrupts.stopped:
            left_s = end_s - time.monotonic()
            if left_s <= 0 or all(one.copy and one.replies for one in self._outcomes):
                break
            ready, _, _ = select.select([self._source], [], [], min(_LOOK_S, left_s))
            if ready:
                self.read()
        self.read()

    def read(self) -> None:
        """Feed what is there; to be called often enough that the ring does not fill up."""
        while (batch := self._source.read()) is not None:
            for frame in frames(batch, self._interfaces, 1):
                seen = Seen(frame.data, frame.timestamp_ns, frame.interface.link_type, frame.flags)
                for outcome in self._outcomes:
                    if outcome.feed(seen):
                        self._heard(outcome, seen)
                        break

    def _add(self, interface: CaptureInterface) -> int:
        self._interfaces.append(interface)
        return len(self._interfaces) - 1
