"""gzip and zstd: several members, truncation, damage, and decompression bombs in bounded memory."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib
from collections.abc import Iterable
from itertools import chain, repeat

import pytest
import zstandard

from core.files.compression import decoder
from core.files.formats import FileError
from core.files.reader import open_capture
from tests.core.files.make import (
    FRAME,
    Read,
    enhanced,
    interface,
    option,
    pcap_header,
    pcap_record,
    read,
    section,
)

PACK = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress}
PLAIN = pcap_header() + b"".join(pcap_record(FRAME, fraction=n) for n in range(999))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "packed"


@pytest.mark.parametrize("compression", PACK)
def test_packed_captures(path, compression) -> None:
    pack = PACK[compression]
    found = read(path, pack(PLAIN))
    assert found.frames == [FRAME] * 999
    assert (found.compression, found.format, found.damaged) == (compression, "pcap", False)
    blocks = section() + interface() + enhanced() * 5
    assert read(path, pack(blocks)).frames == [FRAME] * 5


@pytest.mark.parametrize("compression", PACK)
def test_several_members_and_padding(path, compression) -> None:
    pack = PACK[compression]
    parts = [PLAIN[:10], PLAIN[10:777], PLAIN[777:778], PLAIN[778:]]
    found = read(path, b"".join(map(pack, parts)) + bytes(700))
    assert found.frames == [FRAME] * 999
    assert (found.damaged, found.notes) == (False, [])


@pytest.mark.parametrize("compression", PACK)
def test_bytes_after_the_end_are_reported(path, compression) -> None:
    found = read(path, PACK[compression](PLAIN) + b"something else")
    assert found.frames == [FRAME] * 999
    assert not found.damaged
    assert f"bytes after the {compression} data were ignored" in found.notes[0]


NOISY = pcap_header() + b"".join(pcap_record(random.Random(n).randbytes(999)) for n in range(900))


@pytest.mark.parametrize("compression", PACK)
def test_cut_packed_data(path, compression) -> None:
    packed = PACK[compression](NOISY)
    found = read(path, packed[: len(packed) * 2 // 3])
    assert found.damaged
    assert f"the {compression} data is cut short" in found.notes[0]
    assert 500 < len(found.frames) < 900


def test_compressed_data_cut_before_the_first_output(path) -> None:
    with pytest.raises(FileError, match="the gzip data is cut short"):
        read(path, gzip.compress(PLAIN)[:12])


def test_everything_before_damage_in_gzip_is_kept(path) -> None:
    packed = bytearray(gzip.compress(PLAIN))
    packed[-6] ^= 1  # the checksum of everything
    found = read(path, bytes(packed))
    assert found.frames == [FRAME] * 999
    assert found.damaged
    assert "the gzip data is damaged" in found.notes[0]


def test_all_but_the_end_of_damaged_zstd_is_kept(path) -> None:
    packed = bytearray(zstandard.ZstdCompressor(write_checksum=True).compress(NOISY))
    packed[-1] ^= 1
    found = read(path, bytes(packed))
    assert len(found.frames) > 700
    assert found.damaged
    assert "the zstd data is damaged" in found.notes[0]


def test_zstd_window_of_gigabytes_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=30)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    packed = compressor.compress(bytes(1 << 20)) + compressor.flush()
    unpack = decoder("zstd")
    assert list(unpack.decode(packed)) == []
    assert "damaged" in unpack.fault


@pytest.mark.parametrize("compression", PACK)
def test_byte_by_byte(compression) -> None:
    unpack = decoder(compression)
    packed = PACK[compression](PLAIN[:500]) + PACK[compression](PLAIN[500:])
    pieces = [piece for n in range(len(packed)) for piece in unpack.decode(packed[n : n + 1])]
    unpack.finish()
    assert b"".join(pieces) == PLAIN
    assert unpack.fault == unpack.remark == ""


def _pack(compression: str, pieces: Iterable[bytes]) -> bytes:
    if compression == "gzip":
        squeeze = zlib.compressobj(9, wbits=31)
    else:
        squeeze = zstandard.ZstdCompressor().compressobj()
    return b"".join([squeeze.compress(piece) for piece in pieces] + [squeeze.flush()])


@pytest.mark.parametrize("compression", PACK)
def test_a_bomb_of_comments_takes_bounded_memory(path, compression) -> None:
    """A batch only locates its comments; reading them costs memory only for the caller."""
    packet = enhanced(options=option(1, b"x" * 60_000))
    pieces = chain([section() + interface()], repeat(packet, 3_000))
    path.write_bytes(_pack(compression, pieces))
    assert path.stat().st_size < 1 << 20
    tracemalloc.start()
    try:
        with open_capture(path) as reader:
            comments = sum(len(batch.comments) for batch in reader.batches())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert comments == 3_000  # of 180 MB in all
    assert peak < 64 << 20


def test_a_bomb_of_interface_names_takes_bounded_memory(path) -> None:
    """Every interface keeps its name, so all names together are bounded."""
    named = interface(options=option(2, b"n" * 60_000) + option(3, b"d" * 60_000))
    path.write_bytes(_pack("gzip", chain([section()], repeat(named, 1_000), [enhanced()])))
    tracemalloc.start()
    try:
        found = Read(open_capture(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(found.interfaces) == 1_000  # of 120 MB in all
    assert [len(each.name) for each in found.interfaces[:36:35]] == [60_000, 0]
    assert [note for note in found.notes if "left out" in note]
    assert len(found.notes) == 1
    assert not found.damaged
    assert peak < 32 << 20


@pytest.mark.parametrize("compression", PACK)
def test_a_bomb_takes_bounded_memory(path, compression) -> None:
    pieces = chain([section() + interface()], repeat(bytes(1 << 20), 256))
    path.write_bytes(_pack(compression, pieces))
    assert path.stat().st_size < 256 << 10
    tracemalloc.start()
    try:
        found = Read(open_capture(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.damaged  # zeros are not a block
    assert peak < 64 << 20


@pytest.mark.parametrize("compression", PACK)
def test_a_bomb_inside_a_block_takes_bounded_memory(path, compression) -> None:
    length = 256 << 20
    told = length.to_bytes(4, "little")
    pieces = [section() + interface() + enhanced() + (77).to_bytes(4, "little") + told]
    pieces += [bytes(1 << 20)] * 255 + [bytes((1 << 20) - 12), told, enhanced()]
    path.write_bytes(_pack(compression, pieces))
    del pieces
    tracemalloc.start()
    try:
        found = Read(open_capture(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.frames == [FRAME] * 2
    assert not found.damaged
    assert peak < 64 << 20
