"""The blocks of a pcapng file from values and columns, in the byte order of this host.

Source: draft-ietf-opsawg-pcapng §4. `packet_blocks` makes the blocks of a whole batch at once: it
computes the length of every block, makes the fixed parts of all blocks as rows of one array, which
numpy then copies to their places as items, and copies the frames by classes of length
(`core.store.arena.copy_frames`). Only packets with options of their own (comments, packet ids) cost
a step of a loop each.

The other functions return one block. Times are stamps in the unit of their interface: nanoseconds
unless the description says otherwise.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch, CaptureInterface
from core.decode.chunk import Chunk
from core.files.kept_blocks import SECTION_HEADER
from core.files.pcapng import INTERFACE_DESCRIPTION, INTERFACE_STATISTICS
from core.files.pcapng_options import (
    COMMENT,
    END_OF_OPTIONS,
    EPB_FLAGS,
    IF_DESCRIPTION,
    IF_NAME,
    IF_TSOFFSET,
    IF_TSRESOL,
    SHB_USERAPPL,
    packed_option,
)
from core.files.pcapng_packets import ENHANCED_PACKET, SIMPLE_PACKET
from core.files.timestamps import written_resolution
from core.store.arena import copy_frames

APPLICATION = b"rawscope"
FLAGS_KEPT = 0x0FFF  # the bits of PacketFlag that belong to epb_flags
_MAGIC = 0x1A2B3C4D
_UNKNOWN_LENGTH = 0xFFFF_FFFF_FFFF_FFFF
_HEAD = struct.Struct("=II")
_TRAILER = struct.Struct("=I")
_OPTION = struct.Struct("=HH")
_STATISTICS = struct.Struct("=III")  # interface, time high, time low
_LONGEST_OPTION = 0xFFFC
_WORDS = np.dtype("=u4")
_EPB_FIXED = 28  # bytes before the frame
_SPB_FIXED = 12
_ISB_RECEIVED, _ISB_OS_DROPPED = 4, 7  # isb_ifrecv, isb_osdrop
_LOW = np.uint64(0xFFFF_FFFF)
_HIGH_SHIFT = np.uint64(32)

Option = tuple[int, bytes]


def section_header(options: bytes | None = None) -> bytes:
    """Return a Section Header Block (§4.1) of a section of unknown length.

    `options` are packed, without an end; by default they name rawscope.
    """
    if options is None:
        options = packed_option(SHB_USERAPPL, APPLICATION)
    body = struct.pack("=IHHQ", _MAGIC, 1, 0, _UNKNOWN_LENGTH)
    return block(SECTION_HEADER, body + options + (_END if options else b""))


def interface_description(interface: CaptureInterface) -> bytes:
    """Return an Interface Description Block (§4.2)."""
    options: list[Option] = []
    if interface.name:
        options.append((IF_NAME, _name_value(interface.name)))
    if interface.description:
        options.append((IF_DESCRIPTION, text_value(interface.description)))
    options.append((IF_TSRESOL, bytes((written_resolution(interface.resolution),))))
    if interface.offset_s:
        options.append((IF_TSOFFSET, struct.pack("=q", interface.offset_s)))
    body = struct.pack("=HxxI", interface.link_type, interface.snap_length)
    return block(INTERFACE_DESCRIPTION, body + packed_options((*options, *interface.options)))


def statistics_block(
    interface: int,
    stamp: int,
    *,
    received: int | None = None,
    dropped: int | None = None,
    comment: str = "",
) -> bytes:
    """Return an Interface Statistics Block (§4.6).

    `stamp` is the time of the counts, in the unit of the interface. `received` counts the packets
    that the interface received, and `dropped` those that the kernel dropped.
    """
    options: list[Option] = [(COMMENT, text_value(comment))] if comment else []
    for code, count in ((_ISB_RECEIVED, received), (_ISB_OS_DROPPED, dropped)):
        if count is not None:
            options.append((code, struct.pack("=Q", count)))
    high, low = divmod(stamp, 1 << 32)
    body = _STATISTICS.pack(interface, high, low)
    return block(INTERFACE_STATISTICS, body + packed_options(options))


def packet_blocks(
    frames: Batch | Chunk,
    rows: NDArray[np.int64] | None = None,
    *,
    interface: NDArray[np.integer] | None = None,
    stamp: NDArray[np.uint64] | None = None,
    options: Mapping[int, bytes] | None = None,
    simple: NDArray[np.bool_] | None = None,
    length: NDArray[np.int64] | None = None,
    room: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Return the Enhanced Packet Blocks (§4.3) of all packets, or of some `rows` (k,).

    `interface` (k,) are the numbers in the section, by default those of the column. `stamp` (k,)
    uint64 are the times in the units of the interfaces, by default nanoseconds. `options` are
    packed options without an end, by index among the k packets (see `packed_option`); the flags
    word is added to them. `simple` (k,) are the packets to write as Simple Packet Blocks (§4.4),
    which have no interface, time, captured length, or options.

    `length` (k,) are the `packet_block_bytes`, if the caller has them. The result is in `room` if
    that is given and large enough.
    """
    part = slice(None) if rows is None else rows
    captured = frames.captured[part].astype(np.int64)
    flags = frames.flags[part] & np.uint16(FLAGS_KEPT)
    if stamp is None:
        stamp = frames.timestamp_ns[part].astype(np.uint64)
    if interface is None:
        interface = frames.interface[part]
    fixed: NDArray[np.int64] | int = _EPB_FIXED
    option_bytes = _option_bytes(flags, options or {})
    if simple is not None:
        fixed = np.where(simple, _SPB_FIXED, _EPB_FIXED)
        option_bytes[simple] = 0
    padded = _padded(captured)
    if length is None:
        length = fixed + padded + option_bytes + _TRAILER.size
    stop = np.cumsum(length)
    total = int(stop[-1]) if len(stop) else 0
    out = np.empty(total, np.uint8) if room is None or len(room) < total else room[:total]
    if not total:
        return out
    start = stop - length
    words = out.view(_WORDS)
    heads = _heads(length, interface, stamp, captured, frames.original[part])
    _write_heads(words, start // _WORDS.itemsize, heads, simple)
    frame = start + fixed
    tail = (frame + padded) // _WORDS.itemsize
    words[tail[captured & 3 != 0] - 1] = 0
    _write_tails(words, stop // _WORDS.itemsize, length, flags, option_bytes)
    for index, packed in (options or {}).items():
        if option_bytes[index]:
            begin = int(tail[index]) * _WORDS.itemsize
            out[begin : begin + len(packed)] = np.frombuffer(packed, np.uint8)
    copy_frames(frames.data, frames.offset[part].astype(np.int64), captured, out, frame)
    return out


def packet_block_bytes(
    captured: NDArray[np.integer],
    flags: NDArray[np.uint16],
    options: Mapping[int, bytes] | None = None,
) -> NDArray[np.int64]:
    """Return the lengths (n,) of the Enhanced Packet Blocks that `packet_blocks` makes of packets.

    `captured` (n,) are the lengths of the packets; `options` are as for `packet_blocks`.
    """
    option_bytes = _option_bytes(flags & np.uint16(FLAGS_KEPT), options or {})
    return _EPB_FIXED + _padded(captured.astype(np.int64)) + option_bytes + _TRAILER.size


def _option_bytes(flags: NDArray[np.uint16], options: Mapping[int, bytes]) -> NDArray[np.int64]:
    """Return the lengths (n,) of the options of packet blocks, with their ends."""
    option_bytes = np.where(flags != 0, np.int64(len(_FLAGS_OPTION)), np.int64(0))
    for index, packed in options.items():
        option_bytes[index] += len(packed)
    option_bytes[option_bytes > 0] += _OPTION.size  # the end of the options
    return option_bytes


def _heads(
    length: NDArray[np.int64],
    interface: NDArray[np.integer],
    stamp: NDArray[np.uint64],
    captured: NDArray[np.int64],
    original: NDArray[np.uint32],
) -> NDArray[np.uint32]:
    """Return the fixed parts (n, 7) of Enhanced Packet Blocks."""
    heads = np.empty((len(length), _EPB_FIXED // _WORDS.itemsize), _WORDS)
    columns: tuple[NDArray[np.generic] | int, ...] = (
        ENHANCED_PACKET, length, interface, stamp >> _HIGH_SHIFT, stamp & _LOW, captured, original
    )  # fmt: skip
    for place, column in enumerate(columns):
        heads[:, place] = column
    return heads


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
    words: NDArray[np.uint32],
    stop: NDArray[np.int64],
    length: NDArray[np.int64],
    flags: NDArray[np.uint16],
    option_bytes: NDArray[np.int64],
) -> None:
    """Write the ends of packet blocks that end at the words `stop`, all but options of their own.

    The flags word, the end of the options, and the length of the block are the last four words.
    """
    tails = np.zeros((len(stop), 4), _WORDS)
    tails[:, 0], tails[:, 1], tails[:, 3] = _FLAGS_HEAD, flags, length
    having = option_bytes > 0
    flagged = having & (flags != 0)
    if flagged.all():
        _write_rows(words, stop - 4, tails)
        return
    _write_rows(words, stop[flagged] - 4, tails[flagged])
    other = having & ~flagged
    _write_rows(words, stop[other] - 2, tails[other, 2:])
    words[stop[~having] - 1] = length[~having]


def _write_rows(words: NDArray[np.uint32], at: NDArray[np.int64], rows: NDArray[np.uint32]) -> None:
    """Write each row of words at its place. numpy copies items faster than words one by one."""
    if not len(rows):
        return
    size = rows.shape[1]
    rows = np.ascontiguousarray(rows)
    items: NDArray[np.void] = np.ndarray(
        (len(words) - size + 1,), f"V{size * _WORDS.itemsize}", words.data, 0, (_WORDS.itemsize,)
    )
    items[at] = rows.view(items.dtype)[:, 0]


def packed_options(options: Iterable[Option]) -> bytes:
    """Return packed options with their end; empty without any."""
    packed = b"".join(packed_option(code, value) for code, value in options)
    return packed + _END if packed else b""


def comment_options(comments: Iterable[str]) -> bytes:
    """Return packed comments, without an end."""
    return b"".join(packed_option(COMMENT, text_value(comment)) for comment in comments)


def text_value(text: str) -> bytes:
    """Encode a text as UTF-8 (§3.5.1), as far as an option has room.

    Lone surrogates become escape sequences.
    """
    encoded = text.encode("utf-8", "backslashreplace")
    if len(encoded) <= _LONGEST_OPTION:
        return encoded
    return encoded[:_LONGEST_OPTION].decode("utf-8", "ignore").encode()  # no half character


def _name_value(name: str) -> bytes:
    """Encode the name of an interface, with the bytes that the kernel has beside UTF-8."""
    try:
        return name.encode("utf-8", "surrogateescape")[:_LONGEST_OPTION]
    except UnicodeEncodeError:
        return text_value(name)


def block(kind: int, body: bytes) -> bytes:
    """Return a block of any type; its body is padded to four bytes."""
    body += bytes(-len(body) & 3)
    length = _HEAD.size + len(body) + _TRAILER.size
    return _HEAD.pack(kind, length) + body + _TRAILER.pack(length)


def _padded(length: NDArray[np.int64]) -> NDArray[np.int64]:
    return (length + 3) & ~3


_END = packed_option(END_OF_OPTIONS, b"")
_FLAGS_OPTION = packed_option(EPB_FLAGS, bytes(4))
(_FLAGS_HEAD,) = struct.unpack_from("=I", _FLAGS_OPTION)
