"""Compression of files that are written."""

from __future__ import annotations

import io
import zlib

import pytest
import zstandard

from core.files.writing.packing import packer_of, plain_name, unwritten

CONTENT = b"some packets " * 5_000


def unpack(name: str, packed: bytes) -> bytes:
    """Return what can be read of a file that may be cut short."""
    if name.endswith(".gz"):
        return zlib.decompressobj(31).decompress(packed)
    if name.endswith(".ZST"):
        return zstandard.ZstdDecompressor().decompressobj().decompress(packed)
    return packed


@pytest.mark.parametrize("name", ["a.pcap", "a.pcap.gz", "a.ZST"])
def test_a_flush_makes_readable_what_was_written(name: str) -> None:
    packer, file = packer_of(name), io.BytesIO()
    file.write(packer.pack(CONTENT))
    file.write(packer.flush())
    assert unpack(name, file.getvalue()) == CONTENT
    file.write(packer.pack(memoryview(b"more")))
    file.write(packer.finish())
    assert unpack(name, file.getvalue()) == CONTENT + b"more"


def test_plain_name() -> None:
    assert plain_name("a.pcap.gz") == "a.pcap"
    assert plain_name("a.pcapng") == "a.pcapng"


@pytest.mark.parametrize(
    "name", ["a.pcap.bz2", "a.pcapng.XZ", "a.lz4", "a.pcap.Z", "a.zip", "a.gz.bz2", "a.zstd"]
)
def test_names_of_other_compressions_are_refused(name: str) -> None:
    """Nothing is written under a name that promises another content."""
    ending = name[name.rindex(".") :]
    words = f"rawscope writes no {ending} files: end the name in .gz or .zst to compress it"
    assert unwritten(name) == words


@pytest.mark.parametrize("name", ["a", "a.pcap", "a.bz2.pcapng", "a.pcapng.gz", "xz", "a.log", "-"])
def test_other_names_can_be_written(name: str) -> None:
    assert not unwritten(name)
