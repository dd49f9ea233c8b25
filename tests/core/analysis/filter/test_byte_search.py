"""Search in many byte strings, beside Python's own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.filter import byte_search
from core.analysis.filter.byte_search import contains, find_all
from tests.core.analysis.filter.made_values import spans

TEXT = st.text("abAB", max_size=12).map(str.encode)


def positions(data: bytes, needle: bytes) -> list[int]:
    """Return all places of a needle, overlapping ones included."""
    return [at for at in range(len(data)) if data.startswith(needle, at)]


@pytest.fixture(params=[(3, 1), (8, 2), (1 << 20, 512)], ids=str)
def _limits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Search in small pieces, and by arrays early."""
    piece, frequent = request.param
    monkeypatch.setattr(byte_search, "PIECE", piece)
    monkeypatch.setattr(byte_search, "FREQUENT", frequent)


@pytest.mark.usefixtures("_limits")
def test_all_hits_are_found_whatever_the_pieces() -> None:
    generator = np.random.default_rng(5)
    for size in (0, 1, 7, 40, 300):
        data = generator.choice(np.frombuffer(b"abA", np.uint8), size)
        for needle in (b"a", b"ab", b"aba", b"aaaa", b"bA"):
            assert find_all(data, needle).tolist() == positions(data.tobytes(), needle)
            folded = positions(data.tobytes().lower(), needle.lower())
            assert find_all(data, needle, ignores_case=True).tolist() == folded


@given(st.lists(TEXT, max_size=6), TEXT)
def test_a_hit_lies_inside_one_string(strings: list[bytes], needle: bytes) -> None:
    made = spans(strings)
    assert contains(made, needle).tolist() == [needle in each for each in strings]
    folded = contains(made, needle, ignores_case=True).tolist()
    assert folded == [needle.lower() in each.lower() for each in strings]


def test_short_strings_in_a_large_buffer_are_copied_together() -> None:
    """Also then no hit spans two strings."""
    strings = [b"xab", b"c", b"abc"]
    made = spans([each + b"." * 500 for each in strings])
    sizes = np.array([len(each) for each in strings])
    short = type(made)(made.data, made.starts, made.starts + sizes)
    assert contains(short, b"abc").tolist() == [False, False, True]
    assert contains(short, b"bc").tolist() == [False, False, True]


def test_other_letters_keep_their_case() -> None:
    data = np.frombuffer("[\\]^_`{|}~@É".encode(), np.uint8)
    assert find_all(data, b"@", ignores_case=True).tolist() == [10]
    assert find_all(data, b"`", ignores_case=True).tolist() == [5]
    assert not len(find_all(data, b"{[", ignores_case=True))
