"""The blocks of an input, besides packets and interfaces, in a copy that is written as it comes.

Such a copy is one section, or several files of one section each, so the headers of the input's
sections are left out, and the numbers of interfaces in statistics count from its first section on.
Names are needed in every file. Decryption secrets, and custom blocks that their maker does not want
copied, stay in the input.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from core.decode.batch import CaptureInterface, FileBlock
from core.files.byte_order import (
    CUSTOM,
    CUSTOM_NOT_COPIED,
    NAME_RESOLUTION,
    SECRETS,
    STATISTICS,
)
from core.files.kept_blocks import SECTION_HEADER
from core.files.timestamps import written_resolution
from core.files.writing.pcapng_blocks import block

_WORDS = {
    NAME_RESOLUTION: "names",
    STATISTICS: "statistics",
    SECRETS: "decryption secrets",
    CUSTOM: "custom blocks",
}
_NUMBER = struct.Struct("=I")


class CopiedBlocks:
    """Takes the blocks in order; `blocks` and `interfaces` are those of the input, and may grow.

    `left_out` has the words for those that were not copied.
    """

    def __init__(self, blocks: Sequence[FileBlock], interfaces: Sequence[CaptureInterface]) -> None:
        self._blocks, self._interfaces = blocks, interfaces
        self._next = 0
        self._section = 0  # the first interface of the section
        self.left_out: dict[str, None] = {}

    def until(self, packets: int) -> Iterator[FileBlock]:
        """Yield the next blocks that precede one of the first `packets` packets of the input."""
        while self._next < len(self._blocks) and self._blocks[self._next].packets < packets:
            yield from self._copied(self._blocks[self._next])
            self._next += 1

    def leave_out(self, each: FileBlock) -> None:
        """Note that a block was not copied."""
        self.left_out[_WORDS.get(each.kind, "unknown blocks")] = None

    def _copied(self, each: FileBlock) -> Iterator[FileBlock]:
        """Yield the block for the copy, if it has a place there."""
        if each.kind == SECTION_HEADER:
            self._section = each.interfaces
        elif each.kind == STATISTICS:
            yield from self._statistics(each)
        elif each.kind == SECRETS:
            self.leave_out(each)
        elif each.kind != CUSTOM_NOT_COPIED:
            yield each

    def _statistics(self, each: FileBlock) -> Iterator[FileBlock]:
        """Yield the block, unless the copy writes the times of its interface in another unit."""
        number = len(self._interfaces)
        if len(each.body) >= _NUMBER.size:
            number = self._section + _NUMBER.unpack_from(each.body)[0]
        if number < len(self._interfaces):
            code = self._interfaces[number].resolution
            if written_resolution(code) == code:
                body = _NUMBER.pack(number) + each.body[_NUMBER.size :]
                yield FileBlock(each.kind, body, each.packets, each.interfaces)
                return
        self.leave_out(each)


def packed(each: FileBlock) -> bytes:
    """Return a block as the bytes of a file."""
    return block(each.kind, each.body)


def is_needed_in_every_file(each: FileBlock) -> bool:
    """Return True for names: each file is read without the others."""
    return each.kind == NAME_RESOLUTION
