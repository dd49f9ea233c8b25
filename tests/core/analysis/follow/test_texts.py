"""No byte of a stream controls a terminal, and none takes more cells than bytes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from core.analysis.follow.texts import line_text, shown_text
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
    ],
)
def test_lines(data: bytes, text: str) -> None:
    assert line_text(data) == text


@settings(max_examples=50)
@given(
    st.binary(max_size=40) | st.text(max_size=20).map(lambda text: text.encode("utf-8", "ignore"))
)
def test_any_bytes(data: bytes) -> None:
    text = shown_text(data)
    assert safe(text) == text
    assert cell_len(text) <= len(data)
