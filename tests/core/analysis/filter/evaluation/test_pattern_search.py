"""Searches for regular expressions, and their time limit."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.filter.evaluation import pattern_search
from core.analysis.filter.evaluation.pattern_search import SlowPatternError, search
from core.analysis.filter.language.patterns import compile_pattern
from tests.core.analysis.filter.evaluation.made_values import spans


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (b"get", [True, False, True]),
        (b"(?-i)get", [False, False, True]),
        (rb"t\ ", [False, False, False]),
        (b"^g", [True, True, False]),
        (b"", [True, True, True]),
        (rb"\.", [False, True, False]),
    ],
)
def test_search_in_strings_and_in_texts(pattern: bytes, expected: list[bool]) -> None:
    strings = [b"GET", b"g.et", b"forget"]
    compiled = compile_pattern(pattern)
    assert search(compiled, spans(strings)).tolist() == expected
    texts = np.array([each.decode() for each in strings], dtype=object)
    assert search(compiled, texts).tolist() == expected


def test_a_pattern_that_takes_too_long_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pattern_search, "MOST_S", 0.01)
    compiled = compile_pattern(b"(a|aa)+$")
    with pytest.raises(SlowPatternError, match="longer than"):
        search(compiled, spans([b"a" * 60 + b"b"]))
