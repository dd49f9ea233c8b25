"""The words of a filter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.filter.language.errors import FilterError
from core.analysis.filter.language.lexer import OPERATORS, Token, TokenKind, tokens
from tests.core.analysis.filter.language.failures import failure

WORD, LITERAL, NUMBER = TokenKind.WORD, TokenKind.LITERAL, TokenKind.NUMBER
NAME, FIELD, OPERATOR = TokenKind.IDENTIFIER, TokenKind.FIELD, TokenKind.OPERATOR


def only(text: str) -> Token:
    """Return the one token of a text."""
    first, end = tokens(text)
    assert end.kind is TokenKind.END
    assert first.place == (0, len(text))
    return first


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("tcp", NAME, None),
        ("tcp.port", WORD, None),
        ("mac-lte.ratio", WORD, None),
        ("9p", WORD, None),
        ("68-1", WORD, None),
        ("aa.bb.ff", WORD, None),
        (".fc", FIELD, "fc"),
        (".tcp.port", FIELD, "tcp.port"),
        ("80", NUMBER, 80),
        ("0x1F", NUMBER, 31),
        ("0b101", NUMBER, 5),
        ("0200", NUMBER, 128),
        ("00", NUMBER, 0),
        ("1.5", NUMBER, 1.5),
        ("492204e-3", NUMBER, 492.204),
        ("18446744073709551615", NUMBER, (1 << 64) - 1),
        ("18446744073709551616", LITERAL, "18446744073709551616"),
        ("0a", LITERAL, "0a"),
        ("08", LITERAL, "08"),
        ("10f3deccc00d5c8f629fba7a0fff34aa", WORD, None),
        ("fc:", LITERAL, "fc:"),
        (":fc", LITERAL, "fc"),
        (":00-01-6c", LITERAL, "00-01-6c"),
        (":00.01.6c", LITERAL, "00.01.6c"),
        ("0c:c3", LITERAL, "0c:c3"),
        ("00:aa:00:a3:e3:a4", LITERAL, "00:aa:00:a3:e3:a4"),
        ("00-aa-00-a3-e3-a4", LITERAL, "00-aa-00-a3-e3-a4"),
        ("10.0.0.5", LITERAL, "10.0.0.5"),
        ("10.0.0.0/8", LITERAL, "10.0.0.0/8"),
        ("::", LITERAL, "::"),
        ("::1", LITERAL, "::1"),
        ("ff05::9999/128", LITERAL, "ff05::9999/128"),
        ("fd93:c15b:7ae0:2e41::2:1", LITERAL, "fd93:c15b:7ae0:2e41::2:1"),
        ("::FFFF:129.144.52.38", LITERAL, "::FFFF:129.144.52.38"),
        ('"a b"', TokenKind.STRING, b"a b"),
        (r'r"\d"', TokenKind.STRING, rb"\d"),
        (r"'\n'", TokenKind.CHARACTER, 10),
        ("any", TokenKind.QUANTIFIER, None),
        ("..", TokenKind.PUNCTUATION, None),
    ],
)
def test_one_token(text: str, kind: TokenKind, value: object) -> None:
    token = only(text)
    assert (token.kind, token.text, token.value) == (kind, text, value)


@pytest.mark.parametrize("spelling", OPERATORS)
def test_each_spelling_of_an_operator(spelling: str) -> None:
    assert only(spelling).value is OPERATORS[spelling]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("tcp.port==80&&ip", ["tcp.port", "==", "80", "&&", "ip"]),
        ("80..90", ["80", "..", "90"]),
        ("0.1...7", ["0.1", "..", ".7"]),
        ("10.0.0.1..10.0.0.9", ["10.0.0.1", "..", "10.0.0.9"]),
        ("66+1", ["66", "+", "1"]),
        ("68 -1", ["68", "-", "1"]),
        ("eth.src[0:3]", ["eth.src", "[", "0:3", "]"]),
        ("frame[0-1,-2:]", ["frame", "[", "0-1", ",", "-2:", "]"]),
        ("ip.src#2", ["ip.src", "#", "2"]),
        ("ip.src#[-1]", ["ip.src", "#", "[", "-1", "]"]),
        ("${@ip.src}", ["$", "{", "@", "ip.src", "}"]),
        ("!tcp", ["!", "tcp"]),
        ("\ttcp.port \r\n== 1", ["tcp.port", "==", "1"]),
    ],
)
def test_the_longest_token_wins(text: str, parts: list[str]) -> None:
    found = list(tokens(text))[:-1]
    assert [token.text for token in found] == parts
    assert all(text[slice(*token.place)] == token.text for token in found)


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("a = 4", (2, 3), "write =="),
        ("a ~= 4", (2, 4), "!=="),
        ("a => 4", (2, 4), '"=>" is not an operator; write >='),
        ("a =< 4", (2, 4), "write <="),
        ("a =! 4", (2, 4), "write !="),
        ("a ; b", (2, 3), '";"'),
        ("a \x1b", (2, 3), "'\\x1b'"),
        ("ip#x", (3, 4), 'expected a digit or "["'),
        ("[1]", (0, 1), "a range follows a field"),
        ("“x”", (0, 1), "straight quotes"),
    ],
)
def test_wrong_characters(text: str, place: tuple[int, int], says: str) -> None:
    with pytest.raises(FilterError) as caught:
        list(tokens(text))
    assert caught.value.place == place
    assert says in str(caught.value)
    assert not caught.value.is_incomplete


@pytest.mark.parametrize("text", ["ip#", "ip[", "ip[0:4", '"abc', "'a", 'r"', "a =", "a |", "1."])
def test_the_start_of_a_token_is_incomplete(text: str) -> None:
    with pytest.raises(FilterError) as caught:
        list(tokens(text))
    assert caught.value.is_incomplete


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=40))
def test_any_text_gives_tokens_or_an_error_inside_it(text: str) -> None:
    error = failure(lambda: list(tokens(text)))
    if error is not None:
        assert 0 <= error.place.start <= error.place.stop <= len(text)
    else:
        found = list(tokens(text))
        assert "".join(text.split()) == "".join("".join(t.text for t in found).split())
