"""Sets of bytes: every byte is in the set that is written for it, and in no other."""

from __future__ import annotations

import pytest

from core.analysis.filter.language.patterns.byte_sets import (
    ALL,
    CLASSES,
    category,
    posix_class,
    written_byte,
    written_set,
)
from core.analysis.filter.language.patterns.compilation import compile_pattern


def members(pattern: bytes) -> set[int]:
    """Return the bytes that a pattern matches."""
    compiled = compile_pattern(pattern)
    return {each[0] for each in compiled.findall(bytes(sorted(ALL)))}


def test_every_byte_matches_itself_in_both_cases() -> None:
    """Bytes from 0x80 on have no case, and are found while the case is ignored."""
    for code in ALL:
        both = {code, *bytes((code,)).swapcase()}
        assert members(written_byte(code)) == both
        assert members(b"(?-i)" + written_byte(code)) == {code}
        assert members(written_set({code, 1})) == both | {1}
        assert members(written_set({code}, is_negated=True)) == ALL - both


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_classes_inside_and_outside_of_sets(name: bytes) -> None:
    assert members(b"\\" + name) == members(b"[\\" + name + b"]") == CLASSES[name]
    assert members(b"[^\\" + name + b"]") == ALL - CLASSES[name]


def test_posix_classes_follow_the_case_flag() -> None:
    assert members(b"[[:upper:]]") == members(b"[[:lower:]]") == members(b"[[:alpha:]]")
    assert members(b"(?-i)[[:upper:]]") == set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert posix_class(b"^digit", ignores_case=True) == ALL - set(b"0123456789")
    assert posix_class(b"foo", ignores_case=True) is None


def test_categories_are_those_of_latin_1() -> None:
    assert category(b"Lu") == {code for code in ALL if chr(code).isupper()}
    assert category(b"^L") == ALL - (category(b"L") or set())
    assert category(b"Greek") is None


def test_an_empty_and_a_full_set() -> None:
    assert members(written_set([])) == members(written_set(ALL, is_negated=True)) == set()
    assert members(written_set(ALL)) == members(written_set([], is_negated=True)) == ALL
