"""Operations on many byte strings, beside the same on Python's bytes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.filter.evaluation import byte_strings
from core.analysis.filter.language.syntax import Range
from core.analysis.filter.types import Spans
from tests.core.analysis.filter.evaluation.made_values import spans

STRINGS = st.lists(st.binary(max_size=5) | st.text("ab", max_size=5).map(str.encode), max_size=6)
OFFSET = st.integers(-6, 6)
RANGES = st.one_of(
    st.builds(Range, OFFSET, length=st.integers(1, 6)),
    st.builds(Range, OFFSET, end=OFFSET),
    st.builds(Range, OFFSET),
)


def items(found: Spans) -> list[bytes]:
    """Return byte strings as Python's."""
    ends = zip(found.starts.tolist(), found.ends.tolist(), strict=True)
    return [found.data[start:end].tobytes() for start, end in ends]


def key(text: bytes) -> tuple[int, bytes]:
    """Return what orders byte strings: the length, then the bytes."""
    return len(text), text


@given(STRINGS, st.binary(max_size=4) | st.sampled_from([b"ab", b"aab"]))
def test_comparison_with_a_value(strings: list[bytes], value: bytes) -> None:
    made = spans(strings)
    assert byte_strings.equal_to(made, value).tolist() == [each == value for each in strings]
    signs = byte_strings.order(made, value).tolist()
    assert signs == [(key(each) > key(value)) - (key(each) < key(value)) for each in strings]


@given(STRINGS.flatmap(lambda one: st.tuples(st.just(one), st.permutations(one))))
def test_comparison_of_pairs(pairs: tuple[list[bytes], list[bytes]]) -> None:
    left, right = pairs
    signs = byte_strings.order_pairs(spans(left), spans(right)).tolist()
    assert signs == [
        (key(a) > key(b)) - (key(a) < key(b)) for a, b in zip(left, right, strict=True)
    ]
    same = spans(left)
    assert not byte_strings.order_pairs(same, same).any()


@given(STRINGS, st.lists(RANGES, min_size=1, max_size=3))
def test_parts_are_cut_at_the_end_of_the_data(strings: list[bytes], parts: list[Range]) -> None:
    found = items(byte_strings.parts_of(spans(strings), parts))
    sizes = np.array([len(each) for each in strings], dtype=np.int64)
    whole = byte_strings.contain_parts(sizes, parts).tolist()
    for text, joined, is_whole in zip(strings, found, whole, strict=True):
        pieces = [_part(text, each) for each in parts]
        assert joined == b"".join(piece for piece, _ in pieces)
        assert is_whole == all(complete for _, complete in pieces)


def _part(text: bytes, part: Range) -> tuple[bytes, bool]:
    size = len(text)
    start = part.start if part.start >= 0 else size + part.start
    end = size if part.length is None else start + part.length
    if part.end is not None:
        end = (part.end if part.end >= 0 else size + part.end) + 1
    offsets = range(start, end)
    inside = [offset for offset in offsets if offset < size] if start >= 0 else []
    is_whole = bool(offsets) and start >= 0 and offsets[-1] < size
    return bytes(text[offset] for offset in inside), is_whole


@given(STRINGS)
def test_zero_bytes(strings: list[bytes]) -> None:
    assert byte_strings.is_nonzero(spans(strings)).tolist() == [any(each) for each in strings]


def test_bits_of_pairs_have_the_length_of_the_shorter() -> None:
    found = byte_strings.bit_and(spans([b"\xff\x0f\x01", b""]), spans([b"\x3c\x3c", b"a"]))
    assert items(found) == [b"\x3c\x0c", b""]


def test_addresses_become_byte_strings() -> None:
    assert items(byte_strings.spans_of(np.array([0x0A000001], np.uint32))) == [b"\x0a\x00\x00\x01"]
    rows = np.array([[1, 2], [3, 4]], np.uint8)
    assert items(byte_strings.spans_of(rows)) == [b"\x01\x02", b"\x03\x04"]
    masked = byte_strings.masked(np.full((1, 16), 255, np.uint8), 12)
    assert masked.tobytes() == b"\xff\xf0" + bytes(14)
