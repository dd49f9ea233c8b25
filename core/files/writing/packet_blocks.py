"""The packet blocks of a pcapng file, for a whole batch at once, in the byte order of this host.

Source: draft-ietf-opsawg-pcapng §4.3, §4.4.

`packet_layout` computes where the parts of all blocks are. `packet_blocks` copies the frames to
their places (`core.store.frame_copies`), then writes the parts between them: the fixed ones of all
blocks are rows of one array, which numpy copies as items. Only packets with options of their
own (comments, packet ids) cost a step of a loop each.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch
from core.decode.chunk import Chunk
from core.files.pcapng_options import END_OF_OPTIONS, EPB_FLAGS, packed_option
from core.files.pcapng_packets import ENHANCED_PACKET, SIMPLE_PACKET
from core.store.frame_copies import copy_frames_in_order

FLAGS_KEPT = 0x0FFF  # the bits of PacketFlag that belong to epb_flags

_WORDS = np.dtype("=u4")
_WORD = _WORDS.itemsize
_EPB_FIXED = 28  # bytes before the frame
_SPB_FIXED = 12
_TRAILER = 4
_TAIL = 4  # words at the end of a block with flags
_END = packed_option(END_OF_OPTIONS, b"")
_FLAGS_OPTION = packed_option(EPB_FLAGS, bytes(4))
(_FLAGS_HEAD,) = struct.unpack_from("=I", _FLAGS_OPTION)
_LOW = np.uint64(0xFFFF_FFFF)
_HIGH_SHIFT = np.uint64(32)
_UNPADDED = np.frombuffer(
    b"".join(bytes([0xFF] * count + [0] * (_WORD - count)) for count in (_WORD, 1, 2, 3)), _WORDS
)
"""The bytes of a frame's last word that belong to the frame, by the length modulo 4."""


@dataclass(frozen=True, slots=True, eq=False)
class PacketLayout:
    """The parts of the blocks of n packets that follow each other. All are (n,), int64, in bytes.

    A block has `length` bytes and ends at `stop`. Its frame begins at `frame` with `captured`
    bytes, is `padded` to four bytes, and precedes `option_bytes` of options. `flags` (uint16) are
    the bits that the file keeps.
    """

    captured: NDArray[np.int64]
    padded: NDArray[np.int64]
    option_bytes: NDArray[np.int64]
    length: NDArray[np.int64]
    stop: NDArray[np.int64]
    frame: NDArray[np.int64]
    flags: NDArray[np.uint16]

    @property
    def total(self) -> int:
        """The bytes of all blocks."""
        return int(self.stop[-1]) if len(self.stop) else 0


def packet_layout(
    captured: NDArray[np.integer],
    flags: NDArray[np.uint16],
    options: Mapping[int, bytes] | None = None,
    simple: NDArray[np.bool_] | None = None,
) -> PacketLayout:
    """Return the layout of the blocks that `packet_blocks` makes of k packets.

    `captured` (k,) are the lengths of the packets; `options` and `simple` are as there.
    """
    lengths = captured.astype(np.int64)
    flags = flags & np.uint16(FLAGS_KEPT)
    option_bytes = np.multiply(flags != 0, len(_FLAGS_OPTION) + len(_END), dtype=np.int64)
    for index, packed in (options or {}).items():
        if packed:
            option_bytes[index] += len(packed) if option_bytes[index] else len(packed) + len(_END)
    fixed: NDArray[np.int64] | int = _EPB_FIXED
    if simple is not None:
        fixed = np.where(simple, _SPB_FIXED, _EPB_FIXED)
        option_bytes[simple] = 0
    padded = (lengths + (_WORD - 1)) & -_WORD
    length = padded + option_bytes
    length += fixed + _TRAILER
    stop = np.cumsum(length)
    return PacketLayout(
        captured=lengths,
        padded=padded,
        option_bytes=option_bytes,
        length=length,
        stop=stop,
        frame=stop - length + fixed,
        flags=flags,
    )


def packet_blocks(
    frames: Batch | Chunk,
    rows: NDArray[np.int64] | None = None,
    *,
    interface: NDArray[np.integer] | None = None,
    stamp: NDArray[np.uint64] | None = None,
    options: Mapping[int, bytes] | None = None,
    simple: NDArray[np.bool_] | None = None,
    layout: PacketLayout | None = None,
    room: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Return the Enhanced Packet Blocks (§4.3) of all packets, or of some `rows` (k,).

    `interface` (k,) are the numbers in the section, by default those of the column. `stamp` (k,)
    uint64 are the times in the units of the interfaces, by default nanoseconds. `options` are
    packed options without an end, by index among the k packets (see `packed_option`); the flags
    word is added to them. `simple` (k,) are the packets to write as Simple Packet Blocks (§4.4),
    which have no interface, time, captured length, or options.

    `layout` is the `packet_layout`, if the caller has it. The result is in `room` if that is given
    and large enough.
    """
    part = slice(None) if rows is None else rows
    if layout is None:
        layout = packet_layout(frames.captured[part], frames.flags[part], options, simple)
    if room is None or len(room) < layout.total:
        room = np.empty(layout.total, np.uint8)
    out = room[: layout.total]
    if not layout.total:
        return out
    starts = frames.offset[part].astype(np.int64, copy=False)
    copy_frames_in_order(frames.data, starts, layout.captured, room, layout.frame)
    words = out.view(_WORDS)
    _end_frames(words, layout)
    if stamp is None:
        stamp = frames.timestamp_ns[part].astype(np.uint64)
    if interface is None:
        interface = frames.interface[part]
    parts = _fixed_parts(layout, interface, stamp, frames.original[part])
    if simple is None and layout.flags.all():
        _write_joined(words, layout.stop // _WORD, parts)
    else:
        _write_heads(words, (layout.stop - layout.length) // _WORD, parts[:-1, _TAIL:], simple)
        _write_tails(words, layout, parts[1:, :_TAIL])
    for index, packed in (options or {}).items():
        if layout.option_bytes[index]:
            begin = int(layout.frame[index] + layout.padded[index])
            out[begin : begin + len(packed)] = np.frombuffer(packed, np.uint8)
    return out


def _end_frames(words: NDArray[np.uint32], layout: PacketLayout) -> None:
    """Fill the last word of each frame with zeros behind the frame."""
    remainder = layout.captured & (_WORD - 1)
    rows = remainder.nonzero()[0]
    last = (layout.frame + layout.captured)[rows] // _WORD
    words[last] &= _UNPADDED[remainder[rows]]


def _fixed_parts(
    layout: PacketLayout,
    interface: NDArray[np.integer],
    stamp: NDArray[np.uint64],
    original: NDArray[np.uint32],
) -> NDArray[np.uint32]:
    """Return the parts between frames, words (n + 1, 11): the end of a block, and the next head.

    The end has four words: the flags word, the end of the options, and the length of the block. The
    head is the fixed part of an Enhanced Packet Block. The first row has no end, the last no head.
    """
    parts = np.empty((len(layout.length) + 1, _TAIL + _EPB_FIXED // _WORD), _WORDS)
    tails: tuple[NDArray[np.generic] | int, ...] = (_FLAGS_HEAD, layout.flags, 0, layout.length)
    for place, column in enumerate(tails):
        parts[1:, place] = column
    heads: tuple[NDArray[np.generic] | int, ...] = (
        ENHANCED_PACKET, layout.length, interface, stamp >> _HIGH_SHIFT, stamp & _LOW,
        layout.captured, original,
    )  # fmt: skip
    for place, column in enumerate(heads):
        parts[:-1, _TAIL + place] = column
    return parts


def _write_joined(
    words: NDArray[np.uint32], stop: NDArray[np.int64], parts: NDArray[np.uint32]
) -> None:
    """Write each end with the next head: all packets have flags, so they are side by side.

    The blocks end at the words `stop`.
    """
    words[: parts.shape[1] - _TAIL] = parts[0, _TAIL:]
    words[-_TAIL:] = parts[-1, :_TAIL]
    _write_rows(words, stop[:-1] - _TAIL, parts[1:-1])


def _write_heads(
    words: NDArray[np.uint32],
    at: NDArray[np.int64],
    heads: NDArray[np.uint32],
    simple: NDArray[np.bool_] | None,
) -> None:
    """Write the fixed parts of packet blocks that begin at the words `at`."""
    if simple is None:
        _write_rows(words, at, heads)
        return
    _write_rows(words, at[~simple], heads[~simple])
    short = heads[simple][:, [0, 1, -1]]  # type, length, and original length
    short[:, 0] = SIMPLE_PACKET
    _write_rows(words, at[simple], short)


def _write_tails(
    words: NDArray[np.uint32], layout: PacketLayout, tails: NDArray[np.uint32]
) -> None:
    """Write the ends of packet blocks, all but options of their own."""
    stop = layout.stop // _WORD
    flagged = (layout.flags != 0) & (layout.option_bytes > 0)
    _write_rows(words, stop[flagged] - _TAIL, tails[flagged])
    other = (layout.option_bytes > 0) & ~flagged
    _write_rows(words, stop[other] - 2, tails[other, 2:])
    without = layout.option_bytes == 0
    words[stop[without] - 1] = layout.length[without]


def _write_rows(words: NDArray[np.uint32], at: NDArray[np.int64], rows: NDArray[np.uint32]) -> None:
    """Write each row of words at its place. numpy copies items faster than words one by one."""
    if not len(rows):
        return
    size = rows.shape[1]
    rows = np.ascontiguousarray(rows)
    items: NDArray[np.void] = np.ndarray(
        (len(words) - size + 1,), f"V{size * _WORD}", words.data, 0, (_WORD,)
    )
    items[at] = rows.view(items.dtype)[:, 0]
