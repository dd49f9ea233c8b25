"""The latest steps of the selected client, one wake-up per line: ``EPOLLIN → read 64 → EAGAIN``.

It stays at the newest line until the user scrolls up, and follows again from the end on.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from textwrap import wrap

from rich.segment import Segment
from textual.strip import Strip

from core.echo.log import Entry, lines
from widgets.lines.line_view import LineView

TIME_WIDTH = 11
TITLE_LINES = 2  # at most
NOTHING = "no event since the log began"
_SHORT_S = 1e-3


class EchoLog(LineView):
    """Lines with the time since the line before, and the steps."""

    COMPONENT_CLASSES = {"echo-log--time", "echo-log--title"}
    HEADER_LINES = 1

    DEFAULT_CSS = """
    EchoLog {
        & > .echo-log--time { color: $text-muted; }
        & > .echo-log--title { color: $text-muted; background: $panel; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.can_focus = False
        self._entries: Sequence[Entry] | None = None
        self._lines: list[tuple[str, str]] = []  # wrapped to the width of the screen
        self._title = self._nothing = ""
        self._titles = [""]  # its lines

    def show(self, title: str, entries: Sequence[Entry], nothing: str = NOTHING) -> None:
        """Show these steps, oldest first, under a title; `nothing` stands for no steps."""
        if title != self._title:
            self._title = title
            self._break_title()
        if self._entries is not None and _same(entries, self._entries) and nothing == self._nothing:
            return
        self._nothing = nothing
        at_end = self.scroll_offset.y >= self.max_scroll_y
        self._entries = entries
        self._break_lines()
        if at_end:
            self.scroll_to(y=self.window.last_top)

    def on_resize(self) -> None:
        """Wrap the text again; keep the newest line on the screen."""
        self._break_title()
        self._break_lines()
        self.scroll_to(y=self.window.last_top)

    def _break_title(self) -> None:
        width = max(1, self.size.width - 2)
        self._titles = wrap(self._title, width, max_lines=TITLE_LINES, placeholder=" …") or [""]
        self.HEADER_LINES = len(self._titles)
        self.set_line_count(self.line_count)
        self.refresh()

    def _break_lines(self) -> None:
        if not self.size:
            return  # hidden: it will be resized before it is shown
        made = _timed(lines(self._entries or ())) or [("", self._nothing)]
        self._lines = list(_broken(made, self.window.width - TIME_WIDTH - 2))
        self.set_line_count(len(self._lines))
        self.refresh()

    def line_key(self, line: int) -> Hashable:
        """Return the text of the line."""
        return self._lines[line]

    def build_line(self, line: int) -> Strip:
        """Draw one wake-up."""
        time_text, words = self._lines[line]
        time_style = self.component("echo-log--time")
        time = Segment(f"{time_text:>{TIME_WIDTH}}  ", time_style)
        return Strip([time, Segment(words, self.component.base)])

    def build_header(self, line: int) -> Strip:
        """Draw the condition of the client."""
        style = self.component("echo-log--title")
        title = f"  {self._titles[line]}"
        return Strip([Segment(title.ljust(self.size.width), style)])


def _broken(made: list[tuple[str, str]], width: int) -> Iterator[tuple[str, str]]:
    """Wrap lines that are too wide; the later parts have no time."""
    for time_text, words in made:
        for part in wrap(words, max(1, width)) or [""]:
            yield time_text, part
            time_text = ""


def _same(one: Sequence[Entry], other: Sequence[Entry]) -> bool:
    """Return True if nothing was added. A log loses steps at its start only when it grows."""
    return len(one) == len(other) and (not one or (one[-1] is other[-1] and one[0] is other[0]))


def _timed(made: list[tuple[float, str]]) -> list[tuple[str, str]]:
    """Replace each time by the gap since the line before; the first line has none."""
    timed, last_s = [], None
    for time_s, words in made:
        timed.append(("" if last_s is None else _gap_text(time_s - last_s), words))
        last_s = time_s
    return timed


def _gap_text(seconds: float) -> str:
    if seconds < _SHORT_S:
        return f"+{seconds * 1e6:.0f} µs"
    return f"+{seconds * 1e3:.1f} ms" if seconds < 1 else f"+{seconds:.1f} s"
