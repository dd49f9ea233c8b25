"""Quoted strings and character constants."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.filter.language.errors import FilterError
from core.analysis.filter.language.escapes import read_character, read_string
from tests.core.analysis.filter.language.failures import failure


def string(body: str, *, is_raw: bool = False) -> bytes:
    """Return the bytes of a string with this body."""
    text = f'"{body}"'
    value, end = read_string(text, 1, is_raw=is_raw, opened=0)
    assert end == len(text)
    return value


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("abc", b"abc"),
        (r"\"\\\'", b"\"\\'"),
        (r"\a\b\f\n\r\t\v", b"\a\b\f\n\r\t\v"),
        (r"\0\12\377", b"\x00\x0a\xff"),
        (r"\x4\x41\xff", b"\x04A\xff"),
        (r"\u00e9\u20ac\u0024", "é€$".encode()),
        (r"\U0001f600", "😀".encode()),
        ("é", "é".encode()),
    ],
)
def test_escapes_of_a_string(body: str, value: bytes) -> None:
    assert string(body) == value


def test_a_raw_string_keeps_its_backslashes() -> None:
    assert string(r"^10\.\x41\"", is_raw=True) == rb"^10\.\x41\""


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (r"^10\.", r"\. is not an escape"),
        (r"\400", "larger than 255"),
        (r"\u12", "takes 4 digits"),
        (r"\U0001", "takes 8 digits"),
        (r"\u0048", r"write \x48"),
        (r"\ud800", "not a character"),
        (r"\U00110000", "not a character"),
    ],
)
def test_wrong_escapes(body: str, says: str) -> None:
    with pytest.raises(FilterError) as caught:
        string(body)
    assert says in str(caught.value)
    assert body[caught.value.place.start - 1] == "\\"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'a'", 97), ("' '", 32), (r"'\n'", 10), (r"'\''", 39), (r"'\\'", 92),
        (r"'\0'", 0), (r"'\101'", 65), (r"'\x1b'", 27), (r"'\u00e9'", 0xE9),
    ],
)  # fmt: skip
def test_characters(text: str, value: int) -> None:
    assert read_character(text, 0) == (value, len(text))


@pytest.mark.parametrize("text", ["''", "'ab'", r"'\Z'", "'é'", r"'\400'", r"'\u0041'", r"'\n1'"])
def test_wrong_characters(text: str) -> None:
    with pytest.raises(FilterError) as caught:
        read_character(text, 0)
    assert caught.value.place.start == 0 or text == r"'\400'"
    assert not caught.value.is_incomplete


@given(st.text(max_size=20))
def test_a_quote_begins_a_string_or_is_an_error(body: str) -> None:
    for is_raw in (True, False):
        text = f'"{body}"'
        error = failure(lambda: read_string(text, 1, is_raw=is_raw, opened=0))  # noqa: B023
        if error is not None:
            assert 0 <= error.place.start <= error.place.stop <= len(text)
        else:
            assert read_string(text, 1, is_raw=is_raw, opened=0)[1] <= len(text)
