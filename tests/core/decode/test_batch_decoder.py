"""A batch as a chunk, without a store."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.decode import batch_decoder
from core.decode.batch_decoder import decode_batch, parts_of
from core.decode.chunk import CHUNK_PACKETS, COLUMN_TYPES
from core.store.packet_store import PacketStore
from tests.core.decode.frames import tcp_frame, udp_frame
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of

FRAMES = [tcp_frame(), udp_frame(), b"", tcp_frame(b"data"), b"short"]
ETHERNET = np.ones(1, np.int32)


def test_a_chunk_agrees_with_the_one_in_a_store():
    """Offsets count from the first frame, and the frames are equal."""
    batch = replace(batch_of(FRAMES, gap=7), comments={1: ("remark",)})
    chunk = decode_batch(batch, ETHERNET, first=10)
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    store.append(batch)
    (stored,) = store.snapshot().chunks
    for name in COLUMN_TYPES:
        if name != "offset":
            assert getattr(chunk, name).tolist() == getattr(stored, name).tolist(), name
    assert [chunk.frame(row) for row in range(len(chunk))] == FRAMES
    assert (chunk.first, chunk.last, chunk.comments) == (10, 14, {1: ("remark",)})
    assert np.shares_memory(chunk.data, batch.data)


def test_an_empty_batch_gives_an_empty_chunk():
    assert len(decode_batch(batch_of([]), ETHERNET)) == 0


def test_a_frame_outside_the_data_is_refused():
    batch = batch_of(FRAMES)
    for offset in (batch.offset + 1, batch.offset - 1):
        with pytest.raises(ValueError, match="outside"):
            decode_batch(replace(batch, offset=offset), ETHERNET)


def test_a_batch_that_does_not_fit_is_refused_and_its_parts_fit(monkeypatch):
    """Parts keep the order, the columns, and the comments of their packets."""
    count = CHUNK_PACKETS + 3
    comments = {0: ("first",), CHUNK_PACKETS: ("next",)}
    batch = replace(batch_of([b"frame"] * count), comments=comments)
    with pytest.raises(ValueError, match="at most 65,536"):
        decode_batch(batch, ETHERNET)
    parts = list(parts_of(batch))
    assert [len(part) for part in parts] == [CHUNK_PACKETS, 3]
    assert [part.comments for part in parts] == [{0: ("first",)}, {0: ("next",)}]
    monkeypatch.setattr(batch_decoder, "OFFSET_LIMIT", 12)
    wide = batch_of([b"frame"] * 9)
    with pytest.raises(ValueError, match="within 12 bytes"):
        decode_batch(wide, ETHERNET)
    chunks = [decode_batch(part, ETHERNET) for part in parts_of(wide)]
    assert sum(map(len, chunks)) == 9
    times = np.concatenate([chunk.timestamp_ns for chunk in chunks])
    assert times.tolist() == wide.timestamp_ns.tolist()
