"""The lines below the filter bar: whether the text is valid, incomplete, or wrong, and completions.

They lie over the table, so its rows do not move.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import set_cell_size
from rich.text import Text
from textual import events
from textual.reactive import reactive
from textual.widget import Widget

from core.analysis.filter.language.errors import FilterError
from core.wire.model.text import safe

EMPTY = "type a filter such as dns or ip.addr == 10.0.0.1; empty: all packets"
VALID = "✓ valid: enter applies it"
MOST_LINES = 8  # of completions
_NAME_WIDTH = 34


class FilterHints(Widget):
    """The lines below the filter bar. A click on a completion calls `on_pick` with its index.

    `items` are ``(text, meaning)`` of the completions; `chosen` is the index of one of them.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {
        "filter-hints--wrong",
        "filter-hints--incomplete",
        "filter-hints--valid",
        "filter-hints--meaning",
        "filter-hints--chosen",
    }
    DEFAULT_CSS = """
    FilterHints {
        display: none;
        height: auto;
        padding: 0 1;
        background: $surface;
        & > .filter-hints--wrong { color: $text-error; }
        & > .filter-hints--incomplete { color: $text-warning; }
        & > .filter-hints--valid { color: $text-success; }
        & > .filter-hints--meaning { color: $text-muted; }
        & > .filter-hints--chosen {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
        }
    }
    """

    text: reactive[str] = reactive("", layout=True)
    error: reactive[FilterError | None] = reactive(None, layout=True)
    items: reactive[Sequence[tuple[str, str]]] = reactive((), layout=True)
    chosen: reactive[int | None] = reactive(None)

    def __init__(self, on_pick: Callable[[int], object], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._on_pick = on_pick

    @property
    def lines(self) -> range:
        """The indexes of the completions that are shown."""
        last = max(MOST_LINES, (self.chosen or 0) + 1)
        return range(len(self.items))[last - MOST_LINES : last]

    def move(self, step: int) -> bool:
        """Choose the next completion (1) or the previous one (-1); before the first, none.

        Return False if nothing changes.
        """
        before = -1 if self.chosen is None else self.chosen
        now = max(-1, min(before + step, len(self.items) - 1))
        self.chosen = None if now < 0 else now
        return now != before

    def render(self) -> Text:
        words, kind = state_line(self.text, self.error)
        style = self.get_component_rich_style(f"filter-hints--{kind}") if kind else ""
        shown = Text(words, style, overflow="ellipsis")
        muted = self.get_component_rich_style("filter-hints--meaning", partial=True)
        chosen = self.get_component_rich_style("filter-hints--chosen")
        for index in self.lines:
            text, meaning = self.items[index]
            sign = "▸" if index == self.chosen else " "
            line = Text(f"\n{sign} ", no_wrap=True)
            line.append(set_cell_size(safe(text), max(_NAME_WIDTH, len(text) + 2)))
            line.append(safe(meaning), muted)
            if index == self.chosen:
                line.stylize(chosen, 1)
            shown.append_text(line)
        return shown

    def on_click(self, event: events.Click) -> None:
        event.stop()
        row = event.y - (self.size.height - len(self.lines))
        if row >= 0:
            self._on_pick(self.lines[row])


def state_line(text: str, error: FilterError | None) -> tuple[str, str]:
    """Return what to say about a filter, and the kind of its style."""
    if error is not None:
        kind, sign = ("incomplete", "…") if error.is_incomplete else ("wrong", "✗")
        return safe(f"{sign} {kind}, column {error.column}: {error.message}"), kind
    return (VALID, "valid") if text.strip() else (EMPTY, "")
