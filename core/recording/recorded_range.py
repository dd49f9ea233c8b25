"""The packets of a store that one recording took, by their numbers in the store."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecordedRange:
    """Packets `first` to `last`, of which the recording lost `lost`.

    `last` is None while the recording continues. A recording that is complete ends the capture; the
    packets up to `unwanted` came after `last`, until the capture had ended.
    """

    first: int
    last: int | None
    lost: int = 0
    unwanted: int = 0
