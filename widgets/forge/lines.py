"""What the forge form holds and how it is drawn; `forge_form` adds what the user does to it.

The rows are worked out anew at each change (`forge_rows`); only those that came out otherwise are
painted. The row that the cursor is on has the `LineEditor`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

from rich.segment import Segment
from textual.reactive import reactive
from textual.strip import Strip

from core.forge.compose.draft import Draft
from core.forge.compose.evaluation import NOTHING, Evaluation, aim_wanted, evaluate
from core.wire.model.field import Span, Value
from widgets.forge.changes import FormState
from widgets.forge.paint import COMPONENTS, FormLayout, form_layout, paint_form_row
from widgets.forge.rows import LAYERS, FormRow, Surrounding, form_rows
from widgets.forge.settings import SendSettings
from widgets.lines.cursor_view import CursorView
from widgets.lines.line_editor import LineEditor


class ForgeLines(CursorView):
    """Drafts and settings as lines, one of which is being edited."""

    COMPONENT_CLASSES = set(COMPONENTS)

    DEFAULT_CSS = """
    ForgeLines {
        & > .forge-form--heading { text-style: bold; color: $text-primary; }
        & > .forge-form--selected { text-style: bold; color: $foreground; }
        & > .forge-form--label { color: $text-muted; }
        & > .forge-form--typed { text-style: bold; }
        & > .forge-form--open { color: $text-muted; }
        & > .forge-form--meaning { color: $text-muted; text-style: italic; }
        & > .forge-form--error { color: $text-error; text-style: bold; }
        & > .forge-form--choice { color: $text-muted; }
        & > .forge-form--chosen { text-style: bold; }
        & > .forge-form--edit { background: $boost; color: $foreground; }
        & > .forge-form--cursor { text-style: reverse; }
        &:focus > .forge-form--selected {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
        }
        &:nocolor > .forge-form--error { color: $foreground; }
        &:nocolor > .forge-form--edit { text-style: underline; }
        &:ansi > .forge-form--edit { text-style: underline; }
        &:nocolor:focus > .forge-form--selected { text-style: bold reverse; }
    }
    """

    held: reactive[FormState] = reactive(FormState, repaint=False, init=False)
    """Drafts and settings: what the user filled in. The screen may set it."""

    focused_span: reactive[Span | None] = reactive(None, repaint=False, always_update=True)
    """The bytes of the field under the cursor."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._suggested: tuple[Mapping[str, Value], ...] = ()
        self._surrounding = Surrounding()
        self._folded: set[str] = set()
        self._rows: tuple[FormRow, ...] = ()
        self._layout = FormLayout(1, 1)
        self._cursor = 0
        self._editor = LineEditor()
        self._edited = ""  # the key that the editor belongs to
        self._typing = False  # what changes now is the editor's own doing
        self._layers_error = ""  # what is wrong with layers that the draft cannot have
        self._revision = 0
        self.evaluation: Evaluation = evaluate(self.held.draft)

    def on_mount(self) -> None:
        self._work_out()

    # -- what it holds ------------------------------------------------------------------

    @property
    def draft(self) -> Draft:
        """The draft that is seen."""
        return self.held.draft

    @property
    def settings(self) -> SendSettings:
        """How it is to be sent."""
        return self.held.settings

    def evaluations(self) -> tuple[Evaluation, ...]:
        """What each of the drafts means, in the order in which they are sent."""
        return tuple(
            evaluate(draft, self._suggestions(index))
            for index, draft in enumerate(self.held.drafts)
        )

    def obstacle(self) -> tuple[int, str, str] | None:
        """What keeps it from being sent: which draft, which field, the sentence; None if nothing
        does."""
        evaluations = self.evaluations()
        for index, evaluation in enumerate(evaluations):
            for field in evaluation.errors:
                return index, field.key, field.error
        for key, error in self.settings.errors().items():
            return self.held.index, key, error
        for index, evaluation in enumerate(evaluations):
            if (aim := evaluation.unaimed) is not None:
                return index, aim.key, aim_wanted(aim)
        return None

    @property
    def trouble(self) -> str:
        """What the machine has against it: no route, no neighbor; empty if nothing."""
        return self._surrounding.trouble

    def suggest(self, suggested: Sequence[Mapping[str, Value]], surrounding: Surrounding) -> None:
        """Take what the machine suggests for each of the drafts, and what there is of it."""
        if (tuple(suggested), surrounding) != (self._suggested, self._surrounding):
            self._suggested, self._surrounding = tuple(suggested), surrounding
            self._work_out()

    def begin(self, held: FormState) -> None:
        """Hold something else: unfolded, the cursor where something is still to be typed, or at
        the top."""
        self._folded.clear()
        self.held = held
        self.move_to_line(0)
        aim = self.evaluation.unaimed
        if aim is not None and held != FormState():
            self.select_field(aim.key)

    def watch_held(self) -> None:
        self._work_out()

    def _suggestions(self, index: int) -> Mapping[str, Value]:
        return self._suggested[index] if index < len(self._suggested) else NOTHING

    def _work_out(self) -> None:
        """The rows of what is held now. The cursor stays on its key."""
        held = self.held
        key = self._rows[self._cursor].key if self._rows else ""
        self.evaluation = evaluate(held.draft, self._suggestions(held.index))
        packets = (held.index, len(held.drafts))
        before = self._rows, self._layout
        self._rows = form_rows(
            self.evaluation, held.settings, self._folded, packets, self._surrounding
        )
        self._layout = form_layout(self._rows, self.line_width)
        self._revision += 1
        lines = {row.key: line for line, row in enumerate(self._rows)}
        self._cursor = lines.get(key, min(self._cursor, len(self._rows) - 1))
        self._take_up()
        self.set_line_count(len(self._rows))
        self._repaint(*before)
        self.focused_span = self.row.span

    def _repaint(self, rows: tuple[FormRow, ...], layout: FormLayout) -> None:
        """Paint what is otherwise than it was: at most keys a few rows of sixty."""
        if layout != self._layout or len(rows) != len(self._rows):
            self.refresh()
            return
        self.refresh_line(self._cursor)
        for line, (row, now) in enumerate(zip(rows, self._rows, strict=True)):
            if row != now:
                self.refresh_line(line)

    def _take_up(self) -> None:
        """Edit the row under the cursor; what is being typed there stays as it was typed."""
        row = self.row
        if row.key != self._edited or not (self._typing or self._editor.text == row.text):
            self._edited = row.key
            self._editor = LineEditor(row.text, selected=True)

    @property
    def row(self) -> FormRow:
        """The row under the cursor, with what is wrong with it."""
        row = self._rows[self._cursor]
        return replace(row, error=self._layers_error) if row.key == LAYERS else row

    # -- the cursor ---------------------------------------------------------------------

    @property
    def cursor_line(self) -> int | None:
        """The row that keys go to."""
        return self._cursor

    def move_to_line(self, line: int) -> None:
        """Go to a row; what is typed takes the place of its text, until a key moves the cursor."""
        before, self._cursor = self._cursor, line
        self._edited = self._layers_error = ""
        self._take_up()
        self.refresh_line(before)
        self.refresh_line(line)
        self.show_line(line)
        self.focused_span = self.row.span

    def select_byte(self, offset: int) -> None:
        """Go to the field that a byte belongs to, and open its layer."""
        field = self.evaluation.at(offset)
        if field is not None:
            self.select_field(field.key)

    def select_field(self, key: str) -> None:
        """Go to a field, and open its layer."""
        if all(row.key != key for row in self._rows):
            self._folded.clear()
            self._work_out()
        for line, row in enumerate(self._rows):
            if row.key == key:
                self.move_to_line(line)

    def on_focus(self) -> None:
        self.refresh_line(self._cursor)

    def on_blur(self) -> None:
        self.refresh_line(self._cursor)

    def on_resize(self) -> None:
        """Labels and values share the new width; the cursor stays on the screen."""
        self._layout = form_layout(self._rows, self.line_width)
        self._revision += 1
        self.refresh()
        self.show_line(self._cursor)

    # -- drawing --------------------------------------------------------------------------

    def line_key(self, line: int) -> Hashable:
        """A row as it is; the one under the cursor with its editor and the focus."""
        if line != self._cursor:
            return self._rows[line], self._layout
        editor = self._editor
        return line, self._revision, editor.text, editor.cursor, editor.selected, self.has_focus

    def build_line(self, line: int) -> Strip:
        """One row."""
        at_cursor = line == self._cursor
        row = self.row if at_cursor else self._rows[line]
        editor = self._editor if at_cursor else None
        focused = self.has_focus
        segments = paint_form_row(row, self._layout, self.component, editor, focused=focused)
        return Strip([Segment(text, style) for text, style, _ in segments])
