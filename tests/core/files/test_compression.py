"""gzip and zstd: several members, cuts, damage, bombs in bounded memory."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib

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
def test_bytes_after_the_end_are_told(path, compression) -> None:
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


def test_packed_data_cut_before_anything_came_out(path) -> None:
    with pytest.raises(FileError, match="the gzip data is cut short"):
        read(path, gzip.compress(PLAIN)[:12])


def test_all_before_damaged_gzip_is_kept(path) -> None:
    packed = bytearray(gzip.compress(PLAIN))
    packed[-6] ^= 1  # the checksum of the whole
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


@pytest.mark.parametrize("compression", PACK)
def test_a_bomb_takes_bounded_memory(path, compression) -> None:
    if compression == "gzip":
        squeeze = zlib.compressobj(9, wbits=31)
    else:
        squeeze = zstandard.ZstdCompressor().compressobj()
    mebibyte = bytes(1 << 20)
    packed = [squeeze.compress(section() + interface())]
    packed += [squeeze.compress(mebibyte) for _ in range(256)] + [squeeze.flush()]
    path.write_bytes(b"".join(packed))
    assert path.stat().st_size < 256 << 10
    tracemalloc.start()
    try:
        found = Read(open_capture(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.damaged  # zeros are no block
    assert peak < 64 << 20


@pytest.mark.parametrize("compression", PACK)
def test_a_bomb_inside_a_block_takes_bounded_memory(path, compression) -> None:
    if compression == "gzip":
        squeeze = zlib.compressobj(9, wbits=31)
    else:
        squeeze = zstandard.ZstdCompressor().compressobj()
    length = 256 << 20
    told = length.to_bytes(4, "little")
    pieces = [section() + interface() + enhanced() + (77).to_bytes(4, "little") + told]
    pieces += [bytes(1 << 20)] * 255 + [bytes((1 << 20) - 12), told, enhanced()]
    path.write_bytes(b"".join([squeeze.compress(piece) for piece in pieces] + [squeeze.flush()]))
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
