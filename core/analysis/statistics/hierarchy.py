"""The protocol hierarchy: packets and bytes by the protocols that they contain.

A packet counts at one path, such as ``eth:ip:tcp:tls``, and so at each protocol on it. Packets that
ICMP errors quote do not count, as in ``tshark -z io,phs``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.filter.values.chunk_headers import ChunkHeaders
from core.analysis.filter.values.dissected import DissectedPackets
from core.analysis.filter.values.layer_names import Naming, protocol_kinds
from core.analysis.statistics.applications import NAMES, application_of, applications
from core.decode.chunk import Chunk
from core.wire.model.dissection import Dissection
from core.wire.registry import PROTOCOLS

MOST_PATHS = 1024
"""Different paths that are kept; packets with further ones count at their first protocol."""

SHOWN = frozenset(protocol.name for protocol in PROTOCOLS if "." not in protocol.name) - {"nflog"}
"""The protocols in the hierarchy.

These are all but extension headers, which are parts of IPv6 (AH, too), and NFLOG, which tshark
leaves out.
"""

UNKNOWN = "data"
"""The path of packets without any header that rawscope reads."""


def _path(dissection: Dissection) -> str:
    names: list[str] = []
    for layer in dissection.layers:
        is_extension = layer.name == "ah" and names[-1:] == ["ipv6"]
        if layer.name in SHOWN and not layer.quoted and not is_extension:
            names.append(layer.name)
    application = application_of(dissection)
    return ":".join([*names, application] if application else names)


_NAMING = Naming(SHOWN, NAMES, applications, _path, has_quoted=False)


@dataclass(frozen=True, slots=True)
class Counts:
    """A number of packets, and their bytes before they were cut."""

    packets: int = 0
    bytes: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.packets + other.packets, self.bytes + other.bytes)


NOTHING = Counts()


@dataclass(frozen=True, slots=True)
class Node:
    """A protocol of the hierarchy: all its packets, and those that end with it."""

    path: tuple[str, ...]
    total: Counts
    end: Counts


@dataclass(frozen=True, slots=True, eq=False)
class Hierarchy:
    """The counts of packets by path; immutable."""

    ends: Mapping[str, Counts]

    def nodes(self) -> Iterator[Node]:
        """Yield all protocols: each before those inside it, the most frequent first."""
        totals: dict[tuple[str, ...], Counts] = {}
        ends = {tuple(path.split(":")): counts for path, counts in self.ends.items()}
        for path, counts in ends.items():
            for size in range(1, len(path) + 1):
                part = path[:size]
                totals[part] = totals.get(part, NOTHING) + counts
        children: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        for path in totals:
            children.setdefault(path[:-1], []).append(path)
        waiting: list[tuple[str, ...]] = [()]  # a stack: paths may be deep
        while waiting:
            here = waiting.pop()
            if here:
                yield Node(here, totals[here], ends.get(here, NOTHING))
            inside = children.get(here, [])
            waiting += sorted(inside, key=lambda path: (totals[path].packets, path[::-1]))


class HierarchyCounter:
    """Counts packets by path."""

    def __init__(self) -> None:
        self._ends: dict[str, Counts] = {}

    def add(self, chunk: Chunk) -> None:
        """Count the packets of a chunk."""
        texts, index = paths_of(chunk)
        packets = np.bincount(index, minlength=len(texts))
        sums = byte_sums(index, chunk.original, len(texts))
        for text, number, size in zip(texts, packets.tolist(), sums.tolist(), strict=True):
            if number:
                path = text or UNKNOWN
                if path not in self._ends and len(self._ends) >= MOST_PATHS:
                    path = path.partition(":")[0]
                self._ends[path] = self._ends.get(path, NOTHING) + Counts(number, size)

    def result(self) -> Hierarchy:
        """Return the counts up to now."""
        return Hierarchy(dict(self._ends))


def paths_of(chunk: Chunk) -> tuple[list[str], NDArray[np.int64]]:
    """Return paths, and the index (n,) of each packet's path."""
    headers = ChunkHeaders(chunk)
    inner = DissectedPackets(chunk, np.flatnonzero(headers.dissected))
    return protocol_kinds(headers, inner, _NAMING)


def byte_sums(index: NDArray[Any], sizes: NDArray[Any], length: int) -> NDArray[np.int64]:
    """Return the sum of sizes (n,) for each index (n,) below `length`, exact below 2**53."""
    return np.bincount(index, weights=sizes, minlength=length).astype(np.int64)
