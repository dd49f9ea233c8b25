"""Check a pcapng file before appending: which application wrote it, and is its last block whole.

The file may be large, so these functions read a few bytes at a time with pread(2).
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Collection

from core.files.kept_blocks import SECTION_HEADER
from core.files.pcapng_options import SHB_USERAPPL, BadOptionError, OptionReader

_MAGIC = 0x1A2B3C4D
_HEAD = struct.Struct("=II")
_TRAILER = struct.Struct("=I")
_SHORTEST = _HEAD.size + _TRAILER.size  # a block without a body
_SHB_FIXED = 24
_LONGEST_HEADER = 1 << 16  # bytes of a section header that are read


def has_header_of(descriptor: int, header: bytes, application: bytes) -> bool:
    """Return True if a file begins with a section header of `application`, or is empty.

    `header` is the section header that this application would write: a shorter file may be the
    beginning of one.
    """
    head = os.pread(descriptor, _LONGEST_HEADER, 0)
    if len(head) < len(header):
        return header.startswith(head)
    if head[:4] != SECTION_HEADER.to_bytes(4, "big"):
        return False
    order = "<" if head[8:12] == _MAGIC.to_bytes(4, "little") else ">"
    (length,) = struct.unpack_from(order + "4xI", head)
    stop = min(len(head), length - _TRAILER.size)
    options = OptionReader(memoryview(head), _SHB_FIXED, stop, order)
    try:
        found = [bytes(value) for code, value in options if code == SHB_USERAPPL]
    except BadOptionError:
        return False
    return any(one.startswith(application) for one in found)


def ends_with_whole_block(descriptor: int, size: int, kinds: Collection[int]) -> bool:
    """Return True if a file is empty, or its last block is whole and of one of the types `kinds`.

    A whole block has the same length at both ends.
    """
    if size == 0:
        return True
    if size < _SHORTEST or size % 4:
        return False
    first = os.pread(descriptor, 4, 0)
    (length,) = _TRAILER.unpack(os.pread(descriptor, _TRAILER.size, size - _TRAILER.size))
    if first != SECTION_HEADER.to_bytes(4, "big") or not _SHORTEST <= length <= size:
        return False
    kind, again = _HEAD.unpack(os.pread(descriptor, _HEAD.size, size - length))
    return again == length and kind in kinds


def whole_length(descriptor: int, size: int) -> tuple[int, bool]:
    """Return the length of all whole blocks, and True if the rest can be a block cut short."""
    at, order = 0, "<" if sys.byteorder == "little" else ">"
    header = SECTION_HEADER.to_bytes(4, "big")  # a palindrome: any byte order
    while at < size:
        head = os.pread(descriptor, _SHORTEST, at)
        if at == 0 and head[:4] != header[: len(head)]:
            return 0, False
        if len(head) < _SHORTEST:
            return at, True
        if head[:4] == header:
            order = "<" if head[8:12] == _MAGIC.to_bytes(4, "little") else ">"
        (length,) = struct.unpack_from(order + "I", head, 4)
        if length < _SHORTEST or length % 4:
            return at, False
        if at + length > size:
            return at, True
        if os.pread(descriptor, _TRAILER.size, at + length - _TRAILER.size) != head[4:8]:
            return at, False
        at += length
    return at, True
