"""The blocks of a pcapng file that are not packets, in the byte order of this host.

Source: draft-ietf-opsawg-pcapng §4. Each function returns one block; `packet_blocks` makes those of
packets. Times are stamps in the unit of their interface: nanoseconds unless the description says
otherwise.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from core.decode.batch import CaptureInterface
from core.files.kept_blocks import SECTION_HEADER
from core.files.pcapng import INTERFACE_DESCRIPTION, INTERFACE_STATISTICS
from core.files.pcapng_options import (
    COMMENT,
    END_OF_OPTIONS,
    IF_DESCRIPTION,
    IF_NAME,
    IF_TSOFFSET,
    IF_TSRESOL,
    SHB_USERAPPL,
    packed_option,
)
from core.files.timestamps import written_resolution

APPLICATION = b"rawscope"
_MAGIC = 0x1A2B3C4D
_UNKNOWN_LENGTH = 0xFFFF_FFFF_FFFF_FFFF
_HEAD = struct.Struct("=II")
_TRAILER = struct.Struct("=I")
_STATISTICS = struct.Struct("=III")  # interface, time high, time low
_LONGEST_OPTION = 0xFFFC
_ISB_RECEIVED, _ISB_OS_DROPPED = 4, 7  # isb_ifrecv, isb_osdrop

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


_END = packed_option(END_OF_OPTIONS, b"")
