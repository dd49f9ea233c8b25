"""The packets of a capture file as chunks."""

from __future__ import annotations

import pytest

from core.files.chunks import iter_chunks
from core.files.formats import FileError
from core.files.reader import open_capture
from tests.core.files.make import enhanced, interface, option, section

FRAMES = [bytes([number]) * (60 + number) for number in range(5)]


def _capture() -> bytes:
    """Interfaces of two link types, the second one described among the packets."""
    remark = option(1, b"remark") + option(0, b"")
    return b"".join(
        [
            section(),
            interface(link_type=1),
            *(enhanced(frame) for frame in FRAMES[:2]),
            interface(link_type=101),
            *(enhanced(frame, number=1, options=remark) for frame in FRAMES[2:]),
        ]
    )


def test_chunks_have_numbers_link_types_frames_and_comments(tmp_path):
    path = tmp_path / "some.pcapng"
    path.write_bytes(_capture())
    chunks = list(iter_chunks(path, first=7))
    frames = [chunk.frame(row) for chunk in chunks for row in range(len(chunk))]
    assert frames == FRAMES
    assert [chunk.first for chunk in chunks] == [7, *(chunk.last + 1 for chunk in chunks[:-1])]
    link_types = [int(each) for chunk in chunks for each in chunk.link_type]
    assert link_types == [1, 1, 101, 101, 101]
    remarks = [
        (chunk.first + row, texts) for chunk in chunks for row, texts in chunk.comments.items()
    ]
    assert [(number, list(texts)) for number, texts in remarks] == [
        (number, ["remark"]) for number in (9, 10, 11)
    ]


def test_a_reader_stays_open_for_its_notes(tmp_path):
    path = tmp_path / "cut.pcapng"
    path.write_bytes(_capture()[:-5])
    with open_capture(path) as reader:
        assert sum(map(len, iter_chunks(reader))) == 4
        assert reader.damaged
        assert reader.notes


def test_another_kind_of_file_is_refused_at_the_first_chunk(tmp_path):
    (tmp_path / "text").write_text("no capture")
    with pytest.raises(FileError):
        next(iter_chunks(tmp_path / "text"))
