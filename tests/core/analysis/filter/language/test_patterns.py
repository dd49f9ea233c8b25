"""Regular expressions: PCRE's syntax where `regex` has another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.filter.language.patterns import compile_pattern
from tests.helpers.waiting import PATIENCE_S


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
    ],
)
def test_patterns(pattern: bytes, data: bytes, matches: bool) -> None:
    assert (compile_pattern(pattern).search(data) is not None) is matches


@pytest.mark.parametrize("pattern", [b"(", b"(a", b"[a", b"*", b"a{2,1}", b"(?P<a"])
def test_wrong_patterns(pattern: bytes) -> None:
    with pytest.raises(ValueError, match="at position"):
        compile_pattern(pattern)


@given(st.binary(max_size=12) | st.text(alphabet="[]a-&|^:\\(*", max_size=12).map(str.encode))
def test_any_pattern_compiles_or_is_wrong(pattern: bytes) -> None:
    try:
        compiled = compile_pattern(pattern)
    except ValueError:
        return
    compiled.search(b"a-[&", timeout=PATIENCE_S)
