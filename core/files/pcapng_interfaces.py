"""Read the Interface Description Blocks of a pcapng file (draft-ietf-opsawg-pcapng §4.2).

A file may hold a million descriptions with any options, so all of them together share bounds: of
options that are read, of characters of names, and of bytes that are kept to be written again.
"""

from __future__ import annotations

import struct

from core.decode.batch import MICROSECONDS, CaptureInterface
from core.files import pcapng_options as options
from core.files.kept_blocks import KeptBlocks
from core.files.pcapng_packets import Interface
from core.files.timestamps import FAR_OFFSET_S
from core.store.interface_numbers import MORE, OWN, InterfaceNumbers

_MAXIMUM_TEXT = 4 << 20  # characters of all interfaces' names and descriptions together
_OPTIONS_EACH = 16  # options that are read of every interface description
_MAXIMUM_OPTIONS = 1 << 14  # options beyond those, of all descriptions together


class InterfaceDescriptions:
    """The list `interfaces` of a file. Adds to `notes` what it does not read."""

    def __init__(self, kept: KeptBlocks, notes: list[str]) -> None:
        self._numbers = InterfaceNumbers()
        self.interfaces = self._numbers.interfaces
        self._kept, self._notes = kept, notes
        self._text_room = _MAXIMUM_TEXT
        self._options_room = _MAXIMUM_OPTIONS
        self._noted_unread = False
        self._noted_shared = False  # noted that interfaces share a number

    def read(self, view: memoryview, position: int, stop: int, order: str) -> Interface:
        """Add the interface of the block at `position`, whose options end at `stop`.

        Return what its packets need. Raise `ValueError` if the block cannot be read.
        """
        link_type, snap_length = struct.unpack_from(order + "HxxI", view, position + 8)
        name, description, resolution, offset_s, fcs_bits = "", "", MICROSECONDS, 0, 0
        further: list[tuple[int, memoryview]] = []
        most = min(options.MOST_OPTIONS, _OPTIONS_EACH + self._options_room)
        found = options.OptionReader(view, position + 16, stop, order, most)
        try:
            for count, (code, value) in enumerate(found):
                self._options_room -= count >= _OPTIONS_EACH
                match code, len(value):
                    case options.IF_NAME, _:
                        name = options.text(value)
                    case options.IF_DESCRIPTION, _:
                        description = options.text(value)
                    case options.IF_TSRESOL, 1:
                        resolution = value[0]
                    case options.IF_TSOFFSET, 8:
                        (offset_s,) = struct.unpack(order + "q", value)
                    case ((options.IF_TSRESOL | options.IF_TSOFFSET), _):
                        pass  # of no known meaning
                    case options.IF_FCSLEN, 1:
                        fcs_bits = value[0]
                        further.append((code, value))
                    case _:
                        further.append((code, value))
        except options.BadOptionError as error:
            raise ValueError(f"an interface description cannot be read: {error}") from None
        if found.unread:
            self.note_unread(f"the description of interface {len(self.interfaces)}", most)
        name, description = self._bounded(name, description)
        described = CaptureInterface(
            name,
            link_type,
            snap_length,
            description,
            resolution,
            offset_s if abs(offset_s) < FAR_OFFSET_S else 0,
            self._kept.options_of_interface(further, order),
        )
        number = self._number(described)
        return Interface(number, link_type, snap_length, resolution, offset_s, fcs_bits)

    def note_unread(self, block: str, most: int = options.MOST_OPTIONS) -> None:
        """Note once that some options of a block are not read."""
        if not self._noted_unread:
            self._noted_unread = True
            self._notes.append(
                f"{block} has more than {most:,} options: "
                "further options, in this block and in later ones, are not read"
            )

    def _bounded(self, name: str, description: str) -> tuple[str, str]:
        """Return the texts, or empty ones if all texts together are too long."""
        if len(name) + len(description) > self._text_room:
            if self._text_room:
                self._notes.append(
                    f"the names of interfaces from number {len(self.interfaces)} on were left "
                    f"out: all names together exceed {_MAXIMUM_TEXT:,} characters"
                )
            name, description, self._text_room = "", "", 0
        self._text_room -= len(name) + len(description)
        return name, description

    def _number(self, interface: CaptureInterface) -> int:
        """Return the interface's number in the file; note once that some share a number."""
        number = self._numbers.add(interface)
        if number >= OWN and not self._noted_shared:
            self._noted_shared = True
            self._notes.append(
                f"there are more than {OWN:,} interfaces: all further ones are named {MORE!r}"
            )
        return number
