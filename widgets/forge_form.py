"""The forge form: one line for every field of the draft, one of them under the keys.

Theory
------
Sixty input widgets take half a second to mount and a layout of the screen at each change of one.
This is a list drawn by lines (`line_view`): the row that the cursor is on is edited in place by
a `LineEditor`, and a key costs one evaluation of the draft (0.7 ms) and what is visible.

* What is typed goes into the draft at once; there is nothing to confirm. An empty field is open:
  it shows what holds instead, greyed, and follows all other fields as they change.
* `draft`, `settings` and `focused_span` are for the screen to watch. The form evaluates its draft
  itself (`evaluation`), with what the machine suggests (`suggest`).
* Several drafts that belong together (fragments) are held at once; a row switches between them.
* Printable characters are text here, whatever keys they are elsewhere.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

from rich.segment import Segment
from textual import events
from textual.reactive import reactive
from textual.strip import Strip

from core.forge.draft import Draft
from core.forge.evaluation import NOTHING, Evaluation, evaluate
from core.wire.field import Span, Value
from widgets.cursor_view import CursorView
from widgets.forge_changes import Held, choose, switch_flag, typed
from widgets.forge_paint import (
    COMPONENTS,
    FormLayout,
    choices_shown,
    form_layout,
    paint_form_row,
    text_window,
)
from widgets.forge_rows import LAYERS, FormRow, RowKind, Surrounding, form_rows
from widgets.forge_settings import SendSettings
from widgets.line_editor import LineEditor

LONGEST_TEXT = 200_000  # characters of a field: `core.forge.draft.LONGEST_TEXT`


class ForgeForm(CursorView):
    """The inputs of a draft. See the module's text."""

    COMPONENT_CLASSES = set(COMPONENTS)

    DEFAULT_CSS = """
    ForgeForm {
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

    held: reactive[Held] = reactive(Held, repaint=False, init=False)
    """Drafts and settings: what a person filled in. The screen may set it."""

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

    def first_error(self) -> tuple[int, str, str] | None:
        """What keeps it from being sent: which draft, which field, the sentence; None if nothing
        does."""
        for index, evaluation in enumerate(self.evaluations()):
            for field in evaluation.errors:
                return index, field.key, field.error
        for key, error in self.settings.errors().items():
            return self.held.index, key, error
        return None

    @property
    def trouble(self) -> str:
        """What the machine has against it: no route, no neighbour; empty if nothing."""
        return self._surrounding.trouble

    def suggest(self, suggested: Sequence[Mapping[str, Value]], surrounding: Surrounding) -> None:
        """Take what the machine suggests for each of the drafts, and what there is of it."""
        if (tuple(suggested), surrounding) != (self._suggested, self._surrounding):
            self._suggested, self._surrounding = tuple(suggested), surrounding
            self._work_out()

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
            self._editor = LineEditor(row.text)

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
        """Go to a row; its text can be edited from the end."""
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

    # -- keys and mouse -----------------------------------------------------------------

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Printable characters are text, not the keys of the screen."""
        return character is not None and character.isprintable()

    async def on_key(self, event: events.Key) -> None:
        """Edit the text, choose, or do what the key is bound to here.

        A key that is left to Textual goes up to the app and comes back as an action, while the
        next one is here already: keys that arrive together would type into the field before.
        """
        used = self._press(event.key, event.character if event.is_printable else None)
        if not used:
            bound = self.screen.active_bindings.get(event.key)
            if bound is not None and bound.node is self and bound.enabled:
                await self.run_action(bound.binding.action)
                used = True
        if used:
            event.stop()
            event.prevent_default()

    def _press(self, key: str, character: str | None) -> bool:
        """Do what a key does to the row; False if it does nothing here."""
        row = self.row
        if row.kind is RowKind.HEADING:
            if character == " ":
                self._open_or_close(row)
            return character is not None
        if row.kind is RowKind.CHOICE:
            return self._press_choice(row, key, character)
        if row.kind is RowKind.FLAG and character == " ":
            self.held = switch_flag(self.held, row)
            return True
        before = self._editor.text
        if character is not None:
            self._editor.insert(character)
        elif not self._editor.press(key):
            return False
        self._after_edit(before)
        return True

    def _press_choice(self, row: FormRow, key: str, character: str | None) -> bool:
        count = len(row.choices)
        match key:
            case "left":
                self._choose(row, (row.chosen - 1) % count)
            case "right" | "space":
                self._choose(row, (row.chosen + 1) % count)
            case _ if character is not None:
                wanted = character.casefold()
                after = [(row.chosen + step) % count for step in range(1, count + 1)]
                for index in after:
                    if row.choices[index].casefold().startswith(wanted):
                        self._choose(row, index)
                        break
            case _:
                return False
        return True

    def _after_edit(self, before: str) -> None:
        """Put the edited text where it belongs."""
        if self._editor.text == before:
            self.refresh_line(self._cursor)
            return
        self._editor.text = self._editor.text[:LONGEST_TEXT]
        self._editor.go_to(self._editor.cursor)
        changed, self._layers_error = typed(self.held, self.row.key, self._editor.text)
        self._typing = True
        if changed == self.held:  # blanks, or layers that are none
            self._work_out()
        else:
            self.held = changed
        self._typing = False

    def _choose(self, row: FormRow, index: int) -> None:
        self._layers_error = ""
        self.held = choose(self.held, row, index, self._surrounding.interfaces)

    def _open_or_close(self, row: FormRow) -> None:
        self._folded ^= {row.key}
        self._work_out()

    def on_paste(self, event: events.Paste) -> None:
        """Put pasted text where the cursor is, on one line."""
        event.stop()
        if self.row.kind in (RowKind.TEXT, RowKind.FLAG):
            before = self._editor.text
            self._editor.insert(" ".join(event.text.split("\n")).strip("\r"))
            self._after_edit(before)

    def action_next(self) -> None:
        """To the next row; on a heading, open it or close it."""
        if self.row.kind is RowKind.HEADING:
            self._open_or_close(self.row)
        else:
            self.move_by(1)

    def press(self, line: int, x: int) -> None:
        """Go to a row; on its value, choose, switch, or put the cursor there."""
        was_here = line == self._cursor
        self.move_to_line(line)
        row, cell = self.row, x - self._layout.value
        if row.kind is RowKind.HEADING:
            self._open_or_close(row)
        elif row.kind is RowKind.CHOICE:
            for choice in choices_shown(row, self._layout.room):
                if choice.start <= cell < choice.stop:
                    self._choose(row, choice.index)
        elif row.kind is RowKind.FLAG and 0 <= cell < 3:
            self.held = switch_flag(self.held, row)
        elif cell >= 0:
            first = 0
            if was_here:
                first = text_window(self._editor.text, self._editor.cursor, self._layout.room)
            self._editor.go_to(first + cell)
            self.refresh_line(line)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """The tooltip explains the row under the pointer."""
        line = self.line_at(event)
        words = self._rows[line].explanation if line is not None else ""
        if self.tooltip != (words or None):
            self.tooltip = words or None

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
        return line, self._revision, self._editor.text, self._editor.cursor, self.has_focus

    def build_line(self, line: int) -> Strip:
        """One row."""
        at_cursor = line == self._cursor
        row = self.row if at_cursor else self._rows[line]
        editor = self._editor if at_cursor else None
        focused = self.has_focus
        segments = paint_form_row(row, self._layout, self.component, editor, focused=focused)
        return Strip([Segment(text, style) for text, style, _ in segments])
