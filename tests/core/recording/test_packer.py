"""A file that is cut at a checkpoint and ended can be unpacked by the standard tools."""

from __future__ import annotations

import gzip

import pytest
import zstandard

from core.recording.packer import CheckpointPacker, checkpoint_packer

PIECES = [b"first" * 100, b"second" * 100, b"third" * 1000]


def unpacked(name: str, packed: bytes) -> bytes:
    if name.endswith(".gz"):
        return gzip.decompress(packed)
    return zstandard.ZstdDecompressor().stream_reader(packed).read()


@pytest.mark.parametrize("name", ["t.gz", "t.pcap.ZST"])
def test_a_file_may_be_cut_at_each_checkpoint(name):
    packer = CheckpointPacker(name)
    packed = b""
    assert packer.checkpoint() == packer.flush() == b""  # nothing was begun
    for count, piece in enumerate(PIECES, 1):
        packed += packer.pack(memoryview(piece)) + packer.flush() + packer.checkpoint()
        assert unpacked(name.lower(), packed + packer.ending) == b"".join(PIECES[:count])
    assert unpacked(name.lower(), packed + packer.finish()) == b"".join(PIECES)


def test_no_compression_has_no_packer():
    assert checkpoint_packer("t.pcapng") is None
