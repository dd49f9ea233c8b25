"""The line above the packet table with the display filter, which the user edits in it.

While the filter is not edited, the line shows the one that selects the packets, and how many pass.
It shows the words that a click acts on: the first word turns the filter off and on, the last one
clears it, and a click on the text edits it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.highlighter import Highlighter
from rich.style import Style
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input

from core.wire.model.text import safe
from widgets.layout import refresh_layout


@dataclass(frozen=True, slots=True)
class FilterState:
    """The filter of the table. `text` is empty without one; `is_on` is False while it is off.

    `shown` of `held` packets pass. `progress` is the part of the packets that a new filter has
    seen, 0 to 1; None if it has seen all.
    """

    text: str = ""
    is_on: bool = True
    shown: int = 0
    held: int = 0
    progress: float | None = None


class FilterLabel(Widget):
    """The word before the filter; a click turns the filter off or on."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "FilterLabel { width: auto; height: 1; color: $text-accent; }"

    is_on: reactive[bool] = reactive(True, layout=True)

    def __init__(self, on_press: Callable[[], object]) -> None:
        super().__init__()
        self._on_press = on_press

    def render(self) -> Text:
        return Text("filter  " if self.is_on else "filter off  ", no_wrap=True)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self._on_press()


class FilterCount(Widget):
    """The count of packets that pass, and the word that clears the filter by a click."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {"filter-count--clear"}
    DEFAULT_CSS = """
    FilterCount {
        width: auto;
        height: 1;
        & > .filter-count--clear { text-style: underline; }
    }
    """

    state: reactive[FilterState] = reactive(FilterState())

    def __init__(self, on_clear: Callable[[], object]) -> None:
        super().__init__()
        self._on_clear = on_clear

    def watch_state(self, before: FilterState, state: FilterState) -> None:
        """Lay out the bar only for a line of another length: counts change often."""
        if self._line(before).cell_len != self._line(state).cell_len:
            refresh_layout(self)

    def render(self) -> Text:
        return self._line(self.state)

    def _line(self, state: FilterState) -> Text:
        line = Text(no_wrap=True)
        if state.progress is not None:
            line.append(f"  {int(state.progress * 100)}%")
        if state.text:
            line.append(f"  {state.shown:,} of {state.held:,}  ")
            line.append("clear", self.get_component_rich_style("filter-count--clear"))
        return line

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if self.state.text:
            self._on_clear()


class _Marker(Highlighter):
    """Marks the part of the text that an error is about."""

    def __init__(self) -> None:
        self.start = self.stop = 0
        self.style: Style | None = None

    def highlight(self, text: Text) -> None:
        if self.style is not None:
            text.stylize(self.style, self.start, self.stop)


class FilterBar(Horizontal):
    """The filter line. See the module's text.

    It calls `on_edit` with the text and the cursor in it whenever one of them changed while the
    user edits, `on_focus` and `on_leave` when the user begins and ends, `on_toggle` and `on_clear`
    for clicks.
    """

    COMPONENT_CLASSES = {"filter-bar--wrong", "filter-bar--incomplete"}
    DEFAULT_CSS = """
    FilterBar {
        display: none;
        height: 1;
        padding: 0 1;
        background: $panel;
        & > Input { width: 1fr; padding: 0; background: $panel; &:focus { background: $surface; } }
        & > .filter-bar--wrong { color: $text-error; text-style: underline; }
        & > .filter-bar--incomplete { color: $text-warning; text-style: underline; }
        &.-on { color: $text-accent; background: $accent-muted; }
        &.-on > Input { background: $accent-muted; color: $text-accent; }
        &.-on > Input:focus { background: $surface; color: $foreground; }
    }
    """

    def __init__(
        self,
        on_edit: Callable[[str, int], object],
        on_focus: Callable[[], object],
        on_leave: Callable[[], object],
        on_toggle: Callable[[], object],
        on_clear: Callable[[], object],
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._edited, self._began, self._left = on_edit, on_focus, on_leave
        self._marker = _Marker()
        self.label = FilterLabel(on_toggle)
        self.input = Input(
            highlighter=self._marker, compact=True, select_on_focus=False, id="filter-text"
        )
        self.input.cursor_blink = False
        self.count = FilterCount(on_clear)
        self.is_editing = False

    def compose(self) -> ComposeResult:
        yield self.label
        yield self.input
        yield self.count

    def on_mount(self) -> None:
        self.watch(self.input, "value", self.report, init=False)
        self.watch(self.input, "selection", self.report, init=False)

    def show(self, state: FilterState, placeholder: str) -> None:
        """Show the filter, and its text unless the user edits it."""
        self.label.is_on = state.is_on
        self.count.state = state
        self.set_class(bool(state.text) and state.is_on, "-on")
        self.input.placeholder = placeholder
        if not self.is_editing and self.input.value != state.text:
            self.replace(state.text)

    def replace(self, text: str, cursor: int | None = None) -> None:
        """Put a text into the line, and the cursor into it; without `cursor`, at its end."""
        self.input.value = safe(text)
        self.input.cursor_position = len(text) if cursor is None else cursor

    def edit(self) -> None:
        """Put the cursor behind the text, which most edits extend; nothing is selected.

        The edit begins at once: `Widget.focus` moves the focus later, and a poll before that must
        not hide the bar.
        """
        self._begin()
        self.screen.set_focus(self.input)
        self.input.cursor_position = len(self.input.value)

    def mark(self, start: int, stop: int, kind: str) -> None:
        """Mark characters as ``wrong`` or ``incomplete``; an empty `kind` marks nothing."""
        marker = self._marker
        marker.start, marker.stop = start, stop
        marker.style = None
        if kind:
            marker.style = self.get_component_rich_style(f"filter-bar--{kind}", partial=True)
        self.input.refresh()

    def _begin(self) -> None:
        if not self.is_editing:
            self.is_editing = True
            self._began()
            self.report()

    def report(self) -> None:
        """Call `on_edit` with the text and the cursor, while the user edits."""
        if self.is_editing:
            self._edited(self.input.value, self.input.cursor_position)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        event.stop()
        self._begin()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """End the edit, but not because the terminal lost the focus."""
        event.stop()
        if self.app.app_focus and self.is_editing:
            self._left()
