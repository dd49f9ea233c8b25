"""Add a remark to the comments and options of a packet that is written to pcapng."""

from __future__ import annotations

import struct
from collections.abc import MutableMapping, Sequence

from core.files.pcapng_options import EPB_PROCESSID_THREADID, OptionReader, packed_option
from core.store.packet_remark import PacketRemark

_PROCESS_AND_THREAD = struct.Struct("=II")  # epb_processid_threadid; 0 for an unknown thread


def add_remark(
    comments: MutableMapping[int, Sequence[str]],
    options: MutableMapping[int, bytes],
    key: int,
    remark: PacketRemark,
) -> None:
    """Add a remark to what a packet has by now, unless it has the same."""
    texts = tuple(comments.get(key, ()))
    if remark.comment and remark.comment not in texts:
        comments[key] = (*texts, remark.comment)
    packed = options.get(key, b"")
    if remark.sender_pid and not _names_process(packed):
        value = _PROCESS_AND_THREAD.pack(remark.sender_pid, 0)
        options[key] = packed + packed_option(EPB_PROCESSID_THREADID, value)


def _names_process(packed: bytes) -> bool:
    found = OptionReader(memoryview(packed), 0, len(packed), "=")
    return any(code == EPB_PROCESSID_THREADID for code, _ in found)
