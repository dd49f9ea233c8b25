"""Blocks of a pcapng file, besides packets and interfaces, that are kept to be written again.

A file may consist of such blocks alone, so their memory and their number are bounded. The parser
notes once that something was left out. The bytes are copies in the byte order of this host.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.decode.batch import FileBlock
from core.files.byte_order import (
    HOST,
    INTERFACE_OPTIONS,
    SECTION_OPTIONS,
    native_body,
    native_value,
)
from core.files.pcapng_options import BadOptionError, OptionReader, packed_option

SECTION_HEADER = 0x0A0D0D0A
LONGEST_KEPT = 16 << 20  # bytes of one block
_MOST_BYTES = 64 << 20  # of all blocks and options of interfaces
_OVERHEAD = 256  # bytes of memory for each


class KeptBlocks:
    """The list `blocks`, in the order of the file. `left_out` is True once one had no room."""

    def __init__(self) -> None:
        self.blocks: list[FileBlock] = []
        self.left_out = False
        self._room = _MOST_BYTES

    def has_room(self, length: int) -> bool:
        """Return True if a block of this length will be kept."""
        return length <= LONGEST_KEPT and length + _OVERHEAD <= self._room

    def add(self, kind: int, body: memoryview, order: str, packets: int, interfaces: int) -> None:
        """Keep a block after so many packets and interfaces, if there is room."""
        if not self._take(len(body)):
            return
        try:
            native = native_body(kind, bytes(body), order)
        except ValueError:
            self.left_out = True
            return
        self.blocks.append(FileBlock(kind, native, packets, interfaces))

    def add_section(
        self, view: memoryview, start: int, stop: int, order: str, packets: int, interfaces: int
    ) -> None:
        """Begin a section with the options between two bytes; keep none if they are damaged."""
        options = b""
        try:
            if self._take(stop - start):
                for code, value in OptionReader(view, start, stop, order):
                    native = native_value(code, bytes(value), order, SECTION_OPTIONS)
                    options += packed_option(code, native)
        except BadOptionError:
            options = b""
        self.blocks.append(FileBlock(SECTION_HEADER, options, packets, interfaces))

    def options_of_interface(
        self, options: Sequence[tuple[int, memoryview]], order: str
    ) -> tuple[tuple[int, bytes], ...]:
        """Return further options of an interface, or none if there is no room."""
        values = [(code, bytes(value)) for code, value in options]
        if not values or not self._take(sum(len(value) for _, value in values)):
            return ()
        if order != HOST:
            values = [(c, native_value(c, value, order, INTERFACE_OPTIONS)) for c, value in values]
        return tuple(values)

    def _take(self, length: int) -> bool:
        """Take room for something of this length; return False if it is used up."""
        if not self.has_room(length):
            self.left_out = True
            return False
        self._room -= length + _OVERHEAD
        return True
