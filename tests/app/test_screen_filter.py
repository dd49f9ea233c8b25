"""No control character reaches the terminal, whichever window shows it."""

from __future__ import annotations

import os

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import DimFilter, Monochrome
from textual.widgets import OptionList

from app.screen_filter import AS_IS, with_gate
from core.store.packet_store import PacketStore
from tests.idle import eventually
from tests.scripted_monitor import scripted_monitor

BACKGROUND = Color(0, 0, 0)


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
    ],
)
def test_what_is_painted(text, painted):
    (gate,) = with_gate([])
    (segment,) = gate.apply([Segment(text)], BACKGROUND)
    assert segment.text == painted
    assert cell_len(segment.text) == cell_len(text)
    segment.text.encode()


def test_printable_lines_pass_as_they_are():
    segments = [Segment("No."), Segment("Time")]
    (gate,) = with_gate([])
    assert gate.apply(segments, BACKGROUND) is segments


def test_the_gate_stands_around_the_other_filters():
    grey, dim = Monochrome(), DimFilter()
    gate, last = with_gate([grey, dim])
    assert last is dim
    red = [Segment("a\x1bb", Style(color="red"))]
    assert gate.apply(red, BACKGROUND) == grey.apply([Segment("ab", red[0].style)], BACKGROUND)
    assert with_gate([grey])[0] is gate  # or every line would be painted anew
    assert with_gate([]) == with_gate([AS_IS])


async def test_hostile_file_names_in_the_file_dialog(tmp_path, monkeypatch):
    for name in (b"evil\x1b]0;pwned\x07.pcap", b"\xff\xfe.pcap", "\u202ecap.pcap".encode()):
        (tmp_path / os.fsdecode(name)).write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    monitor = scripted_monitor(PacketStore())
    async with monitor.run_test(size=(100, 30)) as pilot:
        await pilot.press("o")
        names = pilot.app.screen.query_one(OptionList)
        await eventually(lambda: names.option_count >= 3, "the names")
        await pilot.pause()
        lines = [strip.text for strip in pilot.app.screen._compositor.render_strips()]
        assert any("evil]0;pwned.pcap" in line for line in lines)
        for line in lines:
            assert line.isprintable()
            line.encode()
