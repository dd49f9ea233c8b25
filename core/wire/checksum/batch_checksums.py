"""Checksums of many byte ranges at once: RFC 1071 sums and CRC-32C, without a loop over packets.

Theory
------
The Internet checksum adds 16-bit big-endian words in one's complement arithmetic, which is
arithmetic modulo 2**16 − 1 in which only adding zeros gives zero. Three of its properties (RFC 1071
§2) make it fast here:

* 2**32 and 2**64 are 1 modulo 2**16 − 1, so wider words can be added, and folded at the end.
* Words of the other byte order give the sum with its two bytes swapped. So the code adds memory as
  little-endian words, aligned wherever the bytes lie; the sum of a range that starts on an even
  byte then has to be swapped, one that starts on an odd byte is right already.
* Each byte contributes on its own. So the sum of a range is that of all aligned words it touches
  *less* the bytes of the first and the last word that do not belong to it.

The code takes ranges in slices of about `SLICE` bytes of memory that stay in the second-level
cache: it copies the slice to an aligned scratch, folds each 64-bit word to 33 bits, adds up runs of
words with `numpy.add.reduceat`, and corrects both ends. Sums of 33-bit values cannot overflow 64
bits below 16 GiB, and a range is less than 4 GiB.

CRC-32C (RFC 9260 appendix A) is computed for all packets side by side: step k feeds word k of every
packet that is long enough through four tables ("slicing by four").
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.wire.checksum.packet_checksums import CRC32C_TABLE

SLICE = 1 << 19

_LOW_32 = np.uint64(0xFFFFFFFF)
_LOW_16 = np.uint64(0xFFFF)
_8, _16, _32 = np.uint64(8), np.uint64(16), np.uint64(32)


def ones_sums(
    data: NDArray[np.uint8], starts: NDArray[Any], lengths: NDArray[Any]
) -> NDArray[np.uint16]:
    """Return the folded one's complement sum of each range, not inverted: (n,) uint16.

    `data` is contiguous uint8; `starts` and `lengths` (n,) are integers, each range inside `data`.
    An odd last byte is the high byte of its word. Ranges may overlap and come in any order;
    ascending ones are fastest. An empty range sums to 0.
    """
    starts = np.asarray(starts, dtype=np.int64)
    stops = starts + lengths
    sums = np.zeros(len(starts), dtype=np.uint64)
    for first, last in _slices(starts, stops):
        low, high = int(starts[first:last].min()) & ~1, int(stops[first:last].max())
        if high > low:
            sums[first:last] = _slice_sums(
                data[low:high], starts[first:last] - low, stops[first:last] - low
            )
    return fold(sums, starts)


def header_sums(
    data: NDArray[np.uint8], starts: NDArray[Any], words: NDArray[Any]
) -> NDArray[np.uint16]:
    """Return the folded sum of headers of few 32-bit `words`: (n,) uint16.

    It is cheaper than `ones_sums` for 20 bytes of every packet, because it reads nothing between
    them. Every header must lie inside `data`.
    """
    starts = np.asarray(starts, dtype=np.int64)
    words = np.asarray(words)
    sums = np.zeros(len(starts), dtype=np.uint64)
    if not len(starts):
        return sums.astype(np.uint16)
    common, longest = int(words.min()), int(words.max())
    for word in range(0, common - 1, 2):
        value = _little(data, starts + 4 * word, 8)
        sums += (value & _LOW_32) + (value >> _32)
    if common % 2:
        sums += _little(data, starts + 4 * (common - 1), 4)
    for word in range(common, longest):
        rows = np.flatnonzero(words > word)
        sums[rows] += _little(data, starts[rows] + 4 * word, 4)
    return fold(sums, np.zeros(1, dtype=np.int64))


def fold(sums: NDArray[np.uint64], starts: NDArray[np.int64]) -> NDArray[np.uint16]:
    """Fold little-endian sums to 16 bits, and swap them to big-endian where `starts` are even."""
    total = (sums & _LOW_32) + (sums >> _32)
    total = (total & _LOW_16) + (total >> _16)
    total = (total & _LOW_16) + (total >> _16)
    total = (total & _LOW_16) + (total >> _16)
    folded = total.astype(np.uint16)
    return np.where(starts & 1, folded, folded.byteswap())


def add_folded(*sums: NDArray[Any]) -> NDArray[np.uint16]:
    """Return the one's complement sum of arrays of values below 2**32, element by element."""
    total = np.zeros((), dtype=np.uint64)
    for each in sums:
        total = total + each.astype(np.uint64)
    while True:
        high = total >> _16
        if not high.any():
            return total.astype(np.uint16)
        total = (total & _LOW_16) + high


def _little(data: NDArray[np.uint8], starts: NDArray[np.int64], width: int) -> NDArray[np.uint64]:
    view: NDArray[Any] = np.ndarray(
        shape=(len(data) - width + 1,), dtype=f"<u{width}", buffer=data.data, strides=(1,)
    )
    return view[starts].astype(np.uint64)


def _slices(starts: NDArray[np.int64], stops: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return runs of ranges that lie within about `SLICE` bytes of each other."""
    runs: list[tuple[int, int]] = []
    first, count = 0, len(starts)
    while first < count:
        # right for ascending ranges; for others, halve the run until it fits
        ahead = np.searchsorted(stops[first:], starts[first] + SLICE, side="right")
        last = first + max(1, int(ahead))
        while last - first > 1 and stops[first:last].max() - starts[first:last].min() > 2 * SLICE:
            last = first + (last - first) // 2
        runs.append((first, last))
        first = last
    return runs


def _slice_sums(
    data: NDArray[np.uint8], starts: NDArray[np.int64], stops: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """Return little-endian sums of ranges of a slice, whose first byte is at an even offset."""
    count = len(data) // 8 + 1  # one word more than needed, so that every stop is an index
    words = np.empty(count, dtype=np.uint64)
    scratch = words.view(np.uint8)
    scratch[: len(data)] = data
    scratch[len(data) :] = 0
    halves = words >> _32
    halves += words & _LOW_32

    first, last = starts >> 3, stops >> 3
    bounds = np.empty(2 * len(starts), dtype=np.int64)
    bounds[0::2] = first
    bounds[1::2] = last
    sums: NDArray[np.uint64] = np.add.reduceat(halves, bounds)[0::2]
    sums[first == last] = 0  # reduceat returns the element itself for an empty run
    sums -= _before(words, first, starts)
    sums += _before(words, last, stops)
    return sums


def _before(
    words: NDArray[np.uint64], index: NDArray[np.int64], position: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """Return what the bytes of word `index` that lie before byte `position` contribute."""
    bits = (position & 7).astype(np.uint64) * _8
    value = words[index] & ((np.uint64(1) << bits) - np.uint64(1))
    return (value & _LOW_32) + (value >> _32)


# -- CRC-32C ----------------------------------------------------------------------


def _tables() -> NDArray[np.uint32]:
    """Return the remainders of a byte followed by 0 … 3 zero bytes, (4, 256)."""
    table = np.array(CRC32C_TABLE, dtype=np.uint32)
    rows = [table]
    for _ in range(3):
        rows.append(table[rows[-1] & np.uint32(0xFF)] ^ (rows[-1] >> np.uint32(8)))
    return np.stack(rows)


def _advance(tables: NDArray[np.uint32], value: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the remainders after the zero bytes that `tables` stand for, any shape."""
    result: NDArray[np.uint32] = (
        tables[3][value & _BYTE]
        ^ tables[2][(value >> np.uint32(8)) & _BYTE]
        ^ tables[1][(value >> np.uint32(16)) & _BYTE]
        ^ tables[0][value >> np.uint32(24)]
    )
    return result


def _doubled(tables: NDArray[np.uint32], times: int) -> NDArray[np.uint32]:
    """Return the tables for ``2**times`` as many zero bytes: a remainder is linear in its bits."""
    for _ in range(times):
        tables = _advance(tables, tables)
    return tables


_BYTE = np.uint32(0xFF)
_ALL = np.uint32(0xFFFFFFFF)
_CRC = _tables()
_PIECE = 64  # words; a power of two
_CRC_PIECE = _doubled(_CRC, _PIECE.bit_length() - 1)


def crc32c_many(
    data: NDArray[np.uint8],
    starts: NDArray[Any],
    lengths: NDArray[Any],
    zeroed: int,
) -> NDArray[np.uint32]:
    """Return the CRC-32C of each range with four bytes taken as zero: (n,) uint32.

    These are the bytes at offset `zeroed`, a multiple of 4: the checksum field of the header. Every
    range must lie inside `data`. The result is the number whose little-endian bytes the field
    holds.

    Ranges are cut into pieces, all pieces are computed at once, and the remainders of a range's
    pieces combined: a long packet takes as many steps as it has pieces, not as many as it has
    words.
    """
    order = np.argsort(-np.asarray(lengths, dtype=np.int64), kind="stable")
    start = np.asarray(starts, dtype=np.int64)[order]
    length = np.asarray(lengths, dtype=np.int64)[order]
    words = length >> 2
    pieces = -(-words // _PIECE)
    remainders = _pieces(data, start, words, pieces, zeroed)
    crc = np.where(words > 0, np.uint32(0), _ALL)
    first = np.cumsum(pieces) - pieces
    for step in range(int(pieces.max(initial=0))):
        active = int(np.searchsorted(-pieces, -step, side="left"))  # ranges with a piece here
        crc[:active] = _advance(_CRC_PIECE, crc[:active]) ^ remainders[first[:active] + step]
    for step in range(3):
        rows = np.flatnonzero((length & 3) > step)
        byte = data[start[rows] + 4 * words[rows] + step]
        crc[rows] = _CRC[0][(crc[rows] ^ byte) & _BYTE] ^ (crc[rows] >> np.uint32(8))
    result = np.empty_like(crc)
    result[order] = ~crc
    return result


def _pieces(
    data: NDArray[np.uint8],
    start: NDArray[np.int64],
    words: NDArray[np.int64],
    pieces: NDArray[np.int64],
    zeroed: int,
) -> NDArray[np.uint32]:
    """Return the remainders of all pieces of all ranges, one range after the other.

    The last piece of a range is whole; zeros before the first one's words change nothing.
    """
    owner = np.repeat(np.arange(len(start)), pieces)
    index = np.arange(len(owner)) - np.repeat(np.cumsum(pieces), pieces)  # −1 is the last
    word = words[owner] + index * _PIECE
    crc = np.zeros(len(owner), dtype=np.uint32)
    for _ in range(_PIECE if len(owner) else 0):
        there = word >= 0
        value = _little(data, start[owner] + 4 * np.maximum(word, 0), 4).astype(np.uint32)
        value[~there | (word * 4 == zeroed)] = 0
        value[word == 0] ^= _ALL  # what a CRC begins with
        crc = _advance(_CRC, crc ^ value)
        word += 1
    return crc
