"""The interface of everything that takes the packets of a dump: it prints or writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from core.decode.batch import Batch, CaptureInterface
from core.decode.capture_statistics import CaptureStatistics
from core.decode.chunk import Chunk


class PacketOutput(Protocol):
    """Takes packets in order.

    `written` counts those that reached their destination, and `passed_over` those before the last
    wanted packet that were not to go there; `selects` is true if a filter decides that. Raises
    `CommandError` if it cannot continue.
    """

    work: str  # what it does with a packet: "printed"

    @property
    def selects(self) -> bool: ...

    @property
    def written(self) -> int: ...

    @property
    def passed_over(self) -> int: ...

    @property
    def done(self) -> bool:
        """True once no more packets are wanted."""
        ...

    def take(self, frames: Batch | Chunk, interfaces: Sequence[CaptureInterface]) -> None:
        """Take the next packets."""
        ...

    def describe(
        self,
        interfaces: Sequence[CaptureInterface],
        statistics: Mapping[str, CaptureStatistics],
    ) -> None:
        """Take what is known of the interfaces of a capture by now; `statistics` are by name."""
        ...

    def idle(self) -> None:
        """Do periodic work while no packets arrive."""
        ...

    def end(self, *, is_cut: bool = False) -> None:
        """Complete the output after the last packet.

        With `is_cut`, the user interrupted it before: raise `InterruptedCommandError`.
        """
        ...

    def finish(self) -> None:
        """Raise `CommandError` if some packets could not be handled."""
        ...

    def close(self) -> None:
        """Close everything, whatever happened before."""
        ...


MakeOutput = Callable[[Callable[[], bool], Callable[[], int | None]], PacketOutput]
"""Makes an output of: whether the user wants no more packets, and the signal that ended it."""
