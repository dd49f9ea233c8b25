"""Searches for regular expressions, and their time limit."""

from __future__ import annotations

import random

import numpy as np
import pytest

from core.analysis.filter.evaluation import pattern_search
from core.analysis.filter.evaluation.pattern_search import search
from core.analysis.filter.language.patterns.compilation import compile_pattern
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
    assert search(compiled, spans(strings)).found.tolist() == expected
    texts = np.array([each.decode() for each in strings], dtype=object)
    assert search(compiled, texts).found.tolist() == expected


def test_a_string_that_takes_too_long_counts_as_without_a_match(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pattern_search, "PACKET_S", 0.01)
    strings = [b"aaa", b"a" * 60 + b"b", b"", b"a" * 70 + b"b", b"aa"]
    compiled = compile_pattern(b"(a|aa)+$")
    texts = np.array([each.decode() for each in strings], dtype=object)
    for values in (spans(strings), texts):
        found, slow = search(compiled, values)
        assert found.tolist() == [True, False, False, False, True]
        assert slow.tolist() == [1, 3]


class Spent:
    """A budget that lasts for `times` questions whether it is spent."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.asked = 0

    def __call__(self) -> bool:
        self.asked += 1
        return self.asked > self.times


class Counting:
    """A pattern that counts the strings that it searches."""

    def __init__(self, pattern: bytes) -> None:
        self._compiled = compile_pattern(pattern)
        self.pattern = pattern
        self.searched = 0

    def search(self, *given, **options):
        self.searched += 1
        return self._compiled.search(*given, **options)


@pytest.mark.parametrize("least", [0, 1, 3])
@pytest.mark.parametrize("text", [b"(a|aa)+$", b"(?=a)", b"(a|b)+c?x*y*$", b"a+b+c?$"])
def test_a_search_stops_after_the_current_string(text: bytes, least: int) -> None:
    """With a spent budget, only the strings that the caller needs are searched."""
    strings = [b"a" * 3_000, b"b" * 3_000, b"aab" * 3_000, b"c"] * 3
    pattern = Counting(text)
    expected = search(compile_pattern(text), spans(strings)).found.tolist()
    found = search(pattern, spans(strings), Spent(0), least).found  # type: ignore[arg-type]
    assert pattern.searched <= least  # fewer if strings without the required text are among them
    assert least <= len(found) <= len(strings)
    assert found.tolist() == expected[: len(found)]
    texts = np.array([f"{index}{each.decode()}" for index, each in enumerate(strings)], object)
    pattern = Counting(text)
    assert len(search(pattern, texts, Spent(0), least).found) == least  # type: ignore[arg-type]
    assert pattern.searched == least


@pytest.mark.parametrize("text", [b"[ab]+x", b"[ab]{2}", b"(a|aa)+$", b"x+.*y*z*b", b"^a"])
def test_a_search_that_is_continued_finds_what_one_search_finds(text: bytes) -> None:
    strings = spans([b"ab", b"", b"abx", b"b", b"x" * 9 + b"b"] * 60)
    compiled = compile_pattern(text)
    expected = search(compiled, strings).found.tolist()
    for times in (0, 1, 5):
        found: list[bool] = []
        while len(found) < len(strings):
            rest = strings.take(np.arange(len(found), len(strings)))
            found += search(compiled, rest, Spent(times)).found.tolist()
        assert found == expected


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
        assert search(compiled, strings).found.tolist() == expected, text
    assert used > 100


@pytest.mark.parametrize("text", ["[ab]+x", "[ab]{2}"])
def test_a_slow_run_is_searched_string_by_string(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    strings = spans([b"ab", b"", b"abx", b"b"] * 100)
    compiled = compile_pattern(text.encode())
    expected = search(compiled, strings).found.tolist()
    monkeypatch.setattr(pattern_search, "_RUN_S", 0)
    assert search(compiled, strings).found.tolist() == expected
