"""Options of pcapng blocks: a 16-bit code, a 16-bit length, a value padded to four bytes.

Source: draft-ietf-opsawg-pcapng §3.5. Blocks with a handful of options are read one by one
(`read_options`). The options of packet blocks are read in rounds, the first option of every
block of a batch, then the second, so that a file whose every packet has flags costs a few
vector operations instead of a loop.

An option that runs past the end of its block, or whose value cannot have the length it says,
makes the block unreadable, in Wireshark too: what stands there cannot be told any more.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.files.step import unaligned

END_OF_OPTIONS = 0
COMMENT = 1
IF_NAME = 2
IF_DESCRIPTION = 3
IF_TSRESOL = 9
IF_FCSLEN = 13
IF_TSOFFSET = 14
EPB_FLAGS = 2

Lengths = TypeVar("Lengths", int, NDArray[np.int64])

_HEADER_BYTES = 4
_VECTOR_ROUNDS = 8  # then the few blocks with still more options go one by one

# Lengths that packet block options must have, and least lengths (§4.3).
_EXACT = {EPB_FLAGS: 4, 4: 8, 5: 8, 6: 4}
_LEAST = {7: 1, 2988: 4, 2989: 4, 19372: 4, 19373: 4}


class BadOptionError(Exception):
    """Why a block's options cannot be read."""


def read_options(
    view: memoryview, start: int, stop: int, order: str
) -> Iterator[tuple[int, memoryview]]:
    """Every option between two bytes of `view` as (code, value). Raises `BadOptionError`."""
    header = struct.Struct(order + "HH")
    while start < stop:
        if stop - start < _HEADER_BYTES:
            raise BadOptionError(f"{stop - start} bytes are left where an option should be")
        code, length = header.unpack_from(view, start)
        start += _HEADER_BYTES
        if start + _padded(length) > stop:
            raise BadOptionError(f"option {code} of {length} bytes runs past the end of its block")
        if code == END_OF_OPTIONS:
            return
        yield code, view[start : start + length]
        start += _padded(length)


def text(value: memoryview) -> str:
    """A UTF-8 option value; it ends at a NUL if there is one. Not yet safe to print."""
    return bytes(value).split(b"\0")[0].decode("utf-8", "replace")


@dataclass(slots=True)
class PacketOptions:
    """What the options of a batch's packet blocks say.

    `flags` (n,) uint32 are the ``epb_flags`` words, 0 where absent. `comments` go by the index
    in the batch. `bad` is the index of the first block that cannot be read, with `reason`.
    """

    flags: NDArray[np.uint32]
    comments: dict[int, list[str]] = field(default_factory=dict)
    bad: int | None = None
    reason: str = ""


def read_packet_options(
    window: NDArray[np.uint8],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    order: str,
) -> PacketOptions:
    """The options of many packet blocks, which lie in `window` from `starts` to `stops` (n,)."""
    found = PacketOptions(np.zeros(len(starts), np.uint32))
    active = np.flatnonzero(starts < stops)
    if not len(active):
        return found
    view = window.data
    headers = unaligned(window, np.dtype([("code", order + "u2"), ("length", order + "u2")]))
    words = unaligned(window, np.dtype([("word", order + "u4")]))["word"]
    position = starts.copy()
    for _ in range(_VECTOR_ROUNDS):
        value = position[active] + _HEADER_BYTES
        inside = value <= stops[active]
        heads = headers[np.where(inside, value - _HEADER_BYTES, 0)]
        code, length = heads["code"].astype(np.int64), heads["length"].astype(np.int64)
        after = value + _padded(length)
        wrong = ~inside | (after > stops[active]) | _wrong_length(code, length)
        if wrong.any():
            break
        flagged = code == EPB_FLAGS
        found.flags[active[flagged]] = words[value[flagged]]
        for where in np.flatnonzero(code == COMMENT):
            start = int(value[where])
            comment = text(view[start : start + int(length[where])])
            found.comments.setdefault(int(active[where]), []).append(comment)
        position[active] = after
        active = active[(code != END_OF_OPTIONS) & (after < stops[active])]
        if not len(active):
            return found
    _read_rest(found, view, active, position, stops, order)
    return found


def _read_rest(
    found: PacketOptions,
    view: memoryview,
    active: NDArray[np.int64],
    position: NDArray[np.int64],
    stops: NDArray[np.int64],
    order: str,
) -> None:
    """The same one block at a time, up to the first that cannot be read."""
    for index in active.tolist():
        try:
            for code, value in read_options(view, position[index], stops[index], order):
                if _wrong_length(code, len(value)):
                    raise BadOptionError(f"packet option {code} cannot be {len(value)} bytes long")
                if code == COMMENT:
                    found.comments.setdefault(index, []).append(text(value))
                elif code == EPB_FLAGS:
                    (found.flags[index],) = struct.unpack(order + "I", value)
        except BadOptionError as error:
            found.bad, found.reason = index, str(error)
            return


def _padded(length: Lengths) -> Lengths:
    return (length + 3) & ~3


def _wrong_length(code: Lengths, length: Lengths) -> bool | NDArray[np.bool_]:
    """Whether packet options with these codes cannot have these lengths; numbers or columns."""
    wrong = length < 0
    for known, exact in _EXACT.items():
        wrong = wrong | ((code == known) & (length != exact))
    for known, least in _LEAST.items():
        wrong = wrong | ((code == known) & (length < least))
    return wrong
