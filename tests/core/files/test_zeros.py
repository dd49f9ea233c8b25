"""A tail of zeros, as after a power loss, is not read as packets; zeros among packets are."""

from __future__ import annotations

import gzip
import itertools
import os
import struct
import threading

import numpy as np
import pytest
import zstandard

from core.files.formats import FileError
from core.files.reader import open_capture
from core.files.step import SPAN_BYTES
from core.files.zeros import zero_end, zero_start
from tests.core.files.make import (
    FRAME,
    Read,
    block,
    enhanced,
    interface,
    option,
    pcap_header,
    pcap_record,
    read,
    section,
)

PACKINGS = {"plain": bytes, "gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress}
FILES = {
    "pcap": (pcap_header() + pcap_record() * 3, 16),
    "pcap, big endian": (pcap_header(">") + pcap_record(order=">") * 3, 16),
    "pcap, nanoseconds": (pcap_header(magic=0xA1B23C4D) + pcap_record() * 3, 16),
    "pcap, lengths swapped": (pcap_header(version=(2, 2)) + pcap_record() * 3, 16),
    "pcap, lengths either way": (pcap_header(version=(2, 3)) + pcap_record() * 3, 16),
    "pcap, longer record headers": (
        pcap_header(magic=0xA1B2CD34) + pcap_record(extra=struct.pack("<IHBB", 1, 0x800, 0, 0)) * 3,
        24,
    ),
    "pcapng": (section() + interface() + enhanced() * 3, 12),
    "pcapng, big endian": (section(">") + interface(">") + enhanced(order=">") * 3, 12),
}


def through_a_pipe(content: bytes) -> Read:
    reading, writing = os.pipe()

    def write() -> None:
        with open(writing, "wb") as pipe:
            pipe.write(content)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        return Read(open_capture(reading))
    finally:
        writer.join()
        os.close(reading)


def check_tail(found: Read, count: int, frames: list[bytes]) -> None:
    assert found.frames == frames
    assert found.damaged
    (note,) = found.notes
    assert f"the last {count:,} bytes" in note
    assert "are zeros: the file was not written to its end (power loss?)" in note
    assert f"{len(frames)} packet" in note


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("name", FILES)
def test_a_tail_of_zeros_of_any_length_is_one_note(tmp_path, name, packing) -> None:
    content, least = FILES[name]
    for count in (*range(least, least + 40), 511, 4096, 70_001):
        packed = PACKINGS[packing](content + bytes(count))
        check_tail(read(tmp_path / "x", packed), count, [FRAME] * 3)
    check_tail(through_a_pipe(packed), count, [FRAME] * 3)


@pytest.mark.parametrize("name", FILES)
def test_a_shorter_tail_is_a_record_cut_short(tmp_path, name) -> None:
    content, least = FILES[name]
    for count in range(1, least):
        found = read(tmp_path / "x", content + bytes(count))
        assert found.frames == [FRAME] * 3
        assert "cut short" in found.notes[0]


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("name", ["pcap", "pcapng"])
def test_a_tail_longer_than_any_window(tmp_path, name, packing) -> None:
    count = 2 * SPAN_BYTES + 5
    packed = PACKINGS[packing](FILES[name][0] + bytes(count))
    check_tail(read(tmp_path / "x", packed), count, [FRAME] * 3)


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_a_header_and_zeros(tmp_path, name) -> None:
    content, least = FILES[name]
    header = content[:24] if name.startswith("pcap,") or name == "pcap" else content[:28]
    check_tail(read(tmp_path / "x", header + bytes(least * 9)), least * 9, [])


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("count", [1, 2, 7, 5000, 70_000, SPAN_BYTES // 16 + 3])
def test_zero_records_before_other_bytes_are_packets(tmp_path, count, packing) -> None:
    empty = bytes(16) * count
    content = pcap_header() + pcap_record() + empty + pcap_record() + empty + pcap_record()
    found = read(tmp_path / "x", PACKINGS[packing](content))
    assert found.frames == [FRAME, *[b""] * count, FRAME, *[b""] * count, FRAME]
    assert found.times[1] == found.times[count] == 0
    assert (found.damaged, found.notes) == (False, [])


def test_zero_records_in_a_pipe_in_pieces_of_any_size() -> None:
    content = pcap_header() + pcap_record() + bytes(16) * 5 + pcap_record() + bytes(37)
    for size in (1, 5, 16, 23):
        reading, writing = os.pipe()

        def write(size: int = size, writing: int = writing) -> None:
            with open(writing, "wb", buffering=0) as pipe:
                for at in range(0, len(content), size):
                    pipe.write(content[at : at + size])

        writer = threading.Thread(target=write)
        writer.start()
        found = Read(open_capture(reading))
        writer.join()
        os.close(reading)
        check_tail(found, 37, [FRAME, *[b""] * 5, FRAME])


def test_a_record_that_is_empty_but_has_a_time_or_a_length_is_a_packet_anywhere(tmp_path) -> None:
    for words in itertools.product((0, 1), repeat=2):
        if any(words):
            record = pcap_record(b"", seconds=words[0], original=words[1])
            found = read(tmp_path / "x", pcap_header() + record * 3)
            assert found.frames == [b""] * 3
            assert not found.damaged


def test_zeros_that_begin_anywhere_in_a_block(tmp_path) -> None:
    """The unwritten page may begin inside a block, which is then lost."""
    good = section() + interface() + enhanced() * 2
    commented = enhanced(options=option(1, b"comment") + option(0, b""))
    for last in (commented, interface(options=option(2, b"eth0")), block(5, bytes(range(1, 25)))):
        for kept in range(len(last) - 3):  # without the trailer
            written = last[:kept].rstrip(b"\0")
            content = good + last[:kept] + bytes(4096)
            zeros = len(content) - len(good) - len(written)
            check_tail(read(tmp_path / "x", content), zeros, [FRAME] * 2)


def test_a_block_of_zeros_before_other_bytes_is_a_fault(tmp_path) -> None:
    good = section() + interface() + enhanced() * 2
    for zeros in (12, 4096, 100_000, SPAN_BYTES + 12):
        for packing in PACKINGS.values():
            found = read(tmp_path / "x", packing(good + bytes(zeros) + enhanced()))
            assert found.frames == [FRAME] * 2
            (note,) = found.notes
            assert f"damaged at byte {len(good)}: a block of type 0x00000000" in note


def test_a_file_of_zeros_is_reported(tmp_path) -> None:
    (tmp_path / "x").write_bytes(bytes(4096))
    with pytest.raises(FileError, match=r"begins with zeros.*power loss"):
        open_capture(tmp_path / "x")


def test_ends_and_beginnings_of_zeros() -> None:
    for length in (1, 63, 64, 65, 600, 5000):
        for mark in {0, length // 2, length - 1}:
            data = np.zeros(length, np.uint8)
            assert zero_end(data, 0, length) == length
            assert zero_start(data, 0, length) == 0
            data[mark] = 7
            assert zero_end(data, 0, length) == mark
            assert zero_end(data, mark + 1, length) == length
            assert zero_start(data, 0, length) == mark + 1
