"""Track which packets and comments are not saved to any file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.engine.snapshot import EngineSnapshot
from core.recording.recorded_range import RecordedRange
from core.store.filtered_view import NumberRange


@dataclass(frozen=True, slots=True)
class Unsaved:
    """The packets and comments that leaving now would lose.

    Packets of a file are not lost, only those that were captured or came from a pipe.
    """

    packets: int = 0
    comments: int = 0

    def __bool__(self) -> bool:
        return bool(self.packets or self.comments)

    @property
    def sentence(self) -> str:
        """Return what will be lost, for a question."""
        if self.packets:
            packets = "packet is" if self.packets == 1 else "packets are"
            return f"{self.packets:,} captured {packets} not saved and will be lost."
        comments = "comment is" if self.comments == 1 else "comments are"
        return f"{self.comments:,} {comments} not saved and will be lost."


class SavedPackets:
    """Remembers what the user saved of the store, and the packets whose comments changed since."""

    def __init__(self) -> None:
        self._generation = -1
        self._through = 0  # all packets up to this number were saved
        self._commented: frozenset[int] = frozenset()

    def unsaved(self, engine: EngineSnapshot) -> Unsaved:
        """Return what no file has now."""
        self._follow(engine)
        packets = engine.packets
        count = 0
        if engine.captured or engine.piped:
            ranges = () if engine.piped else engine.recorded
            count = _outside(ranges, max(packets.evicted, self._through) + 1, packets.count)
        commented = sum(number >= packets.first for number in self._commented)
        return Unsaved(count, commented)

    def note_saved(
        self, engine: EngineSnapshot, numbers: NumberRange | None, *, keeps_comments: bool
    ) -> None:
        """Remember that packets of a state were saved, all without `numbers`."""
        self._follow(engine)
        if numbers is None:
            self._through = engine.packets.count
        if keeps_comments:
            self._commented -= frozenset(
                number
                for number in self._commented
                if numbers is None or len(numbers.between(number, number))
            )

    def note_comment(self, engine: EngineSnapshot, number: int) -> None:
        """Remember that the comments of a packet changed."""
        self._follow(engine)
        self._commented |= {number}

    def _follow(self, engine: EngineSnapshot) -> None:
        """Forget everything about an earlier store."""
        if engine.store_generation != self._generation:
            self._generation = engine.store_generation
            self._through, self._commented = 0, frozenset()


def _outside(ranges: Sequence[RecordedRange], first: int, last: int) -> int:
    """Return how many of the packets `first` to `last` no recording has, or has lost.

    The ranges are in ascending order. Packets after the end that the user set do not count. Which
    packets of a range were lost is unknown, so all of those may be among `first` to `last`.
    """
    count = max(0, last - first + 1)
    for each in ranges:
        end = last if each.last is None else min(last, max(each.last, each.unwanted))
        inside = max(0, end - max(first, each.first) + 1)
        count -= inside - min(each.lost, inside)
    return count
