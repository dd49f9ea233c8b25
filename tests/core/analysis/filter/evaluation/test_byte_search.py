"""Search in many byte strings, beside Python's own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.filter.evaluation import byte_search
from core.analysis.filter.evaluation.byte_search import contains, find_hits
from core.analysis.filter.types import Spans
from tests.core.analysis.filter.evaluation.made_values import spans

TEXT = st.text("abAB", max_size=12).map(str.encode)


def positions(data: bytes, needle: bytes) -> list[int]:
    """Return all places of a needle, overlapping ones included."""
    return [at for at in range(len(data)) if data.startswith(needle, at)]


def found(data: np.ndarray, needle: bytes, *, ignores_case: bool = False) -> list[int]:
    """Return all hits of the search."""
    return [
        start + hit
        for start, hits in find_hits(data, needle, ignores_case=ignores_case)
        for hit in hits.tolist()
    ]


@pytest.mark.parametrize("piece", [3, 8, 1 << 18])
@pytest.mark.parametrize("dense", [1, 16, 1 << 20])
def test_all_hits_are_found_whatever_the_pieces(
    piece: int, dense: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(byte_search, "PIECE", piece)
    monkeypatch.setattr(byte_search, "_DENSE", dense)
    generator = np.random.default_rng(5)
    for size in (0, 1, 7, 40, 300):
        data = generator.choice(np.frombuffer(b"abA", np.uint8), size)
        for needle in (b"a", b"ab", b"aba", b"aaaa", b"bA"):
            assert found(data, needle) == positions(data.tobytes(), needle)
            folded = positions(data.tobytes().lower(), needle.lower())
            assert found(data, needle, ignores_case=True) == folded


@given(st.lists(TEXT, max_size=6), TEXT)
def test_a_hit_lies_inside_one_string(strings: list[bytes], needle: bytes) -> None:
    made = spans(strings)
    assert contains(made, needle).tolist() == [needle in each for each in strings]
    folded = contains(made, needle, ignores_case=True).tolist()
    assert folded == [needle.lower() in each.lower() for each in strings]


@pytest.mark.parametrize("piece", [4, 1 << 18])
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=6))
def test_strings_may_overlap_and_come_in_any_order(
    piece: int, places: list[tuple[int, int]]
) -> None:
    data = b"aabbabababbbaaabababbaabbabaab"
    ends = [(min(pair), max(pair)) for pair in places]
    made = Spans(
        np.frombuffer(data, np.uint8),
        np.array([start for start, _ in ends]),
        np.array([end for _, end in ends]),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(byte_search, "PIECE", piece)
        hits = contains(made, b"bab").tolist()
    assert hits == [b"bab" in data[start:end] for start, end in ends]


def test_short_strings_in_a_large_buffer_are_copied_together() -> None:
    """Also then no hit spans two strings."""
    strings = [b"xab", b"c", b"abc"]
    made = spans([each + b"." * 500 for each in strings])
    sizes = np.array([len(each) for each in strings])
    short = Spans(made.data, made.starts, made.starts + sizes)
    assert contains(short, b"abc").tolist() == [False, False, True]
    assert contains(short, b"bc").tolist() == [False, False, True]


def test_other_characters_have_one_case() -> None:
    data = np.frombuffer("[\\]^_`{|}~@É".encode(), np.uint8)
    assert found(data, b"@", ignores_case=True) == [10]
    assert found(data, b"`", ignores_case=True) == [5]
    assert found(data, b"{[", ignores_case=True) == []
