"""The file header and the records of classic pcap from columns, in the byte order of this host.

Source: draft-ietf-opsawg-pcap; pcap-savefile(5). A file has one link type, and times of 32-bit
seconds with micro- or nanoseconds; other properties of packets have no place in it.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from core.decode.batch import Batch
from core.decode.chunk import Chunk
from core.files.formats import MICROSECONDS, NANOSECONDS
from core.files.pcap_header import FCS_PRESENT, FCS_WORDS_SHIFT
from core.files.step import MAXIMUM_PACKET
from core.files.timestamps import SECOND
from core.store.arena import copy_frames

_RECORD_BYTES = 16
_SECONDS = 1 << 32


class TimeOutOfRangeError(ValueError):
    """A packet's time has no place in a classic pcap file. `row` is its row."""

    def __init__(self, row: int) -> None:
        super().__init__("classic pcap holds times from 1970 to 2106")
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
) -> NDArray[np.uint8]:
    """Return the records of all packets, or of some `rows` (k,).

    Times are cut to whole microseconds without `nanoseconds`. Raise `TimeOutOfRangeError`.
    """
    part = slice(None) if rows is None else rows
    captured = frames.captured[part].astype(np.int64)
    seconds, fraction = np.divmod(frames.timestamp_ns[part], SECOND)
    outside = (seconds < 0) | (seconds >= _SECONDS)
    if outside.any():
        index = int(outside.argmax())
        raise TimeOutOfRangeError(index if rows is None else int(rows[index]))
    heads = np.empty((len(captured), 4), np.uint32)
    heads[:, 0] = seconds
    heads[:, 1] = fraction if nanoseconds else fraction // 1000
    heads[:, 2] = captured
    heads[:, 3] = frames.original[part]
    length = _RECORD_BYTES + captured
    start = np.cumsum(length) - length
    out = np.empty(int(length.sum()), np.uint8)
    if not len(captured):
        return out
    records = np.ndarray(
        (len(out) - _RECORD_BYTES + 1,), f"V{_RECORD_BYTES}", buffer=out.data, strides=(1,)
    )
    records[start] = heads.view(f"V{_RECORD_BYTES}")[:, 0]
    offset = frames.offset[part].astype(np.int64)
    copy_frames(frames.data, offset, captured, out, start + _RECORD_BYTES)
    return out
