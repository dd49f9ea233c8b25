"""The two ends that many headers name, as columns, with keyed hashes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.flows.level import KINDS, Level
from core.wire.model.words import mixed

_TWO_WORDS = KINDS.index(Level.IPV6)

Rows = NDArray[np.int64]
Words = NDArray[np.uint64]
Index = NDArray[Any] | slice


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """One end of k headers: parallel arrays (k,).

    ``kind``  uint8   index in `core.analysis.flows.level.KINDS`
    ``high``  uint64  the high word of the address; 0 if it has one word
    ``low``   uint64  the low word
    ``port``  uint16  0 at levels without ports
    """

    kind: NDArray[np.uint8]
    high: Words
    low: Words
    port: NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.kind)

    def take(self, index: Index) -> Ends:
        """Return the ends that an index, a mask, or a slice selects."""
        return Ends(*(getattr(self, name)[index] for name in self.__slots__))

    def hashed(self, seed: int) -> Words:
        """Return a keyed hash of each address, (k,); see `with_ports`."""
        state = mixed(self.kind + np.uint64(seed), self.low)
        has_two_words = self.kind == _TWO_WORDS
        if has_two_words.any():
            state = np.where(has_two_words, mixed(state, self.high), state)
        return state


@dataclass(frozen=True, slots=True, eq=False)
class PlacedEnds:
    """Ends with ports (k,), whose addresses are those at the indices `at` (k,) of others."""

    addresses: Ends
    at: Rows
    port: NDArray[np.uint16]

    def take(self, index: Index) -> Ends:
        """Return the ends that an index, a mask, or a slice selects."""
        return replace(self.addresses.take(self.at[index]), port=self.port[index])


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Source and destination of k headers, by ascending row of their packets in a part.

    `sources` and `destinations` (k,) are keyed hashes of them.
    """

    rows: Rows
    source: Ends | PlacedEnds
    destination: Ends | PlacedEnds
    sources: Words
    destinations: Words

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, index: Index) -> Pairs:
        """Return the headers that an index, a mask, or a slice selects."""
        return Pairs(
            self.rows[index],
            self.source.take(index),
            self.destination.take(index),
            self.sources[index],
            self.destinations[index],
        )


def with_ports(addresses: Words, port: NDArray[np.uint16]) -> Words:
    """Return the hashes of ends, from those of their addresses."""
    return mixed(addresses, port)


def hashed_pairs(rows: Rows, source: Ends, destination: Ends, seed: int) -> Pairs:
    """Return the headers of packets with these ends; `seed` keys the hashes."""
    return Pairs(rows, source, destination, source.hashed(seed), destination.hashed(seed))


def joined(parts: Sequence[Pairs]) -> Pairs:
    """Return the pairs of all parts, by row."""
    parts = [part for part in parts if len(part)]
    if len(parts) <= 1:
        return parts[0] if parts else _no_pairs()
    rows = np.concatenate([part.rows for part in parts])
    order = np.argsort(rows, kind="stable")
    ends = []
    for which in ("source", "destination"):
        whole = [getattr(part, which).take(slice(None)) for part in parts]
        columns = ([getattr(each, name) for each in whole] for name in Ends.__slots__)
        ends.append(Ends(*(np.concatenate(column)[order] for column in columns)))
    sources = np.concatenate([part.sources for part in parts])[order]
    destinations = np.concatenate([part.destinations for part in parts])[order]
    return Pairs(rows[order], ends[0], ends[1], sources, destinations)


def _no_pairs() -> Pairs:
    none = np.zeros(0, np.uint64)
    ends = Ends(none.astype(np.uint8), none, none, none.astype(np.uint16))
    return Pairs(none.astype(np.int64), ends, ends, none, none)
