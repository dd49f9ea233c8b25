"""Classic pcap: every magic and version, invalid lengths and times, damage with its offset."""

from __future__ import annotations

import struct

import pytest

from core.files.formats import FileError
from core.wire.model.dissection import PacketFlag
from tests.core.files.make import FRAME, SECOND, pcap_header, pcap_record, read


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.pcap"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "unit"), [(0xA1B2C3D4, 1000), (0xA1B23C4D, 1)])
def test_byte_orders_and_units(path, order, magic, unit) -> None:
    records = [pcap_record(FRAME[:n], order, SECOND + n, n, original=n + 5) for n in range(50)]
    found = read(path, pcap_header(order, magic) + b"".join(records))
    assert found.frames == [FRAME[:n] for n in range(50)]
    assert found.times == [(SECOND + n) * 10**9 + n * unit for n in range(50)]
    assert found.original == [n + 5 for n in range(50)]
    assert found.flags == [0] * 50
    assert (found.damaged, found.notes, found.format) == (False, [], "pcap")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "unit"), [(0x1C0001AC, 1), (0x1C0001AB, 1000)])
def test_ixia(path, order, magic, unit) -> None:
    records = pcap_record(order=order, fraction=7) * 2
    total = struct.pack(order + "I", len(records))
    found = read(path, pcap_header(order, magic) + total + records)
    assert found.frames == [FRAME, FRAME]
    assert found.times == [SECOND * 10**9 + 7 * unit] * 2


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("extra", [8, 12])
def test_modified_record_headers(path, order, extra) -> None:
    patch = struct.pack(order + "IHB", 2, 0x0800, 0) + bytes(extra - 7)
    records = pcap_record(order=order, extra=patch) * 3
    found = read(path, pcap_header(order, 0xA1B2CD34) + records)
    assert found.frames == [FRAME] * 3
    assert not found.damaged


@pytest.mark.parametrize(
    ("name", "extra"),
    [
        ("patched", struct.pack("<IHB", 2, 0x0800, 0) + b"\0"),
        ("Nokia", struct.pack("<I", 0x9FBFB601)),
    ],
)
def test_longer_record_headers_under_the_usual_magic(path, name, extra) -> None:
    found = read(path, pcap_header() + pcap_record(extra=extra) * 3)
    assert found.frames == [FRAME] * 3
    assert name in found.notes[0]


@pytest.mark.parametrize("version", [(2, 0), (2, 2), (543, 0)])
def test_swapped_lengths(path, version) -> None:
    record = pcap_record(FRAME, captured=100, original=len(FRAME))
    found = read(path, pcap_header(version=version) + record * 2)
    assert found.frames == [FRAME] * 2
    assert found.original == [100] * 2


def test_version_2_3_has_either_order_of_lengths(path) -> None:
    either = pcap_record(captured=100, original=60) + pcap_record(captured=60, original=100)
    found = read(path, pcap_header(version=(2, 3)) + either)
    assert found.frames == [FRAME] * 2
    assert found.original == [100] * 2


def test_aix(path) -> None:
    found = read(
        path, pcap_header(">", version=(2, 2), network=6) + pcap_record(order=">", fraction=9)
    )
    assert found.interfaces[0].link_type == 1
    assert found.times == [SECOND * 10**9 + 9]


def test_later_versions_are_read_as_2_4(path) -> None:
    assert read(path, pcap_header(version=(3, 7)) + pcap_record()).frames == [FRAME]


def test_versions_before_2_are_refused(path) -> None:
    with pytest.raises(FileError, match=r"version 1\.4 is not supported"):
        read(path, pcap_header(version=(1, 4)) + pcap_record())


def test_frame_check_sequence_bits(path) -> None:
    found = read(path, pcap_header(network=0x2400_0001) + pcap_record())
    assert found.interfaces[0].link_type == 1
    assert (found.flags[0] & PacketFlag.FCS_MASK) >> PacketFlag.FCS_SHIFT == 4
    ignored = read(path, pcap_header(network=0x2000_0001) + pcap_record())
    assert ignored.flags == [0]


def test_unknown_link_type_and_reserved_bits(path) -> None:
    found = read(path, pcap_header(network=0x0008_FFFE) + pcap_record())
    assert found.frames == [FRAME]
    assert found.interfaces[0].link_type == 0xFFFE
    assert "reserved bits 0x00080000" in found.notes[0]
    assert not found.damaged


def test_invalid_lengths_are_shown_and_flagged(path) -> None:
    records = (
        pcap_record(FRAME, original=10)
        + pcap_record(b"", original=0)
        + pcap_record(b"", original=99)
        + pcap_record(FRAME, original=0xFFFF_FFFF)
        + pcap_record(FRAME)
    )
    found = read(path, pcap_header() + records)
    assert found.frames == [FRAME, b"", b"", FRAME, FRAME]
    assert found.original == [10, 0, 99, 0xFFFF_FFFF, 60]
    assert found.flags == [PacketFlag.LENGTH_INVALID, 0, 0, 0, 0]


@pytest.mark.parametrize(("magic", "full"), [(0xA1B2C3D4, 10**6), (0xA1B23C4D, 10**9)])
def test_invalid_times_are_shown_as_stored_and_flagged(path, magic, full) -> None:
    fractions = [full - 1, full, 0xFFFF_FFFF]
    records = b"".join(pcap_record(fraction=fraction) for fraction in fractions)
    found = read(path, pcap_header(magic=magic) + pcap_record() * 3 + records)
    unit = 10**9 // full
    assert found.times[3:] == [SECOND * 10**9 + fraction * unit for fraction in fractions]
    assert found.flags[3:] == [0, PacketFlag.TIME_INVALID, PacketFlag.TIME_INVALID]


def test_seconds_are_unsigned(path) -> None:
    records = pcap_record(seconds=0x8000_0000) + pcap_record(seconds=0xFFFF_FFFF)
    found = read(path, pcap_header() + records)
    assert found.times == [0x8000_0000 * 10**9, 0xFFFF_FFFF * 10**9]
    assert found.flags == [0, 0]


@pytest.mark.parametrize("captured", [262_145, 0x7FFF_FFFF, 0xFFFF_FFFF])
@pytest.mark.parametrize("order", ["<", ">"])
def test_captured_length_beyond_the_maximum(path, captured, order) -> None:
    good = pcap_header(order) + pcap_record(order=order) * 3
    found = read(path, good + pcap_record(order=order, captured=captured))
    assert found.frames == [FRAME] * 3
    assert found.damaged
    assert f"damaged at byte {len(good)}" in found.notes[0]
    assert str(captured) in found.notes[0]


def test_the_longest_packet(path) -> None:
    data = bytes(262_144)
    assert read(path, pcap_header() + pcap_record(data)).frames == [data]


def test_longer_packets_of_link_types_that_allow_them(path) -> None:
    data = bytes(300_000)
    assert read(path, pcap_header(network=231) + pcap_record(data)).frames == [data]


def test_first_batch_is_small(path) -> None:
    found = read(path, pcap_header() + pcap_record(b"") * 70_000)
    assert found.sizes[0] <= 2_000
    assert sum(found.sizes) == 70_000
    assert max(found.sizes) <= 1 << 16


def test_cut_anywhere(path) -> None:
    whole = pcap_header() + pcap_record(FRAME[:9]) + pcap_record(FRAME[:5]) + pcap_record(b"")
    ends = [24, 24 + 25, 24 + 25 + 21, len(whole)]
    for length in range(24, len(whole)):
        found = read(path, whole[:length])
        complete = sum(end <= length for end in ends[1:])
        assert len(found.frames) == complete
        assert found.damaged == (length not in ends)
        if found.damaged:
            assert f"cut short at byte {ends[complete]}" in found.notes[0]
