"""No byte of a stream controls a terminal, and none takes more cells than bytes."""

from __future__ import annotations

import random
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from core.analysis.follow.texts import DOT, line_text, shown_text
from core.wire.model.text import safe


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"GET / HTTP/1.1\r\n", "GET / HTTP/1.1"),
        (b"a\tb\n", "a b"),
        (b"\x1b[31mred\x9b\r", "·[31mred··"),
        ("žluťoučký 中文".encode(), "žluťoučký 中文"),
        ("\u202e\u200b".encode(), "··"),
        (b"\r\n", ""),
        ("é".encode(), "é"),  # a line that is text as a whole
        (b"\xff\xc3\xa9ab\x00", "··ab·"),
        (b"\xff" + "žluťoučk".encode() + b"\x00", "·žluťoučk·"),
        (b"\xff" + "žluťouč".encode() + b"\x00", "··lu·ou··"),
        ("abc שלום سلام e\u0301".encode(), "abc ···· ···· e·"),
        ("한글 \u1100\u1161".encode(), "한글 \u1100·"),
    ],
)
def test_lines(data: bytes, text: str) -> None:
    assert line_text(data) == text


def test_binary_data_has_next_to_no_letters_outside_of_ascii() -> None:
    data = random.Random(4).randbytes(200_000)
    lines = data.splitlines(keepends=True)
    letters = [each for line in lines for each in line_text(line) if each > "~" and each != DOT]
    assert len(letters) < 100  # 44; 6,176 if each valid letter were shown


@given(st.text(max_size=20), st.binary(max_size=9))
def test_nothing_combines_or_turns_the_line(text: str, noise: bytes) -> None:
    shown = shown_text(text.encode("utf-8", "ignore") + noise)
    for each in shown:
        assert unicodedata.combining(each) == 0
        assert unicodedata.category(each)[0] != "M"
        assert unicodedata.bidirectional(each) not in ("R", "AL", "AN")


@given(st.binary(max_size=30), st.text(max_size=9))
def test_the_place_of_a_byte_does_not_depend_on_those_behind_it(data: bytes, text: str) -> None:
    whole = data + text.encode("utf-8", "ignore") + data
    assert len(shown_text(data + b"|")) + len(shown_text(whole[len(data) :])) == (
        len(shown_text(data + b"|" + whole[len(data) :]))
    )


@settings(max_examples=50)
@given(
    st.binary(max_size=40) | st.text(max_size=20).map(lambda text: text.encode("utf-8", "ignore"))
)
def test_any_bytes(data: bytes) -> None:
    text = shown_text(data)
    assert safe(text) == text
    assert cell_len(text) <= len(data)
