"""Memory for packets that returns to the system when the last reference to it ends.

Theory (mmap(2), mallopt(3))
----------------------------
A chunk takes some megabytes, lives for minutes, and is freed by the thread that used it last.
glibc's ``malloc`` maps large pieces one by one at first, but each large piece that is freed raises
the limit from which it does so, up to 32 MiB. Later pieces come from heaps, which shrink only from
their end: one small object there keeps everything below it. An anonymous mapping is unmapped with
the last array over it. Its pages are zero, and a page that was never written to takes no memory, so
unused room costs nothing.
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ALIGNMENT = 64  # bytes: a line of the processor's cache


def allocate_bytes(size: int) -> NDArray[np.uint8]:
    """Return zeros, uint8 (size,), in an anonymous mapping that ends with the last view."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    return np.frombuffer(mmap.mmap(-1, max(1, size), flags=flags), np.uint8, size)


def is_mapped(data: NDArray[np.uint8]) -> bool:
    """Return True if the bytes belong to a mapped file, or to memory of `allocate_bytes`."""
    owner: object = data
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, memoryview):
        owner = owner.obj
    return isinstance(owner, mmap.mmap)


def allocate_columns(types: Mapping[str, Any], length: int) -> dict[str, NDArray[Any]]:
    """Return an array of zeros, (length,), for each name and dtype, all in one mapping."""
    places, end = {}, 0
    for name, kind in types.items():
        places[name] = end
        end += -(-length * np.dtype(kind).itemsize // _ALIGNMENT) * _ALIGNMENT
    room = allocate_bytes(end).data
    return {
        name: np.frombuffer(room, types[name], length, place)
        if length
        else np.empty(0, types[name])
        for name, place in places.items()
    }
