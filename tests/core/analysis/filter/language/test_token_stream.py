"""The token stream."""

from __future__ import annotations

import pytest

from core.analysis.filter.language.errors import FilterError
from core.analysis.filter.language.syntax import Operator
from core.analysis.filter.language.token_stream import DEPTH, TokenStream


def test_tokens_are_read_one_after_the_other() -> None:
    stream = TokenStream("tcp )")
    assert stream.advance().text == "tcp"
    assert stream.follows("tcp")
    assert stream.has(")")
    assert stream.operator is None
    assert stream.expect(")", "')'").place == (4, 5)
    assert stream.at_end()


def test_an_error_waits_until_its_token_is_reached() -> None:
    stream = TokenStream("tcp and =")
    stream.advance()
    assert stream.operator is Operator.AND
    stream.advance()
    with pytest.raises(FilterError, match='"="'):
        stream.advance()


def test_an_unexpected_token_is_named_and_the_end_is_incomplete() -> None:
    stream = TokenStream("adn")
    assert "did you mean any or and?" in str(stream.unexpected("'and'"))
    stream.advance()
    error = stream.unexpected("'and'")
    assert error.is_incomplete
    assert str(error) == "unexpected end of the filter; expected 'and'"


def test_brackets_are_nested_to_a_limit() -> None:
    stream = TokenStream("x")

    def nest(levels: int) -> None:
        with stream.deeper():
            if levels > 1:
                nest(levels - 1)

    nest(DEPTH)
    with pytest.raises(FilterError, match="levels deep"):
        nest(DEPTH + 1)
