"""The header of a classic pcap file, and the layout of its record headers.

* The magic number gives the byte order and the unit of the sub-second field.
* Only the low 16 bits of the last header word are the link type. If bit 26 is set, the top four
  bits are the length of the frame check sequence in units of 16 bits.
* Some systems wrote longer record headers, with the same or with their own magic number
  (Kuznetzov's patches, Nokia). Like Wireshark, `choose_variant` tries each layout on the first
  three records and takes the one with the fewest contradictions.

Source: draft-ietf-opsawg-pcap; pcap-savefile(5); Wireshark's wiretap/libpcap.c.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.files import formats
from core.files.formats import RefusalError
from core.files.step import maximum_packet
from core.wire.link.link_types import LinkType
from core.wire.model.dissection import PacketFlag

_FILE_HEADER = "IHHiIII"  # magic, major, minor, zone, figures, snap length, network

_LINK_TYPE_MASK = 0xFFFF
_RESERVED = 0x0BFF_0000
FCS_PRESENT = 0x0400_0000
FCS_WORDS_SHIFT = 28

# AIX wrote version 2.2, nanoseconds, and RFC 1573 interface types instead of link types.
_AIX_LINK_TYPES = {6: LinkType.ETHERNET, 9: 6, 15: 10, 24: LinkType.NULL}


@dataclass(frozen=True, slots=True)
class Variant:
    """A layout of the record header: `extra` bytes follow the four common words.

    In `patched` layouts, these begin with interface index (32 bits), protocol (16) and packet type
    (8).
    """

    name: str
    extra: int = 0
    patched: bool = False


STANDARD = Variant("standard")
_NOKIA = Variant("Nokia", 4)
_VARIANTS = {
    formats.MICROSECONDS: (STANDARD, Variant("patched 1999-04-17", 8, patched=True), _NOKIA),
    formats.MODIFIED: (
        Variant("patched 1999-10-29", 8, patched=True),
        Variant("patched 1999-09-15", 12, patched=True),
    ),
}


@dataclass(frozen=True, slots=True)
class FileHeader:
    """The values of a file header. `order` is ``"<"`` or ``">"``, `length` is in bytes."""

    magic: int
    order: str
    version: tuple[int, int]
    snap_length: int
    network: int
    length: int

    @property
    def is_aix(self) -> bool:
        """True if AIX wrote the file."""
        is_version = (self.magic, self.version) == (formats.MICROSECONDS, (2, 2))
        return is_version and self.network in _AIX_LINK_TYPES

    @property
    def link_type(self) -> int:
        """The link type of every packet."""
        if self.is_aix:
            return _AIX_LINK_TYPES[self.network]
        return self.network & _LINK_TYPE_MASK

    @property
    def reserved(self) -> int:
        """The bits of the last word that the format does not define."""
        return self.network & _RESERVED

    @property
    def unit_ns(self) -> int:
        """The unit of the sub-second field in nanoseconds."""
        fine = self.magic in (formats.NANOSECONDS, formats.IXIA_NANOSECONDS)
        return 1 if fine or self.is_aix else 1000

    @property
    def fcs_flag(self) -> int:
        """The length of the frame check sequence as `PacketFlag` bits; 0 if absent or too long."""
        length = (self.network >> FCS_WORDS_SHIFT) * 2 if self.network & FCS_PRESENT else 0
        flag = length << PacketFlag.FCS_SHIFT
        return flag if flag <= PacketFlag.FCS_MASK else 0


def read_file_header(head: bytes) -> FileHeader:
    """Return the file header at the beginning of `head`. Raises `RefusalError`."""
    found = formats.pcap_magic(head)
    if found is None:
        raise RefusalError("not a pcap file")
    magic, order = found
    layout = struct.Struct(order + _FILE_HEADER)
    length = layout.size
    if magic in (formats.IXIA_NANOSECONDS, formats.IXIA_MICROSECONDS):
        length += 4  # the total length of the records, which is not used
    if len(head) < length:
        raise RefusalError(
            f"the pcap file header is cut short: it has {len(head)} of {length} bytes; "
            "fetch or capture the file again"
        )
    _, major, minor, _, _, snap_length, network = layout.unpack_from(head)
    if major < 2:
        raise RefusalError(
            f"pcap version {major}.{minor} is not supported, only 2.0 and later; "
            "check that the file was copied as binary"
        )
    return FileHeader(magic, order, (major, minor), snap_length, network, length)


def choose_variant(file: FileHeader, head: NDArray[np.uint8]) -> tuple[Variant, bool]:
    """Return the layout with the fewest contradictions in `head`, and True if it is the usual one.

    `head` is the beginning of the file (uint8). If it holds no records, as on a pipe that must not
    wait, the usual layout is returned.
    """
    variants = _VARIANTS.get(file.magic, (STANDARD,))
    if file.version < (2, 4) or file.version[0] == 543:
        return STANDARD, True
    if len(head) <= file.length:
        return variants[0], True
    best = min(variants, key=lambda variant: _contradictions(file, variant, head))
    return best, best is variants[0]


def _contradictions(file: FileHeader, variant: Variant, head: NDArray[np.uint8]) -> int:
    """Return the number of implausible values in the first three records, read as `variant`.

    The checks are those of Wireshark's libpcap_try_record (wiretap/libpcap.c), so both programs
    choose the same layout.
    """
    common = struct.Struct(file.order + "4I")
    patch = struct.Struct(file.order + "IHB")
    maximum = maximum_packet(file.link_type)
    view = head.data
    wrong: int = 0
    position = file.length
    for _ in range(3):
        if position == len(head):
            break
        if position + common.size + variant.extra > len(head):
            return wrong + 1
        _, fraction, captured, original = common.unpack_from(view, position)
        position += common.size
        wrong += fraction >= 1_000_000
        wrong += captured > maximum
        wrong += captured > file.snap_length
        wrong += original > 128 << 20
        wrong += captured > original
        if variant.patched:
            interface, protocol, packet_type = patch.unpack_from(view, position)
            wrong += interface > 10_000
            wrong += not _is_protocol(protocol)
            wrong += packet_type > 4
        if variant is _NOKIA:
            (mark,) = struct.unpack_from(file.order + "I", view, position)
            wrong += not _is_nokia(mark)
        position += variant.extra + captured
        if captured > maximum:
            break
        if position > len(head):
            return wrong + 1
    return wrong


def _is_protocol(number: int) -> bool:
    """Return True for an EtherType or one of Linux's own ETH_P_ numbers (linux/if_ether.h)."""
    return number >= 0x0600 or number <= 0x0017 or number in (0x0060, 0x0200, 0x0400)


def _is_nokia(mark: int) -> bool:
    """Return True if the word after a Nokia record header matches 0x[9b]fbf[bd][69]0[12]."""
    return (
        mark & 0x0FFF00F0 == 0x0FBF0000
        and mark >> 28 in (0x9, 0xB)
        and mark >> 12 & 0xF in (0xB, 0xD)
        and mark >> 8 & 0xF in (0x6, 0x9)
        and mark & 0xF in (1, 2)
    )
