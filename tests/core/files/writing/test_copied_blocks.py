"""The blocks of an input in a copy of one section."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from core.decode.batch import CaptureInterface, FileBlock
from core.files.byte_order import (
    CUSTOM,
    CUSTOM_NOT_COPIED,
    NAME_RESOLUTION,
    SECRETS,
    STATISTICS,
)
from core.files.kept_blocks import SECTION_HEADER
from core.files.writing.copied_blocks import CopiedBlocks, is_needed_in_every_file

ETH0 = CaptureInterface("eth0", 1)
SECTION = FileBlock(SECTION_HEADER, b"", packets=4, interfaces=1)


def statistics(number: int, packets: int) -> FileBlock:
    return FileBlock(STATISTICS, struct.pack("=I", number) + bytes(8), packets)


def test_blocks_come_before_the_packets_that_they_precede() -> None:
    blocks = [FileBlock(CUSTOM, b"a"), FileBlock(0x7777, b"b", 2), FileBlock(CUSTOM, b"c", 3)]
    copied = CopiedBlocks(blocks, [])
    assert [each.body for each in copied.until(1)] == [b"a"]
    assert [each.body for each in copied.until(2)] == []
    blocks.append(FileBlock(CUSTOM, b"d", 3))  # while it is read
    assert [each.body for each in copied.until(4)] == [b"b", b"c", b"d"]
    assert not copied.left_out


def test_numbers_of_interfaces_count_from_the_first_section_on() -> None:
    blocks = [statistics(0, 1), SECTION, statistics(0, 5), statistics(9, 5)]
    copied = CopiedBlocks(blocks, [ETH0, ETH0])
    assert [each.body[0] for each in copied.until(9)] == [0, 1]
    assert [*copied.left_out] == ["statistics"]  # of an interface that the file does not describe


@pytest.mark.parametrize(
    ("kind", "words"),
    [(SECRETS, ["decryption secrets"]), (CUSTOM_NOT_COPIED, []), (SECTION_HEADER, [])],
)
def test_blocks_that_stay_in_the_input(kind: int, words: list[str]) -> None:
    copied = CopiedBlocks([FileBlock(kind, bytes(8))], [])
    assert [*copied.until(1)] == []
    assert [*copied.left_out] == words


def test_statistics_in_a_unit_that_changes_are_left_out() -> None:
    """Times finer than a nanosecond are written in nanoseconds."""
    copied = CopiedBlocks([statistics(0, 0)], [replace(ETH0, resolution=12)])
    assert [*copied.until(1)] == []
    assert [*copied.left_out] == ["statistics"]


def test_only_names_are_needed_in_every_file() -> None:
    kinds = (NAME_RESOLUTION, STATISTICS, CUSTOM, 0x7777)
    assert [is_needed_in_every_file(FileBlock(kind, b"")) for kind in kinds] == [True] + [False] * 3
