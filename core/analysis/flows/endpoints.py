"""Endpoints: the ends of all conversations of a level, each counted once.

An endpoint is an address, at levels with ports an address and a port. All its figures follow from
its conversations. Direction 0 is what it sent, direction 1 what it received. A conversation of an
endpoint with itself counts as both.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.flows.ends import Ends, with_ports

_SUMMED = ("packets", "bytes", "retransmissions", "zero_windows", "resets")


_EARLIEST = ("start_ns", "first_packet")


def endpoints_steps(
    columns: Mapping[str, NDArray[Any]], *, has_ports: bool
) -> Generator[None, None, dict[str, NDArray[Any]]]:
    """Return, after some steps, the columns of all endpoints of conversations (n,).

    They are the same ones, without an end B.

    ``conversations`` (m,) is how many there are with each; ``id`` (m,) a hash of its end.
    """
    count = len(columns["a_kind"])
    both = {
        name: np.concatenate([columns[f"a_{name}"], columns[f"b_{name}"]])
        for name in Ends.__slots__
    }
    order = np.arange(2 * count)
    for column in both.values():
        yield
        order = order[np.argsort(column[order], kind="stable")]
    is_first = np.zeros(2 * count, np.bool_)
    is_first[:1] = True
    is_itself = np.ones(count, np.bool_)
    for column in both.values():
        ordered = column[order]
        is_first[1:] |= ordered[1:] != ordered[:-1]
        is_itself &= column[:count] == column[count:]
    starts = np.flatnonzero(is_first)
    conversation, is_b = order % max(count, 1), (order >= count).astype(np.int64)
    yield
    found = {f"a_{name}": column[order[starts]] for name, column in both.items()}
    found["id"] = end_ids(found, "a", has_ports=has_ports)
    for name in _SUMMED:
        if name in columns:
            sent = columns[name][conversation, is_b].astype(np.int64)
            received = columns[name][conversation, 1 - is_b].astype(np.int64)
            found[name] = np.stack([_sums(each, starts) for each in (sent, received)], axis=1)
            yield
    rates = np.empty((len(starts), columns["rates"].shape[1]), columns["rates"].dtype)
    for place in range(rates.shape[1]):
        rates[:, place] = _sums(columns["rates"][conversation, place], starts)
        yield
    found["rates"] = rates
    for name in _EARLIEST:
        found[name] = _reduced(np.minimum, columns[name][conversation], starts)
    found["stop_ns"] = _reduced(np.maximum, columns["stop_ns"][conversation], starts)
    counts = ~is_itself[conversation] | (is_b == 0)
    found["conversations"] = _sums(counts.astype(np.int64), starts)
    return found


def end_ids(
    columns: Mapping[str, NDArray[Any]], side: str, *, has_ports: bool
) -> NDArray[np.int64]:
    """Return a number for each end of a side, (n,), the same whenever it is counted."""
    ends = Ends(*(columns[f"{side}_{name}"] for name in Ends.__slots__))
    hashes = ends.hashed(0)
    return (with_ports(hashes, ends.port) if has_ports else hashes).view(np.int64)


def _sums(values: NDArray[Any], starts: NDArray[np.int64]) -> NDArray[Any]:
    return _reduced(np.add, values, starts)


def _reduced(function: np.ufunc, values: NDArray[Any], starts: NDArray[np.int64]) -> NDArray[Any]:
    """Return a reduction of each run of values; `reduceat` refuses an empty array."""
    found: NDArray[Any] = function.reduceat(values, starts, axis=0) if len(values) else values
    return found
