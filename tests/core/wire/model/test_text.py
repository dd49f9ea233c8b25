"""Text from outside, over all of Unicode: nothing hides, nothing piles up, nothing is lost."""

from __future__ import annotations

import functools
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from core.wire.model.text import STACK, is_hidden, safe, safe_bytes

EVERYTHING = [chr(number) for number in range(sys.maxunicode + 1)]
# Default_Ignorable_Code_Point of DerivedCoreProperties.txt, Unicode 16.0, verbatim
IGNORABLE = (
    "00AD 034F 061C 115F-1160 17B4-17B5 180B-180D 180E 180F 200B-200F 202A-202E 2060-2064 2065 "
    "2066-206F 3164 FE00-FE0F FEFF FFA0 FFF0-FFF8 1BCA0-1BCA3 1D173-1D17A E0000 E0001 E0002-E001F "
    "E0020-E007F E0080-E00FF E0100-E01EF E01F0-E0FFF"
)
OBEYED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _ignorable() -> set[str]:
    found = set()
    for part in IGNORABLE.split():
        first, _, last = part.partition("-")
        found.update(map(chr, range(int(first, 16), int(last or first, 16) + 1)))
    return found


IGNORABLES = _ignorable()


@functools.cache
def marks() -> list[str]:
    """Return the characters that are drawn but have no cell in the screen's table of widths.

    That takes more than half a second, so test processes must not do it while they collect.
    """
    return [each for each in EVERYTHING if not is_hidden(each) and not cell_len(each)]


TEXTS = st.text(
    st.sampled_from("ab → \\é漢")
    | st.deferred(lambda: st.sampled_from(marks()))
    | st.sampled_from(sorted(IGNORABLES))
    | st.characters()
)


def test_no_character_of_unicode_is_obeyed_or_hidden() -> None:
    """Each after a letter that it could combine with."""
    shown = set(safe("a".join(EVERYTHING)))
    assert not shown & IGNORABLES
    assert not {unicodedata.category(each) for each in shown} & OBEYED


def test_every_hidden_character_is_shown_as_its_number() -> None:
    for character in IGNORABLES | {"\x1b", "\x9b", "\u202e", "\ud800", "\ue000"}:
        escaped = safe(f"a{character}b")
        assert int(escaped[3:-1], 16) == ord(character), escaped
        assert escaped.isascii()


def test_every_other_character_stays_as_it_is() -> None:
    """Characters with a cell of their own, also odd spaces, which Python calls not printable."""
    for character in EVERYTHING:
        hidden = character in IGNORABLES or unicodedata.category(character) in OBEYED
        assert is_hidden(character) == hidden, hex(ord(character))
        if not hidden and cell_len(character):
            stacked = unicodedata.category(character) == "Mc"  # combines, and may take a cell
            assert stacked or safe(character) == character, hex(ord(character))


def test_no_mark_piles_up() -> None:
    """Every character without a cell, fifty times: two are shown, the others as numbers."""
    for mark in marks():
        piled = safe("a" + mark * 50)
        assert piled.count(mark) == STACK, hex(ord(mark))
        assert cell_len(piled) > 48 * 4
        assert safe(mark)[0] == "\\", hex(ord(mark))  # no character below it


@pytest.mark.parametrize(
    "text",
    [
        "é",
        "e\u0301",
        "Tiê\u0301ng Viê\u0323t",
        "ที่นี่",
        "नमस्ते",
        "שָׁלוֹם"[:3],
        "\u1112\u1161\u11ab",  # conjoining Hangul
        "漢字 → 日本",
        "54321 → 80 [SYN]",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert safe(text) == text


@given(TEXTS)
def test_safe_text_is_safe(text: str) -> None:
    shown = safe(text)
    assert safe(shown) == shown
    assert not set(shown) & IGNORABLES
    assert not {unicodedata.category(each) for each in shown} & OBEYED
    assert len(shown) >= len(text)
    run = STACK
    for character in shown:
        run = run + 1 if not cell_len(character) else 0
        assert run <= STACK


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_printable_ascii_is_the_same_object(text: str) -> None:
    if text.isprintable():
        assert safe(text) is text


@given(st.binary())
def test_safe_bytes_too(data: bytes) -> None:
    shown = safe_bytes(data)
    assert safe(shown) == shown


def test_escaped_text_can_still_be_read() -> None:
    assert safe("a\x1b[2Jb") == "a\\x1b[2Jb"
    assert safe("\u202eabc\u2066") == "\\u202eabc\\u2066"
    assert safe("e\u0301\u0301\u0301") == "e\u0301\u0301\\u0301"
    assert safe("\u3164.pcap") == "\\u3164.pcap"
    assert safe("❤\ufe0f") == "❤\\ufe0f"
    assert safe_bytes(b"caf\xc3\xa9 \xff\x9b") == "café \\xff\\x9b"
