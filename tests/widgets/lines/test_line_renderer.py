"""The renderer keeps finished lines: the same line is the same `Strip`, wherever it is."""

from __future__ import annotations

import pytest
from rich.segment import Segment
from textual.pilot import Pilot
from textual.strip import Strip

from tests.widgets.stage import play, screen_text
from widgets.lines.line_view import LineView


class Numbers(LineView):
    """A list of numbers with a header; `built` are the lines that were built, in order."""

    HEADER_LINES = 1
    CUT_MARK = "…"

    def __init__(self, text: str = "line {}") -> None:
        super().__init__()
        self.text = text
        self.built: list[int] = []

    def build_line(self, line: int) -> Strip:
        self.built.append(line)
        return Strip([Segment(self.text.format(line))])

    def line_key(self, line: int) -> int:
        return line

    def build_header(self, line: int) -> Strip:
        return Strip([Segment("header")])


def strips(view: LineView) -> list[Strip]:
    return view.render_lines(view.size.region)


def test_rows_are_header_lines_and_blanks() -> None:
    view = Numbers()

    async def scene(pilot: Pilot[None]) -> None:
        view.set_line_count(2)
        assert screen_text(view) == ["header", "line 0", "line 1", "", ""]

    play(view, scene, size=(20, 5))


def test_scrolling_by_one_builds_one_line() -> None:
    view = Numbers()

    async def scene(pilot: Pilot[None]) -> None:
        view.set_line_count(100)
        await pilot.pause()
        before = strips(view)
        view.built.clear()
        view.scroll_to(y=1)
        after = strips(view)
        assert view.built == [5]
        assert all(now is then for now, then in zip(after[1:-1], before[2:], strict=True))

    play(view, scene, size=(20, 6))


def test_the_same_number_of_lines_repaints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    view = Numbers()

    async def scene(pilot: Pilot[None]) -> None:
        view.set_line_count(100)
        await pilot.pause()
        repainted: list[object] = []
        monkeypatch.setattr(view, "refresh", lambda *regions: repainted.append(regions))
        monkeypatch.setattr(view, "_scroll_update", repainted.append)
        view.set_line_count(100)
        assert repainted == []
        view.set_line_count(2)
        assert len(repainted) == 2

    play(view, scene, size=(20, 6))


def test_lines_are_built_again_only_when_they_are_forgotten_or_the_width_changes() -> None:
    view = Numbers()

    async def scene(pilot: Pilot[None]) -> None:
        view.set_line_count(3)
        await pilot.pause()
        view.built.clear()
        strips(view)
        assert view.built == []
        view.forget_lines()
        strips(view)
        assert view.built == [0, 1, 2]
        await pilot.resize_terminal(30, 6)
        await pilot.pause()
        strips(view)
        assert view.built == [0, 1, 2] * 2

    play(view, scene, size=(20, 6))


@pytest.mark.parametrize(
    ("text", "shown"), [("x" * 11, "x" * 9 + "…"), ("x" * 10 + " " * 9, "x" * 10)]
)
def test_a_line_is_marked_as_cut_unless_only_blanks_are_cut(text: str, shown: str) -> None:
    view = Numbers(text)
    view.styles.scrollbar_gutter = "auto"

    async def scene(pilot: Pilot[None]) -> None:
        view.set_line_count(1)
        assert screen_text(view)[1] == shown

    play(view, scene, size=(10, 4))


def test_a_border_keeps_lines_the_same() -> None:
    view = Numbers()
    view.styles.border = ("solid", "red")

    async def scene(pilot: Pilot[None]) -> None:
        view.set_line_count(3)
        await pilot.pause()
        region = view.region.reset_offset
        before = view.render_lines(region)
        assert before[2].text.startswith("│line 0")
        assert view.render_lines(region)[2] is before[2]
        view.styles.border = ("heavy", "red")
        view.notify_style_update()  # Textual calls it when a rule of the style sheet changes
        assert view.render_lines(region)[2].text.startswith("┃line 0")

    play(view, scene, size=(20, 8))
