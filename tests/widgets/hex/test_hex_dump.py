"""The rows of a hex dump, without a screen."""

import pytest

from core.wire.model.field import Span
from widgets.hex.hex_dump import HexDump

WIDE = 80  # 16 bytes a row


def dump_of(data: bytes, original_length: int | None = None) -> HexDump:
    dump = HexDump()
    dump.set_frame(data, original_length)
    dump.fit(WIDE)
    return dump


def test_rows() -> None:
    dump = dump_of(bytes(range(40)))
    assert dump.line_count == 3
    assert dump.row(2) == bytes(range(32, 40))
    assert (dump.line_of(15), dump.line_of(16)) == (0, 1)
    assert dump_of(b"").line_count == 0


def test_missing_bytes_take_one_more_row() -> None:
    dump = dump_of(bytes(16), 1500)
    assert (dump.missing, dump.line_count, dump.row(1)) == (1484, 2, b"")
    assert dump_of(bytes(16), 16).line_count == 1


def test_the_same_frame_changes_nothing() -> None:
    dump = dump_of(b"abc", 3)
    dump.highlight(Span(0, 2))
    assert not dump.set_frame(b"abc", 3)
    assert dump.highlighted == Span(0, 2)
    assert dump.set_frame(b"abc", 4)
    assert dump.highlighted is None


def test_a_width_changes_the_layout_or_not() -> None:
    dump = dump_of(bytes(100))
    assert not dump.fit(WIDE + 1)
    assert dump.fit(40)
    assert dump.line_count == 13


@pytest.mark.parametrize(
    ("span", "kept"),
    [(Span(2, 5), Span(2, 5)), (Span(18, 40), Span(18, 20)), (Span(20, 22), None), (None, None)],
)
def test_a_highlight_ends_with_the_captured_bytes(span: Span | None, kept: Span | None) -> None:
    dump = dump_of(bytes(20), 100)
    dump.highlight(Span(0, 1))
    assert dump.highlight(span)
    assert dump.highlighted == kept
    assert not dump.highlight(span)


def test_each_row_has_its_part_of_the_highlight() -> None:
    dump = dump_of(bytes(64))
    dump.highlight(Span(10, 40))
    parts = [dump.highlighted_in(line) for line in range(4)]
    assert parts == [Span(10, 16), Span(16, 32), Span(32, 40), None]


def test_runs_of_bytes_that_look_alike() -> None:
    dump = dump_of(bytes(64))
    dump.highlight(Span(20, 24))
    assert list(dump.runs(0, None)) == [(0, 16, "byte")]
    assert list(dump.runs(1, None)) == [(0, 4, "byte"), (4, 8, "highlight"), (8, 16, "byte")]
    assert list(dump.runs(1, 21)) == [
        (0, 4, "byte"),
        (4, 5, "highlight"),
        (5, 6, "cursor"),
        (6, 8, "highlight"),
        (8, 16, "byte"),
    ]
