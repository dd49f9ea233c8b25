"""The meaning of a payload's text."""

from __future__ import annotations

import pytest

from core.forge.compose.payload_file import LONGEST, FileContent
from core.forge.compose.payload_text import parse_payload
from core.wire.encode.value_text import TextError


def test_a_file_has_the_bytes_that_were_read():
    assert parse_payload("@a", {"a": FileContent(b"\0\1hello")}) == b"\0\1hello"


def test_a_file_that_was_not_read_yet_has_no_bytes():
    assert parse_payload("@a", {"b": FileContent(b"x")}) is None
    assert parse_payload("@a") is None


def test_the_error_of_a_file():
    with pytest.raises(TextError, match="@a: not a regular file"):
        parse_payload("@a", {"a": FileContent(error="@a: not a regular file")})


def test_a_text_that_is_too_long():
    assert parse_payload("x" * LONGEST) == b"x" * LONGEST
    with pytest.raises(TextError, match="longer than the 65535 bytes"):
        parse_payload("x" * (LONGEST + 1))


@pytest.mark.parametrize("text", ["a\ud800b", "\udbff"])
def test_half_a_character_is_one_sentence(text):
    with pytest.raises(TextError, match=r"\\ud"):
        parse_payload(text)


def test_an_undecodable_argument_is_its_byte():
    assert parse_payload("a\udcff") == b"a\xff"
