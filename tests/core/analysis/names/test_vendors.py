"""The packed table of vendors: the longest assignment counts."""

from __future__ import annotations

import lzma
import tracemalloc

import pytest

from core.analysis.names.vendors import TABLE, WINDOW, Vendors, load, pack, read_list

LIST = """# a comment
00:1B:C5\t\tIEEE Registration Authority
00:1B:C5:00:00:00/36\t\tConverging Systems Inc.
0C:EF:AF:20:00:00/28\tShort\tMédium   Block
00:00:0C\t\tCisco Systems, Inc

08:00:00\t\t
"""
VENDORS = Vendors(pack(dict(read_list(LIST))))


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (0x001BC5000FFF, "Converging Systems Inc"),
        (0x001BC5001000, "IEEE Registration Authority"),
        (0x0CEFAF2FFFFF, "M dium Block"),
        (0x0CEFAF300000, ""),
        (0x00000C123456, "Cisco Systems, Inc"),
        (0x01000C123456, ""),  # a group
        (0xFFFFFFFFFFFF, ""),
        (0, ""),
    ],
)
def test_the_longest_assignment_counts(address, name) -> None:
    assert VENDORS.name(address) == name


def test_the_table_of_the_package() -> None:
    assert TABLE.stat().st_size < 500_000
    assert load().name(0x001B21000001) == "Intel Corporate"
    assert load() is load()


def test_each_name_of_many() -> None:
    starts = {24: 0x00_00, 28: 0x10_00, 36: 0x20_00}  # of prefixes of 24 bits
    vendors = {
        (width, start + number << width - 24): f"{width} {number}"
        for width, start in starts.items()
        for number in range(99)
    }
    table = Vendors(pack(vendors))
    for (width, prefix), name in vendors.items():
        assert table.name(prefix << 48 - width) == name


def test_the_table_is_unpacked_in_little_memory() -> None:
    packed = TABLE.read_bytes()
    unpacked = len(lzma.decompress(packed))
    tracemalloc.start()
    try:
        table = Vendors(packed)
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert table.nbytes <= held < table.nbytes + 16_384
    assert held < 1.2 * unpacked
    assert peak < WINDOW + 2.5 * unpacked
