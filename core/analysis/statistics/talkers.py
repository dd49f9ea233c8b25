"""Packets and bytes by address: who sends and receives most.

A packet counts for the two addresses of its outermost IP header, or of its Ethernet header if it
has none. Addresses are looked up in a sorted array of 64-bit keys: of IPv6 addresses, the key is a
hash with random factors, so that nobody can send addresses that share one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from core.analysis.statistics.hierarchy import byte_sums
from core.decode import columns
from core.decode.chunk import Chunk
from core.wire.model.batch import Network
from core.wire.model.field import PlacedField
from core.wire.model.kind import Kind, address_text

MOST_ADDRESSES = 1 << 16
"""Addresses of each kind that are kept, 56 bytes each; further ones count together."""


@dataclass(frozen=True, slots=True)
class Talker:
    """An address, as text and as the field that has it in filters, with what it sent and received.

    An empty `address` stands for all addresses after the first `MOST_ADDRESSES`.
    """

    field: str
    address: str
    sent_packets: int
    sent_bytes: int
    received_packets: int
    received_bytes: int

    @property
    def packets(self) -> int:
        """The packets that it sent or received."""
        return self.sent_packets + self.received_packets

    @property
    def bytes(self) -> int:
        """The bytes that it sent or received."""
        return self.sent_bytes + self.received_bytes


@dataclass(frozen=True, slots=True)
class _AddressKind:
    field: str
    kind: Kind
    source: tuple[PlacedField, ...]
    destination: tuple[PlacedField, ...]


_KINDS = tuple(
    _AddressKind(name, kind, *(columns.SLOTS[f"{name.split('.')[0]}.{end}"] for end in ENDS))
    for ENDS in [("src", "dst")]
    for name, kind in (("ip.addr", Kind.IPV4), ("ipv6.addr", Kind.IPV6), ("eth.addr", Kind.MAC))
)
_NETWORKS = {"ip.addr": Network.IPV4, "ipv6.addr": Network.IPV6}


class TalkerCounter:
    """Counts packets by address. It keeps at most `most` addresses of each kind."""

    def __init__(self, most: int = MOST_ADDRESSES) -> None:
        self._tables = {kind: _AddressTable(most) for kind in _KINDS}

    def add(self, chunk: Chunk) -> None:
        """Count the packets of a chunk."""
        left = np.ones(len(chunk), np.bool_)
        for kind, table in self._tables.items():
            network = _NETWORKS.get(kind.field)
            mask = left if network is None else chunk.network == network
            rows = np.flatnonzero(mask)
            if not len(rows):
                continue
            part = chunk if len(rows) == len(chunk) else chunk.copied(rows)
            source, destination = (
                columns.read(part, slots) for slots in (kind.source, kind.destination)
            )
            valid = source.valid & destination.valid
            left[rows[valid]] = False
            sizes = part.original[valid].astype(np.int64)
            table.add(source.values[valid], destination.values[valid], sizes)

    def result(self) -> tuple[Talker, ...]:
        """Return all addresses; those with most bytes first."""
        found = [each for kind, table in self._tables.items() for each in table.talkers(kind)]
        return tuple(sorted(found, key=attrgetter("bytes", "packets"), reverse=True))

    def top(self, count: int) -> tuple[tuple[Talker, ...], int]:
        """Return the addresses with most bytes, at most `count`, and the number of addresses."""
        found = [
            each for kind, table in self._tables.items() for each in table.talkers(kind, count)
        ]
        found.sort(key=attrgetter("bytes", "packets"), reverse=True)
        return tuple(found[:count]), sum(len(table) for table in self._tables.values())


class _AddressTable:
    """The counts of addresses of one kind: columns in the order of the keys.

    ``words``   uint64 (m, 2)  the address; its high word is 0 where one word is enough
    ``counts``  int64 (m, 4)   packets and bytes sent, packets and bytes received
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._factors = np.frombuffer(os.urandom(16), np.uint64) | np.uint64(1)
        self._keys = np.zeros(0, np.uint64)
        self._words = np.zeros((0, 2), np.uint64)
        self._counts = np.zeros((0, 4), np.int64)
        self._others = np.zeros(4, np.int64)

    def __len__(self) -> int:
        return len(self._keys)

    def add(
        self,
        source: NDArray[np.uint64],
        destination: NDArray[np.uint64],
        sizes: NDArray[np.int64],
    ) -> None:
        """Count packets by their ends, (k,) or (k, 2), and lengths (k,)."""
        if not len(sizes):
            return
        for words, column in ((source, 0), (destination, 2)):
            keys = self._keys_of(words)
            places, known = self._find(keys)
            if not known.all():
                self._insert(keys[~known], words[~known])
                places, known = self._find(keys)
            length = len(self._keys) + 1
            places[~known] = length - 1
            counts = np.stack(
                (np.bincount(places, minlength=length), byte_sums(places, sizes, length)), axis=1
            )
            self._counts[:, column : column + 2] += counts[:-1]
            self._others[column : column + 2] += counts[-1]

    def talkers(self, kind: _AddressKind, most: int | None = None) -> Sequence[Talker]:
        """Return the addresses with most bytes; all without `most`."""
        counts = self._counts
        order = np.argsort(-(counts[:, 1] + counts[:, 3]), kind="stable")[:most]
        found = [
            Talker(kind.field, address_text(kind.kind, high << 64 | low), *numbers)
            for (high, low), numbers in zip(
                self._words[order].tolist(), counts[order].tolist(), strict=True
            )
        ]
        if self._others.any():
            found.append(Talker(kind.field, "", *self._others.tolist()))
        return found

    def _keys_of(self, words: NDArray[np.uint64]) -> NDArray[np.uint64]:
        if words.ndim == 1:
            return words.astype(np.uint64)
        high, low = words[:, 0] * self._factors[0], words[:, 1] * self._factors[1]
        keys: NDArray[np.uint64] = (high ^ (high >> np.uint64(32))) + (low ^ (low >> np.uint64(29)))
        return keys

    def _find(self, keys: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the place (k,) of each key, and a mask (k,) of those that are in the table."""
        if not len(self._keys):
            return np.zeros(len(keys), np.int64), np.zeros(len(keys), np.bool_)
        places = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return places, self._keys[places] == keys

    def _insert(self, keys: NDArray[np.uint64], words: NDArray[np.uint64]) -> None:
        """Add new keys, as far as there is room for them."""
        new, first = np.unique(keys, return_index=True)
        room = self._most - len(self._keys)
        if len(new) > room:
            kept = np.sort(np.argsort(first, kind="stable")[:room])  # those that came first
            new, first = new[kept], first[kept]
        if words.ndim == 1:
            words = np.stack((np.zeros(len(words), np.uint64), words.astype(np.uint64)), axis=1)
        keys = np.concatenate((self._keys, new))
        order = np.argsort(keys)
        self._keys = keys[order]
        self._words = np.concatenate((self._words, words[first]))[order]
        added = np.zeros((len(new), 4), np.int64)
        self._counts = np.concatenate((self._counts, added))[order]
