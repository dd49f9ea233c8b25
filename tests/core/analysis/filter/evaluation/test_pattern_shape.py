"""Facts about regular expressions, found without running them."""

from __future__ import annotations

import pytest

from core.analysis.filter.evaluation.pattern_shape import UNKNOWN_SHAPE, shape_of
from core.analysis.filter.language.patterns.compilation import compile_pattern


@pytest.mark.parametrize(
    ("pattern", "literal", "required"),
    [
        (b"get", b"get", (b"get",)),
        (b"", b"", ()),
        (rb"user\.name", b"user.name", (b"user.name",)),
        (rb"\x41B", b"AB", (b"AB",)),
        (b"(?:ab)c", b"abc", (b"abc",)),
        (b"a{3}b", b"aaab", (b"aaab",)),
        (b"get|post", None, (b"get", b"post")),
        (b"(get|post) /index", None, (b" /index",)),
        (b"(get|post).x", None, (b"get", b"post")),
        (b"get|.", None, ()),
        (b"get|", None, ()),
        (b"ab+cde", None, (b"cde",)),
        (b"abcd?e", None, (b"abc",)),
        (b"abc*", None, (b"ab",)),
        (b"(ab)*c", None, (b"c",)),
        (b"(ab|xy)+c", None, (b"ab", b"xy")),
        (b"^GET$", None, (b"GET",)),
        (b"[ab]cd", None, (b"cd",)),
        (b"[[:alpha:]]+=", None, (b"=",)),
        (rb"[]\]]xy", None, (b"xy",)),
        (rb"\d{2,}:", None, (b":",)),
        (rb"\xff\xfeab", None, (b"ab",)),
        (b"a{0}b", None, (b"b",)),
        (b"a{,2}b", None, ()),
        (b"|".join(b"abcdefghi"[i : i + 1] for i in range(9)), None, ()),
    ],
)
def test_the_text_that_every_match_contains(
    pattern: bytes, literal: bytes | None, required: tuple[bytes, ...]
) -> None:
    shape = shape_of(pattern)
    assert (shape.literal, shape.required) == (literal, required)


@pytest.mark.parametrize(
    ("pattern", "ignores_case"),
    [(b"a", True), (b"(?-i)a", False), (b"(?s)(?-i)a", False), (b"(?-i)(?i)a", True)],
)
def test_the_case_of_letters(pattern: bytes, ignores_case: bool) -> None:
    assert shape_of(pattern).ignores_case is ignores_case


@pytest.mark.parametrize(
    "pattern",
    [
        b"a(?=b)", b"a(?i)b", b"a(?#x)b", b"a++b", b"(?>a)b", rb"(a)\1", b"(?x)a b", rb"a\Kb",
        b"a{e<=1}", b"(*FAIL)", b"a{100}b", rb"\p{L}", b"(?|a|b)", rb"a\hb", b"a]", b"a**", b"^*a",
    ],
)  # fmt: skip
def test_other_syntax_has_an_unknown_shape(pattern: bytes) -> None:
    assert shape_of(pattern) == UNKNOWN_SHAPE


@pytest.mark.parametrize(
    ("pattern", "is_local"), [(b"a.[b]c*", True), (b"^a", False), (b"a$", False), (rb"\ba", False)]
)
def test_a_match_depends_on_its_own_bytes(pattern: bytes, is_local: bool) -> None:
    assert shape_of(pattern).is_local is is_local


@pytest.mark.parametrize(
    ("pattern", "is_quick"),
    [(b"a.b", True), (b"a+b", True), (b"a{2}b?", True), (b"a+b+", False), (b"(a+){2}", False),
     (b"(a|aa)+", False)],
)  # fmt: skip
def test_searches_that_are_always_quick(pattern: bytes, is_quick: bool) -> None:
    assert shape_of(pattern).is_quick is is_quick


def test_anchors_of_lines_are_read_as_anchors() -> None:
    """A pattern with ``(?m)`` keeps the text that all its matches contain."""
    shape = shape_of(compile_pattern(b"(?m)^Host: .*$").pattern)
    assert shape.required == (b"Host: ",)
    assert not shape.is_local
