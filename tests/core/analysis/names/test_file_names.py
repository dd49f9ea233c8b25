"""Names in the name resolution blocks of a file, damaged ones included."""

from __future__ import annotations

import struct

import pytest

from core.analysis.names import file_names
from core.analysis.names.file_names import NAME_RESOLUTION, blocks_of_names, names_of_blocks
from core.decode.batch import FileBlock

ONE, SIX = bytes([192, 0, 2, 1]), bytes(15) + b"\1"


def _entry(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", kind, len(value)) + value + bytes(-len(value) % 4)


BODY = (
    _entry(1, ONE + b"a.example\0alias.example\0")
    + _entry(9, b"unknown")
    + _entry(2, SIX + b"six.example\0")
    + _entry(1, ONE + b"\x1b[m\0")
    + _entry(0, b"")
    + _entry(1, ONE + b"after.the.end\0")
)


def test_names() -> None:
    blocks = [FileBlock(5, b"statistics"), FileBlock(NAME_RESOLUTION, BODY)]
    assert list(names_of_blocks(blocks)) == [("192.0.2.1", "a.example"), ("::1", "six.example")]


@pytest.mark.parametrize("size", range(0, len(BODY), 3))
def test_a_cut_block_gives_the_names_before_its_end(size) -> None:
    found = list(names_of_blocks([FileBlock(NAME_RESOLUTION, BODY[:size])]))
    assert found == [("192.0.2.1", "a.example"), ("::1", "six.example")][: len(found)]


def test_the_number_of_names_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(file_names, "MOST_NAMES", 3)
    blocks = [FileBlock(NAME_RESOLUTION, _entry(1, ONE + b"a\0") * 9)]
    assert len(list(names_of_blocks(blocks))) == 3


def test_names_that_a_file_lacks_are_written_and_read_back() -> None:
    known = [FileBlock(NAME_RESOLUTION, BODY)]
    learned = {"192.0.2.1": "other.example", "192.0.2.9": "nine", "2001:db8::9": "a.b-c.example"}
    (block,) = blocks_of_names(learned, known)
    assert dict(names_of_blocks([block])) == {
        "192.0.2.9": "nine",
        "2001:db8::9": "a.b-c.example",
    }
    assert not list(blocks_of_names({"192.0.2.1": "other.example"}, known))


def test_many_names_are_written_in_blocks_of_bounded_size() -> None:
    names = {f"10.0.{number >> 8}.{number & 255}": f"h{number}" for number in range(10_000)}
    blocks = list(blocks_of_names(names, ()))
    assert len(blocks) == 3
    assert max(len(block.body) for block in blocks) < 1 << 17
    assert dict(names_of_blocks(blocks)) == names
