"""Characters that a terminal or a file cannot show: signs become ASCII, the rest is escaped."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from rich.cells import cell_len

from app.terminal.encoding import SIGNS, ascii_sign, is_utf8, screen_bytes
from tests.helpers.support import ROOT

TABLES = {  # their characters are the ends of ranges, never printed
    "core/wire/model/text.py", "app/terminal/cells.py", "app/terminal/encoding.py",
    "app/terminal/printable_filter.py",
}  # fmt: skip


def texts(source: str) -> Iterator[str]:
    """Yield the strings of a module that are not docstrings."""
    tree = ast.parse(source)
    described = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, described) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in docstrings:
            yield node.value


def test_every_sign_of_the_program_has_an_ascii_one() -> None:
    """Every character in any string of the source, of one cell as the sign itself."""
    missing = {
        (str(path.relative_to(ROOT)), character)
        for top in ("app", "core", "widgets")
        for path in (ROOT / top).rglob("*.py")
        if str(path.relative_to(ROOT)) not in TABLES
        for text in texts(path.read_text())
        for character in text
        if not character.isascii() and len(ascii_sign(character)) != 1
    }
    assert not missing


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("ascii", rb"+ good > 5 us \xe9 \u4e2d"),
        ("latin-1", b"+ good > 5 \xb5s \xe9 \\u4e2d"),
        ("utf-8", "✓ good → 5 µs é 中".encode()),
    ],
)
def test_data_keeps_the_value_of_what_it_cannot_show(encoding: str, expected: bytes) -> None:
    assert "✓ good → 5 µs é 中".encode(encoding, SIGNS) == expected


def test_a_surrogate_is_escaped_even_in_utf8() -> None:
    """A file name that is not UTF-8 has surrogates (PEP 383)."""
    assert "a\udcff".encode("utf-8", SIGNS) == rb"a\udcff"
    assert b"a\xff".decode("utf-8", SIGNS) == r"a\xff"


@pytest.mark.parametrize("text", ["│ ✓ ─┐", "▁▃█ ⣿⠀", "中文 é", "e\u0301 x", "\x1b[31m→\x1b[m"])
@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "euc-jp", "gbk", "ISO-8859-15"])
def test_painted_text_keeps_its_width_and_is_ascii(text: str, encoding: str) -> None:
    painted = screen_bytes(text, encoding)
    assert painted.isascii()
    assert cell_len(painted.decode()) == cell_len(text)


def test_lines_of_boxes_stay_lines() -> None:
    assert screen_bytes("┌─┬┐│├┼╮━┃╭", "ascii") == b"+-++|+++-|+"


@pytest.mark.parametrize("encoding", ["UTF-8", "utf8", "u8", "UTF"])
def test_utf8_is_painted_as_it_is(encoding: str) -> None:
    assert is_utf8(encoding)
    assert screen_bytes("→ \udcff", encoding) == "→ ?".encode()
