"""Read a whole run of pcapng packet blocks at once.

Source: draft-ietf-opsawg-pcapng §4.3 (Enhanced), §4.4 (Simple), appendix A (obsolete Packet Block).
A run is a list of block positions in one section that `core.files.pcapng` found: each block lies
wholly inside the window and is not shorter than its fixed part. This module checks everything else,
for the run as a whole; the first block that contradicts itself ends the run.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch
from core.files.pcapng_options import FurtherOptions, PacketComments, read_packet_options
from core.files.step import invalid_flags, maximum_packet, unaligned
from core.files.timestamps import FAR, Resolution, nanoseconds
from core.wire.model.dissection import PacketFlag

PACKET = 2
SIMPLE_PACKET = 3
ENHANCED_PACKET = 6
_FIXED: dict[int, tuple[tuple[str, str], ...]] = {
    ENHANCED_PACKET: (
        ("kind", "u4"),
        ("length", "u4"),
        ("interface", "u4"),
        ("stamp_high", "u4"),
        ("stamp_low", "u4"),
        ("captured", "u4"),
        ("original", "u4"),
    ),
    PACKET: (
        ("kind", "u4"),
        ("length", "u4"),
        ("interface", "u2"),
        ("drops", "u2"),
        ("stamp_high", "u4"),
        ("stamp_low", "u4"),
        ("captured", "u4"),
        ("original", "u4"),
    ),
    SIMPLE_PACKET: (("kind", "u4"), ("length", "u4"), ("original", "u4")),
}
# The bytes before the frame, for each kind of packet block.
PACKET_BLOCKS = {kind: np.dtype(list(fields)).itemsize for kind, fields in _FIXED.items()}

_TRAILER = 4
_EPB_FLAGS_KEPT = 0x0FFF  # the other bits are rawscope's, or link errors; see PacketFlag
_NO_LIMIT = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Interface:
    """The properties of an interface description that its packets need.

    `index` counts over the whole file. `resolution` is the ``if_tsresol`` byte, `offset_s` is
    ``if_tsoffset``, `fcs_bits` is ``if_fcslen``.
    """

    index: int
    link_type: int
    snap_length: int
    resolution: int
    offset_s: int
    fcs_bits: int


class Section:
    """The interfaces of one section as columns that packets index by their interface number."""

    def __init__(self) -> None:
        self._columns = {name: array("q") for name in _SECTION_COLUMNS}

    def __len__(self) -> int:
        return len(self._columns["index"])

    def add(self, interface: Interface) -> None:
        """Add the next interface of the section."""
        fcs_flag = interface.fcs_bits // 8 << PacketFlag.FCS_SHIFT
        self._columns["index"].append(interface.index)
        self._columns["maximum"].append(maximum_packet(interface.link_type))
        self._columns["snap_length"].append(interface.snap_length or _NO_LIMIT)
        self._columns["resolution"].append(interface.resolution)
        self._columns["offset_s"].append(max(-FAR, min(FAR, interface.offset_s)))
        self._columns["fcs_flag"].append(fcs_flag if fcs_flag <= PacketFlag.FCS_MASK else 0)

    def column(self, name: str, interface: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return one property of the interface of every packet, int64; 0 for an unknown interface.

        The shape is (n,), or (1,) if the section has only one interface.
        """
        values = np.frombuffer(self._columns[name], np.int64)
        if len(values) == 1 and not interface.any():
            return values
        known = interface < len(values)
        if known.all():
            return values[interface]
        result = np.zeros(len(interface), np.int64)
        result[known] = values[interface[known]]
        return result


_SECTION_COLUMNS = ("index", "maximum", "snap_length", "resolution", "offset_s", "fcs_flag")


@dataclass(frozen=True, slots=True)
class Run:
    """The packets of a run up to the first bad block, and the reason why that one is bad.

    `stop` is the byte after the last block of the run. `unread` is the index of the first block
    that has more options than are read.
    """

    batch: Batch
    stop: int
    reason: str
    unread: int | None


def read_packets(
    window: NDArray[np.uint8], positions: NDArray[np.int64], order: str, section: Section
) -> Run:
    """Read the blocks at `positions` (n ≥ 1, int64) of `window`. Never raises for content."""
    blocks = _read_headers(window, positions, order)
    is_simple = blocks["kind"] == SIMPLE_PACKET
    if is_simple.any():
        snap_length = section.column("snap_length", blocks["interface"])
        blocks["captured"] = np.where(
            is_simple, np.minimum(blocks["original"], snap_length), blocks["captured"]
        )
    frame = positions + blocks["fixed"]
    frame_end = frame + _padded(blocks["captured"])
    block_end = positions + _padded(blocks["length"])
    good, reason = _first_bad(window, blocks, frame_end, block_end, order, section)
    options_end = block_end - _TRAILER
    options = np.where(is_simple, options_end, frame_end)  # a simple packet has no options
    found = read_packet_options(window, options[:good], options_end[:good], order)
    if found.bad is not None:
        good, reason = found.bad, f"a packet block cannot be read: {found.reason}"
    kept = slice(good)
    interface = blocks["interface"][kept]
    timestamp, invalid = _times(blocks["stamp"][kept], interface, section)
    timestamp[is_simple[kept]] = 0  # marked invalid: no time at all; see `is_timed`
    flags = _flags(found.flags[kept], section.column("fcs_flag", interface))
    captured = blocks["captured"][kept].astype(np.uint32)
    original = blocks["original"][kept].astype(np.uint32)
    flags |= invalid_flags(invalid | is_simple[kept], captured > original)
    commented = [index for index in found.commented if index < good]
    further = [index for index in found.further if index < good]
    batch = Batch(
        data=window,
        offset=frame[kept],
        captured=captured,
        original=original,
        timestamp_ns=timestamp,
        interface=np.full(len(interface), section.column("index", interface), np.uint16),
        flags=flags,
        stable=True,
        comments=PacketComments(window, options, options_end, order, commented),
        options=FurtherOptions(window, options, options_end, order, further),
    )
    unread = found.unread if found.unread is not None and found.unread < good else None
    return Run(batch, int(block_end[-1]), reason, unread)


def _read_headers(
    window: NDArray[np.uint8], positions: NDArray[np.int64], order: str
) -> dict[str, NDArray[Any]]:
    """Return the fixed parts as columns: int64, but ``stamp`` uint64.

    A field that a kind of block lacks is 0.
    """
    kinds = unaligned(window, np.dtype([("kind", order + "u4")]))["kind"][positions]
    names = ("kind", "length", "interface", "captured", "original", "fixed")
    if (kinds == ENHANCED_PACKET).all():
        return _read_alike(window, positions, ENHANCED_PACKET, order)
    columns: dict[str, NDArray[Any]] = {name: np.zeros(len(kinds), np.int64) for name in names}
    columns["stamp"] = np.zeros(len(kinds), np.uint64)
    for kind in _FIXED:
        where = np.flatnonzero(kinds == kind)
        if not len(where):
            continue
        alike = _read_alike(window, positions[where], kind, order)
        for name, values in alike.items():
            if name in columns:
                columns[name][where] = values
    return columns


def _read_alike(
    window: NDArray[np.uint8], positions: NDArray[np.int64], kind: int, order: str
) -> dict[str, NDArray[Any]]:
    """Return `_read_headers` of blocks of one kind, without columns that the kind lacks."""
    layout = np.dtype([(name, order + width) for name, width in _FIXED[kind]])
    heads = unaligned(window, layout)[positions]
    columns: dict[str, NDArray[Any]] = {
        name: heads[name].astype(np.int64) for name, _ in _FIXED[kind] if "stamp" not in name
    }
    columns["fixed"] = np.broadcast_to(np.int64(layout.itemsize), len(heads))
    if kind != SIMPLE_PACKET:
        high = heads["stamp_high"].astype(np.uint64)
        columns["stamp"] = high << np.uint64(32) | heads["stamp_low"]
    return columns


def _first_bad(
    window: NDArray[np.uint8],
    blocks: dict[str, NDArray[Any]],
    frame_end: NDArray[np.int64],
    block_end: NDArray[np.int64],
    order: str,
    section: Section,
) -> tuple[int, str]:
    """Return the number of consistent blocks, and what is wrong with the next one, if any."""
    trailers = unaligned(window, np.dtype([("length", order + "u4")]))["length"]
    captured, interface = blocks["captured"], blocks["interface"]
    faults = {
        "does not repeat its length at its end": _padded(
            trailers[block_end - _TRAILER].astype(np.int64)
        )
        != _padded(blocks["length"]),
        "names interface {interface}, which was not described": interface >= len(section),
        "is too short for its {captured} captured bytes": frame_end > block_end - _TRAILER,
        "has {captured} captured bytes, more than a packet can have": captured
        > section.column("maximum", interface),
    }
    good, reason = len(block_end), ""
    for fault, bad in faults.items():
        first = int(bad.argmax())
        if bad[first] and first < good:
            values = {"captured": captured[first], "interface": interface[first]}
            good, reason = first, f"a packet block {fault.format_map(values)}"
    return good, reason


def _times(
    stamp: NDArray[np.uint64], interface: NDArray[np.int64], section: Section
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Convert stamps to (timestamp_ns, invalid) by their interfaces' resolution and offset."""
    codes = section.column("resolution", interface)
    offset_s = section.column("offset_s", interface)
    if len(codes) and codes.min() == codes.max():
        seconds, fraction = Resolution.of(int(codes[0])).split(stamp)
        return nanoseconds(seconds + offset_s, fraction)
    seconds = np.zeros(len(stamp), np.int64)
    fraction = np.zeros(len(stamp), np.int64)
    for code in np.unique(codes).tolist():
        where = codes == code
        seconds[where], fraction[where] = Resolution.of(code).split(stamp[where])
    return nanoseconds(seconds + offset_s, fraction)


def _flags(words: NDArray[np.uint32], fcs_flag: NDArray[np.int64]) -> NDArray[np.uint16]:
    """Return ``epb_flags`` words as `PacketFlag` bits.

    A word without an FCS length gets the length of its interface.
    """
    flags = (words & _EPB_FLAGS_KEPT).astype(np.uint16)
    lacks_length = flags & np.uint16(PacketFlag.FCS_MASK) == 0
    return np.where(lacks_length, flags | fcs_flag.astype(np.uint16), flags)


def _padded(length: NDArray[np.int64]) -> NDArray[np.int64]:
    return length + (-length & 3)
