"""Searches for regular expressions, and their time limit."""

from __future__ import annotations

import random

import numpy as np
import pytest

from core.analysis.filter.evaluation import pattern_search
from core.analysis.filter.evaluation.pattern_search import SlowPatternError, search
from core.analysis.filter.language.patterns import compile_pattern
from core.analysis.filter.types import Spans
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


def _pattern(rng: random.Random, depth: int = 0) -> str:
    """Return a pattern of a few parts over the letters of `_strings`."""
    parts = []
    for _ in range(rng.randrange(1, 4)):
        kind = rng.randrange(12 if depth < 2 else 9)
        if kind < 5:
            parts.append(rng.choice("ab1"))
        elif kind < 9:
            parts.append(rng.choice((".", "[ab]", "[^a]", r"\d", r"\n", r"\.", "^", "$", r"\b")))
        else:
            inner = "|".join(_pattern(rng, depth + 1) for _ in range(rng.randrange(1, 3)))
            parts.append(f"({rng.choice(('', '?:', '?=', '?<!'))}{inner})")
        if parts[-1] not in ("^", "$", r"\b") and "(?" not in parts[-1]:
            parts.append(rng.choice(("", "", "", "?", "*", "+", "{2}", "{1,2}", "*?", "++")))
    return "".join(parts)


def _strings(rng: random.Random) -> Spans:
    """Return strings in one buffer, some of them empty, adjacent, or inside another."""
    data = bytes(rng.choice(b"aaabbb11.\nAB") for _ in range(700))
    bounds, at = [], 0
    while at < 600:
        at += rng.choice((0, 0, 1, 5))
        size = rng.choice((0, 1, 2, 4, 9))
        bounds.append((at, at + size))
        at += size
    if rng.random() < 0.2:
        bounds.append((10, 500))
    rng.shuffle(bounds)
    starts, ends = np.array(bounds).T
    return Spans(np.frombuffer(data, np.uint8), starts, ends)


@pytest.mark.parametrize("seed", range(4))
def test_all_ways_of_a_search_agree(seed: int) -> None:
    """A search for required text, in runs, and string by string finds the same strings."""
    rng = random.Random(seed)
    strings, used = _strings(rng), 0
    bounds = zip(strings.starts.tolist(), strings.ends.tolist(), strict=True)
    texts = [strings.data[start:end].tobytes() for start, end in bounds]
    for _ in range(150):
        text = rng.choice(("", "", "(?-i)", "(?s)", "(?m)")) + _pattern(rng)
        try:
            compiled = compile_pattern(text.encode())
        except ValueError:
            continue
        used += 1
        expected = [compiled.search(each) is not None for each in texts]
        assert search(compiled, strings).tolist() == expected, text
    assert used > 100


@pytest.mark.parametrize("text", ["[ab]+x", "[ab]{2}"])
def test_a_slow_run_is_searched_string_by_string(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    strings = spans([b"ab", b"", b"abx", b"b"] * 100)
    compiled = compile_pattern(text.encode())
    expected = search(compiled, strings).tolist()
    monkeypatch.setattr(pattern_search, "_RUN_S", 0)
    assert search(compiled, strings).tolist() == expected
