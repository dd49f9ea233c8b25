"""Classic pcap files: one file header, then records of a small header and a frame.

Theory (draft-ietf-opsawg-pcap; pcap-savefile(5))
-------------------------------------------------
* The magic number gives the byte order and the unit of the sub-second field. Seconds are
  unsigned here: they last until 2106.
* Only the low 16 bits of the last header word are the link type. Bit 26 says that the top
  four bits count the frame check sequence in units of 16 bits.
* The two lengths were the other way round before version 2.3, in version 2.3 by some writers,
  and in DG/UX's 543.0. Where it may be either, the greater is the original length.
* Some systems wrote longer record headers, with the same or with their own magic number
  (Kuznetzov's patches, Nokia). As Wireshark does, each layout is tried on the first three
  records, and the one that contradicts itself least is taken.
* A captured length beyond `maximum_packet` is never believed: nothing after it can be found.

Frames are found by walking the lengths, the one thing that needs a loop; everything else is
gathered for the whole batch from an unaligned view over the record headers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from core.files import formats
from core.files.formats import RefusalError
from core.files.step import Step, maximum_packet, odd_flags, unaligned
from core.files.timestamps import nanoseconds
from core.store.batch import Batch, CaptureInterface
from core.wire.dissection import PacketFlag
from core.wire.link import LinkType

_FILE_HEADER = "IHHiIII"  # magic, major, minor, zone, figures, snap length, network
_RECORD_HEADER = ("seconds", "fraction", "captured", "original")  # four 32-bit words

_LINK_TYPE_MASK = 0xFFFF
_RESERVED = 0x0BFF_0000
_FCS_PRESENT = 0x0400_0000
_FCS_WORDS_SHIFT = 28

# AIX wrote version 2.2, nanoseconds, and RFC 1573 interface types instead of link types.
_AIX_LINK_TYPES = {6: LinkType.ETHERNET, 9: 6, 15: 10, 24: LinkType.NULL}


@dataclass(frozen=True, slots=True)
class Variant:
    """A layout of the record header: `extra` bytes follow the four common words.

    `patched` ones begin with interface index (32 bits), protocol (16) and packet type (8).
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
class _FileHeader:
    magic: int
    order: str  # "<" or ">"
    version: tuple[int, int]
    snap_length: int
    network: int
    length: int

    @property
    def is_aix(self) -> bool:
        told = (self.magic, self.version) == (formats.MICROSECONDS, (2, 2))
        return told and self.network in _AIX_LINK_TYPES

    @property
    def link_type(self) -> int:
        if self.is_aix:
            return _AIX_LINK_TYPES[self.network]
        return self.network & _LINK_TYPE_MASK

    @property
    def unit_ns(self) -> int:
        fine = self.magic in (formats.NANOSECONDS, formats.IXIA_NANOSECONDS)
        return 1 if fine or self.is_aix else 1000

    @property
    def fcs_flag(self) -> int:
        """The frame check sequence's length as `PacketFlag` bits; 0 if not told or too long."""
        length = (self.network >> _FCS_WORDS_SHIFT) * 2 if self.network & _FCS_PRESENT else 0
        flag = length << PacketFlag.FCS_SHIFT
        return flag if flag <= PacketFlag.FCS_MASK else 0


class PcapParser:
    """A pcap file's records; see `core.files.step.Parser`.

    `head` is the file's beginning, the file header at least. With `settled` it holds some
    records too, or all there are, so that the record layouts can be tried on it; without,
    as on a pipe that must not wait, the usual layout is taken. Raises `RefusalError` when the
    header is cut short or of a version that cannot be read.
    """

    format = "pcap"

    def __init__(self, head: NDArray[np.uint8], settled: bool) -> None:
        header = _read_file_header(bytes(head[:28]))
        self.header_length = header.length
        self.interfaces = [CaptureInterface("", header.link_type, header.snap_length)]
        self.notes: list[str] = []
        if reserved := header.network & _RESERVED:
            self.notes.append(f"reserved bits {reserved:#010x} of the link type were ignored")
        self._file = header
        self._maximum = maximum_packet(header.link_type)
        self._either_way = header.version == (2, 3)
        swapped = header.version < (2, 3) or header.version[0] == 543
        self.variant = self._choose_variant(head if settled else head[:0])
        names = ("seconds", "fraction", "original", "captured") if swapped else _RECORD_HEADER
        self._fields = np.dtype([(name, header.order + "u4") for name in names])
        self._record = self._fields.itemsize + self.variant.extra
        self._captured = _length_reader(header.order, swapped, self._either_way)

    def _choose_variant(self, head: NDArray[np.uint8]) -> Variant:
        variants = _VARIANTS.get(self._file.magic, (STANDARD,))
        if self._file.version < (2, 4) or self._file.version[0] == 543:
            return STANDARD
        if len(head) <= self.header_length:
            return variants[0]
        best = min(variants, key=lambda variant: _contradictions(self._file, variant, head))
        if best is not variants[0]:
            self.notes.append(f"the record headers read as {best.name}, not as the usual pcap")
        return best

    def parse(self, window: NDArray[np.uint8], start: int, limit: int, origin: int) -> Step:
        """Read at most `limit` records; see `Parser.parse`."""
        view = window.data
        walk = self._walk(view, start, len(window))
        positions = np.fromiter(islice(walk, limit), np.int64)
        if len(positions):
            batch = self._batch(window, positions)
            return Step(batch, int(batch.offset[-1]) + int(batch.captured[-1]))
        if len(window) - start < self._record:
            return Step(None, start, needed=self._record)
        (captured,) = self._captured(view, start)
        if captured > self._maximum:
            fault = (
                f"damaged at byte {origin + start}: the record claims {captured} captured bytes, "
                f"more than the {self._maximum} a packet can have"
            )
            return Step(None, start, fault=fault)
        return Step(None, start, needed=self._record + captured)

    def _walk(self, view: memoryview, position: int, end: int) -> Iterator[int]:
        """The position of every whole record from `position` on."""
        record, maximum, read_captured = self._record, self._maximum, self._captured
        last = end - record
        while position <= last:
            (captured,) = read_captured(view, position)
            after = position + record + captured
            if captured > maximum or after > end:
                return
            yield position
            position = after

    def _batch(self, window: NDArray[np.uint8], positions: NDArray[np.int64]) -> Batch:
        heads = unaligned(window, self._fields)[positions]
        captured = heads["captured"].astype(np.uint32)
        original = heads["original"].astype(np.uint32)
        if self._either_way:
            captured, original = np.minimum(captured, original), np.maximum(captured, original)
        fraction = heads["fraction"].astype(np.int64) * self._file.unit_ns
        timestamp, odd = nanoseconds(heads["seconds"].astype(np.int64), fraction)
        flags = np.full(len(positions), self._file.fcs_flag, np.uint16)
        flags |= odd_flags(odd, captured > original)
        return Batch(
            data=window,
            offset=positions + self._record,
            captured=captured,
            original=original,
            timestamp_ns=timestamp,
            interface=np.zeros(len(positions), np.uint16),
            flags=flags,
            stable=True,
        )


def _read_file_header(head: bytes) -> _FileHeader:
    found = formats.pcap_magic(head)
    if found is None:
        raise RefusalError("not a pcap file")
    magic, order = found
    layout = struct.Struct(order + _FILE_HEADER)
    length = layout.size
    if magic in (formats.IXIA_NANOSECONDS, formats.IXIA_MICROSECONDS):
        length += 4  # the total length of the records, which their headers tell better
    if len(head) < length:
        raise RefusalError(
            f"the pcap file header is cut short: {len(head)} of its {length} bytes are there; "
            "fetch or capture the file again"
        )
    _, major, minor, _, _, snap_length, network = layout.unpack_from(head)
    if major < 2:
        raise RefusalError(
            f"pcap version {major}.{minor} cannot be read, only 2.0 and later; "
            "check that the file was not altered on its way"
        )
    return _FileHeader(magic, order, (major, minor), snap_length, network, length)


def _length_reader(
    order: str, swapped: bool, either_way: bool
) -> Callable[[memoryview, int], tuple[int]]:
    """A function from buffer and record position to the captured length, in a 1-tuple.

    The tuple is `Struct.unpack_from`'s own, which is the fastest reader there is.
    """
    if not either_way:
        return struct.Struct(order + ("12xI" if swapped else "8xI")).unpack_from
    both = struct.Struct(order + "8xII").unpack_from
    return lambda view, position: (min(both(view, position)),)


def _contradictions(file: _FileHeader, variant: Variant, head: NDArray[np.uint8]) -> int:
    """How many things make no sense in the first three records, read as `variant`.

    The tests are those of Wireshark's libpcap_try_record (wiretap/libpcap.c), so that both
    programs settle on the same layout.
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
    """An EtherType, or one of Linux's own ETH_P_ numbers (linux/if_ether.h)."""
    return number >= 0x0600 or number <= 0x0017 or number in (0x0060, 0x0200, 0x0400)


def _is_nokia(mark: int) -> bool:
    """The word after a Nokia record header, of the form 0x[9b]fbf[bd][69]0[12] as far as seen."""
    return (
        mark & 0x0FFF00F0 == 0x0FBF0000
        and mark >> 28 in (0x9, 0xB)
        and mark >> 12 & 0xF in (0xB, 0xD)
        and mark >> 8 & 0xF in (0x6, 0x9)
        and mark & 0xF in (1, 2)
    )
