"""Rules of the user for the payloads of ports: *decode as* (``-d tcp.port==8080,http``).

The rules of a capture travel with its packets: its source or store has them, each chunk of it, and
each dissection. So two captures in one process may have different rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

PORTS = 1 << 16


class DecodeRules:
    """The name of the reader that alone reads the payloads of a transport and a port; immutable.

    `core.wire.application.payload_info` has the readers. Ports without a rule keep their readers.
    """

    def __init__(self, readers: Mapping[tuple[str, int], str] | None = None) -> None:
        self._readers = dict(readers or {})

    def __bool__(self) -> bool:
        return bool(self._readers)

    def reader(self, transport: str, ports: tuple[int | None, int | None]) -> str | None:
        """Return the reader that the lower of two ports with a rule selects, or None."""
        if not self._readers:
            return None
        found = [
            (port, self._readers[transport, port])
            for port in ports
            if port is not None and (transport, port) in self._readers
        ]
        return min(found)[1] if found else None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The readers of all rules, each once."""
        return tuple(sorted(set(self._readers.values())))

    def numbers(
        self, transport: str, source: NDArray[np.uint16], destination: NDArray[np.uint16]
    ) -> NDArray[np.uint8]:
        """Return what `reader` returns for n payloads: numbers (n,) from 1 in `names`, or 0."""
        table = self._numbers.get(transport)
        if table is None:
            return np.zeros(len(source), np.uint8)
        lower = table[np.minimum(source, destination)]
        return np.where(lower > 0, lower, table[np.maximum(source, destination)])

    @cached_property
    def _numbers(self) -> Mapping[str, NDArray[np.uint8]]:
        """The number of the reader of each port, (65536,), of each transport that has rules."""
        tables: dict[str, NDArray[np.uint8]] = {}
        for (transport, port), name in self._readers.items():
            table = tables.setdefault(transport, np.zeros(PORTS, np.uint8))
            table[port] = self.names.index(name) + 1
        return tables


NO_RULES = DecodeRules()
