"""The standard tools can unpack all output up to a `finish`."""

from __future__ import annotations

import gzip

import pytest
import zstandard

from core.recording.packer import packer_of

PIECES = [b"first" * 100, b"second" * 100, b"third" * 1000]


def unpacked(compression: str, packed: bytes) -> bytes:
    if compression == "gzip":
        return gzip.decompress(packed)
    reader = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)
    return reader.read()


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_members_follow_each_other(compression):
    packer = packer_of(compression)
    packed = b""
    assert packer.finish() == packer.flush() == b""  # no member was begun
    for count, piece in enumerate(PIECES, 1):
        packed += packer.pack(memoryview(piece)) + packer.flush() + packer.finish()
        assert unpacked(compression, packed) == b"".join(PIECES[:count])


def test_no_compression_has_no_packer():
    assert packer_of("") is None
