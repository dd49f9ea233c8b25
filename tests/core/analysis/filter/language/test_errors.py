"""Errors of filters: places, and hints."""

from __future__ import annotations

from core.analysis.filter.language.errors import FilterError, TextSpan, nearest


def test_an_error_has_a_column_from_one() -> None:
    error = FilterError("no such field", TextSpan(4, 7))
    assert (str(error), error.column, error.is_incomplete) == ("no such field", 5, False)
    assert TextSpan(1, 3).to(TextSpan(5, 9)) == (1, 9)


def test_a_hint_names_the_nearest_words_whatever_their_case() -> None:
    words = ("tcp.port", "udp.port", "TCP")
    assert nearest("tcp.prot", words) == "; did you mean tcp.port?"
    assert nearest("tcp", words) == "; did you mean TCP?"
    begun = ["ip.flags", "ip.frag_offset", "ip.fragment"]
    assert nearest("ip.frag", begun) == "; did you mean ip.fragment or ip.frag_offset?"
    assert nearest("nothing alike", words) == ""
