"""No character that a terminal interprets or hides reaches it, whichever widget shows it."""

from __future__ import annotations

import os
import unicodedata

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import DimFilter, Monochrome
from textual.widgets import Input, OptionList

from app.terminal.printable_filter import UNCHANGED, with_printable_filter
from core.store.packet_store import PacketStore
from core.wire.model.text import STACK, is_hidden, safe
from tests.core.wire.model.test_text import EVERYTHING, IGNORABLES, OBEYED, marks
from tests.helpers.idle import eventually, screen_text
from tests.helpers.scripted_monitor import scripted_monitor
from tests.helpers.support import is_thorough

BACKGROUND = Color(0, 0, 0)
VAST = {"Cn", "Co"}  # unassigned and private: nine of ten numbers
SHARE = 1 if is_thorough() else 16  # one of them in this many


@pytest.mark.parametrize(
    ("text", "painted"),
    [
        ("plain", "plain"),
        ("✗ ● 漢字 é", "✗ ● 漢字 é"),
        ("a\x1b[2Jb", "a[2Jb"),
        ("a\x9b2Jb", "a2Jb"),
        ("bell\x07 del\x7f", "bell del"),
        ("\u202egnp.exe", "gnp.exe"),
        ("\udcff.pcap", "�.pcap"),
        ("a\u3164b\u034fc", "abc"),
        ("\u115f.pcap", "��.pcap"),
        ("e\u0301\u0301\u0301\u0301", "e\u0301\u0301"),
        ("\u0301e", "e"),
        ("❤\ufe0f!", "❤! "),  # narrower by a cell without the selector
        ("👩\u200d🚀", "👩"),  # without the joiner there is room for one of them
    ],
)
def test_painted_lines_are_filtered(text, painted):
    (gate,) = with_printable_filter([])
    (segment,) = gate.apply([Segment(text)], BACKGROUND)
    assert segment.text == painted
    assert cell_len(segment.text) == cell_len(text)
    segment.text.encode()


def shown(*texts: str) -> str:
    """Return the filtered line of these segments, each of which must keep its width."""
    (gate,) = with_printable_filter([])
    painted = gate.apply([Segment(text) for text in texts], BACKGROUND)
    for before, after in zip(texts, painted, strict=True):
        assert cell_len(before) == cell_len(after.text)
    return "".join(segment.text for segment in painted)


def test_no_character_of_unicode_is_interpreted_or_hidden():
    """Each character follows a letter that it could combine with.

    A line that gets wider loses its end, so each one ends with letters.
    """
    chosen = [
        each
        for number, each in enumerate(EVERYTHING)
        if number % SHARE == 0 or unicodedata.category(each) not in VAST or each in IGNORABLES
    ]
    segments = [chosen[start : start + 4096] for start in range(0, len(chosen), 4096)]
    painted = set(shown(*("a" + "a".join(segment) + "a" * 8 for segment in segments)))
    assert not painted & IGNORABLES
    assert not {unicodedata.category(each) for each in painted} & OBEYED
    assert painted == {each for each in chosen if not is_hidden(each)}


def test_no_mark_piles_up():
    """Every character of width 0, in one segment and in separate segments."""
    for mark in marks():
        assert shown("a" + mark * 50) == "a" + mark * STACK
        assert shown("a", *([mark] * 50), "b") == f"a{mark * STACK}b"
        assert shown(mark) == ""


def test_safe_text_passes_unchanged():
    """The filter and `safe` use the same rules."""
    for character in EVERYTHING:
        if safe(f"a{character}") == f"a{character}":
            assert shown(f"a{character}") == f"a{character}", hex(ord(character))


def test_printable_lines_pass_unchanged():
    segments = [Segment("No."), Segment("Time")]
    (gate,) = with_printable_filter([])
    assert gate.apply(segments, BACKGROUND) is segments


def test_the_filter_wraps_the_other_filters():
    gray, dim = Monochrome(), DimFilter()
    gate, last = with_printable_filter([gray, dim])
    assert last is dim
    red = [Segment("a\x1bb", Style(color="red"))]
    assert gate.apply(red, BACKGROUND) == gray.apply([Segment("ab", red[0].style)], BACKGROUND)
    assert with_printable_filter([gray])[0] is gate  # otherwise every line would be painted again
    assert with_printable_filter([]) == with_printable_filter([UNCHANGED])


async def test_hostile_file_names_in_the_file_dialog(tmp_path, monkeypatch):
    names_on_disk = (
        b"evil\x1b]0;pwned\x07.pcap",
        b"\xff\xfe.pcap",
        "\u202ecap.pcap".encode(),
        "hidden\u3164\u034f\ufe0f\u115f.pcap".encode(),
        ("piled" + "\u0301" * 40 + ".pcap").encode(),
    )
    for name in names_on_disk:
        (tmp_path / os.fsdecode(name)).write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    monitor = scripted_monitor(PacketStore())
    async with monitor.run_test(size=(100, 30)) as pilot:
        await pilot.press("o")
        await eventually(lambda: pilot.app.screen.query(OptionList), "the dialog")
        names = pilot.app.screen.query_one(OptionList)
        await eventually(lambda: names.option_count >= len(names_on_disk), "the names")
        await pilot.pause()
        lines = [strip.text for strip in pilot.app.screen._compositor.render_strips()]
        assert any("evil]0;pwned.pcap" in line for line in lines)
        assert any("piled" + "\u0301" * STACK + ".pcap" in line for line in lines)
        for line in lines:
            assert line.isprintable()
            assert not set(line) & IGNORABLES
            line.encode()


async def test_hostile_text_in_an_input():
    """A paste enters the field unchanged; what is painted of it passes the filter."""
    monitor = scripted_monitor(PacketStore())
    async with monitor.run_test(size=(100, 30)) as pilot:
        await pilot.press("o")
        await eventually(lambda: pilot.app.screen.query(OptionList), "the dialog")
        field = pilot.app.screen.query_one(Input)
        field.value = "x\u3164\u034f\ufe0f\u115fy" + "\u0301" * 20
        await eventually(lambda: "y" + "\u0301" * STACK in screen_text(pilot.app), "the text")
        painted = screen_text(pilot.app)
        assert not set(painted) & IGNORABLES
        assert painted.count("\u0301") == STACK
