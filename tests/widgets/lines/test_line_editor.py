"""A line of text that the user edits."""

from __future__ import annotations

import pytest

from widgets.lines.line_editor import LineEditor


def edited(text: str, cursor: int, *keys: str) -> str:
    """Return the line after some keys, with a bar for the cursor."""
    line = LineEditor(text)
    line.go_to(cursor)
    for key in keys:
        if not line.press(key):
            line.insert(key)
    return line.text[: line.cursor] + "|" + line.text[line.cursor :]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["1"], "mss=1|1460,nop"),
        (["left", "backspace"], "ms|=1460,nop"),
        (["delete"], "mss=|460,nop"),
        (["home"], "|mss=1460,nop"),
        (["ctrl+a"], "|mss=1460,nop"),
        (["end"], "mss=1460,nop|"),
        (["ctrl+right"], "mss=1460,|nop"),
        (["ctrl+left"], "|mss=1460,nop"),
        (["ctrl+u"], "|1460,nop"),
        (["ctrl+k"], "mss=|"),
        (["end", "ctrl+w"], "mss=1460,|"),
        (["end", "right", "delete"], "mss=1460,nop|"),
        (["home", "left", "backspace"], "|mss=1460,nop"),
    ],
)
def test_keys(keys, expected):
    assert edited("mss=1460,nop", 4, *keys) == expected


def test_a_key_that_edits_nothing_is_refused():
    line = LineEditor("64")
    assert not line.press("enter")
    assert (line.text, line.cursor) == ("64", 2)
