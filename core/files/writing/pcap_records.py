"""The file header and the records of classic pcap from columns, in the byte order of this host.

Source: draft-ietf-opsawg-pcap; pcap-savefile(5). A file has one link type, and times of 32-bit
seconds with micro- or nanoseconds; other properties of packets have no place in it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch, CaptureInterface
from core.decode.chunk import Chunk
from core.files.formats import MICROSECONDS, NANOSECONDS
from core.files.pcap_header import FCS_PRESENT, FCS_WORDS_SHIFT
from core.files.step import MAXIMUM_PACKET
from core.files.timestamps import SECOND
from core.store.frame_copies import copy_frames_in_order
from core.wire.link.link_types import link_type_name

_RECORD_BYTES = 16
_SECONDS = 1 << 32


class NoPlaceError(ValueError):
    """A packet has no place in a classic pcap file. `row` is its row; the text is the reason."""

    def __init__(self, reason: str, row: int) -> None:
        super().__init__(reason)
        self.row = row


def file_header(
    link_type: int, snap_length: int = 0, *, nanoseconds: bool = True, fcs_bytes: int = 0
) -> bytes:
    """Return the file header.

    A `snap_length` of 0 (unknown) becomes the largest that readers accept. `fcs_bytes` is the
    length of the frame check sequence at the end of every frame, an even number.
    """
    magic = NANOSECONDS if nanoseconds else MICROSECONDS
    network = link_type
    if fcs_bytes:
        network |= FCS_PRESENT | fcs_bytes // 2 << FCS_WORDS_SHIFT
    return struct.pack("=IHHiIII", magic, 2, 4, 0, 0, snap_length or MAXIMUM_PACKET, network)


def packet_records(
    frames: Batch | Chunk,
    rows: NDArray[np.int64] | None = None,
    *,
    nanoseconds: bool = True,
    link_type: int,
    interfaces: Sequence[CaptureInterface],
) -> NDArray[np.uint8]:
    """Return the records of all packets, or of some `rows` (k,).

    `link_type` is that of the file, `interfaces` those of the packets. Times are cut to whole
    microseconds without `nanoseconds`. Raise `NoPlaceError` for the first packet of another link
    type, or with a time that has no place.
    """
    part = slice(None) if rows is None else rows
    captured = frames.captured[part].astype(np.int64)
    seconds, fraction = np.divmod(frames.timestamp_ns[part], SECOND)
    types = np.array([each.link_type for each in interfaces], np.int64)[frames.interface[part]]
    outside = (seconds < 0) | (seconds >= _SECONDS)
    if (without_place := outside | (types != link_type)).any():
        index = int(without_place.argmax())
        reason = "classic pcap holds times from 1970 to 2106"
        if types[index] != link_type:
            names = link_type_name(link_type), link_type_name(int(types[index]))
            reason = f"classic pcap holds one link type, {names[0]}, and a packet is {names[1]}"
        raise NoPlaceError(reason, index if rows is None else int(rows[index]))
    heads = np.empty((len(captured), 4), np.uint32)
    heads[:, 0] = seconds
    heads[:, 1] = fraction if nanoseconds else fraction // 1000
    heads[:, 2] = captured
    heads[:, 3] = frames.original[part]
    length = packet_record_bytes(captured)
    start = np.cumsum(length) - length
    out = np.empty(int(length.sum()), np.uint8)
    if not len(captured):
        return out
    offset = frames.offset[part].astype(np.int64)
    copy_frames_in_order(frames.data, offset, captured, out, start + _RECORD_BYTES)
    records = np.ndarray(
        (len(out) - _RECORD_BYTES + 1,), f"V{_RECORD_BYTES}", buffer=out.data, strides=(1,)
    )
    records[start] = heads.view(f"V{_RECORD_BYTES}")[:, 0]
    return out


def packet_record_bytes(captured: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the lengths (n,) of the records of packets whose lengths are `captured` (n,)."""
    return _RECORD_BYTES + captured.astype(np.int64)
