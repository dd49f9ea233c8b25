"""Regular expressions, compiled: PCRE2's meaning."""

from __future__ import annotations

import pytest

from core.analysis.filter.language.patterns.compilation import compile_pattern


@pytest.mark.parametrize(
    ("pattern", "data", "matches"),
    [
        (b"head", b"HEAD /", True),
        (b"(?-i)head", b"HEAD /", False),
        (b"he(?-i)ad", b"HEad", True),
        (b"he(?-i)ad", b"HEAD", False),
        (b"^HEAD", b"xHEAD", False),
        (b"a.b", b"a\nb", False),
        (b"(?s)a.b", b"a\nb", True),
        (rb"\xff\x00", b"\xff\x00", True),
        (rb"\d+\.\d+", b"v1.5", True),
        (b"[[]x", b"[x", True),
        (b"[]x]", b"]", True),
        (b"[^]x]", b"x]", False),
        (b"[a&&b]", b"&", True),
        (b"[+--]+$", b"+,-", True),
        (b"^[--/]+$", b"-./", True),
        (b"[a||b]", b"|", True),
        (b"[[:alpha:]]+5", b"ab5", True),
        (b"[^[:alpha:]]", b"ab", False),
        (rb"[\]a]+", b"]a", True),
        (rb"\[a&&", b"[a&&", True),
        (rb"\Qa[b\E", b"a[b", True),
        (b"x{e}", b"x", False),
        (b"x{s<=1}", b"xx", False),
        (b"a{,3}b", b"b", False),
        (rb"^\ea\Z", b"\x1ba\n", True),
        (rb"^\v\h$", b"\x85\xa0", True),
        (b"(?m)^$", b"a\n", False),
    ],
)
def test_patterns(pattern: bytes, data: bytes, matches: bool) -> None:
    assert (compile_pattern(pattern).search(data) is not None) is matches


@pytest.mark.parametrize("pattern", [b"(", b"(a", b"[a", b"*", b"a{2,1}", b"(?P<a"])
def test_wrong_patterns(pattern: bytes) -> None:
    with pytest.raises(ValueError, match="at position"):
        compile_pattern(pattern)


def test_a_long_pattern_is_refused() -> None:
    with pytest.raises(ValueError, match="it has 16,385 bytes, and at most 16,384 are possible"):
        compile_pattern(b"a" * 16_385)
