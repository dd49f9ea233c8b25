"""The forge form: one line for every field of the draft, one of them under the keys.

Theory
------
Sixty input widgets take a second to mount, where this takes a tenth, and lay the screen out again
at each change of one. This is a list drawn by lines (`widgets.lines.line_view`): `FormModel` has
the rows, `RowEditor` edits the selected one in place, `paint` draws a row. A key costs one
evaluation of the draft (0.7 ms), and only rows that changed are painted.

* What the user types goes into the draft at once; no key confirms it. An empty field is
  open: it shows, grayed, the value that will be sent, and follows all other fields as they change.
* `state` and `focused_span` are for the screen to watch.
* Several drafts that belong together (fragments) are in it at once; a row switches between them.
* The last row is a button: enter there, or a click on it, posts `ForgeForm.SendPressed`. A key that
  is held down to get to the end of the form does not press it.
* Printable characters are text here, whatever keys they are elsewhere.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from rich.segment import Segment
from textual import events, on
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from core.forge.compose.payload_file import FileContents
from core.wire.model.field import Span, Value
from widgets.forge.changes import FormState
from widgets.forge.form_model import FormModel
from widgets.forge.paint import (
    COMPONENTS,
    FormLayout,
    form_layout,
    is_on_button_text,
    paint_form_row,
)
from widgets.forge.row_editor import RowEditor
from widgets.forge.rows import FormRow, HostInfo, RowKind
from widgets.lines.cursor_view import MENU_BUTTON, CursorView

REPEAT_S = 0.2  # between two presses of a key: a key that is held down repeats faster


class ForgeForm(CursorView):
    """The inputs of a draft. See the module's text."""

    COMPONENT_CLASSES = set(COMPONENTS)

    DEFAULT_CSS = """
    ForgeForm {
        & > .forge-form--heading { text-style: bold; color: $text-primary; }
        & > .forge-form--selected { text-style: bold; color: $foreground; }
        & > .forge-form--label { color: $text-muted; }
        & > .forge-form--button { text-style: bold; color: $text-primary; background: $boost; }
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

    class SendPressed(Message):
        """The user pressed the button that sends."""

    state: reactive[FormState] = reactive(FormState, repaint=False, init=False)
    """Drafts and settings as the user filled them in. The screen may set it."""

    focused_span: reactive[Span | None] = reactive(None, repaint=False, always_update=True)
    """The bytes of the field under the cursor."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.model = FormModel()
        self._editor = RowEditor(self.model)
        self._painted: tuple[FormRow, ...] = ()
        self._layout = FormLayout(1, 1)
        self._last_key = ("", 0.0)  # its name and time
        self._is_repeated = False  # that key is held down

    def on_mount(self) -> None:
        self.watch_state()

    # -- what the form holds --------------------------------------------------------------

    def watch_state(self) -> None:
        self.model.set_state(self.state)
        self._show()

    def fill(self, state: FormState) -> None:
        """Replace drafts and settings; select what the user still has to fill in."""
        before = self.model.cursor
        self.model.fill(state)
        self._commit()
        self._move(before)

    def suggest(self, suggested: Sequence[Mapping[str, Value]], host: HostInfo) -> None:
        """Show the values that the routes suggest, where the user typed nothing."""
        if self.model.suggest(suggested, host):
            self._commit()

    def take_files(self, files: FileContents) -> None:
        """Show the contents of the files that drafts name."""
        if self.model.take_files(files):
            self._show()

    def _commit(self) -> None:
        """Show the model, and publish its drafts and settings if they changed."""
        if self.model.state == self.state:
            self._show()
        else:
            self.state = self.model.state

    def _show(self) -> None:
        """Paint the rows that changed."""
        model, before, layout = self.model, self._painted, self._layout
        self._painted, self._layout = model.rows, form_layout(model.rows, self.window.width)
        self._editor.refresh()
        self.set_line_count(len(model.rows))
        if layout != self._layout or len(before) != len(model.rows):
            self.refresh()
        else:
            self.refresh_line(model.cursor)
            for line, (row, now) in enumerate(zip(before, model.rows, strict=True)):
                if row != now:
                    self.refresh_line(line)
        self.focused_span = model.row.span

    # -- the cursor -----------------------------------------------------------------------

    @property
    def cursor_line(self) -> int | None:
        """The row that keys go to."""
        return self.model.cursor

    @property
    def is_on_button(self) -> bool:
        """True if the cursor is on the button that sends."""
        return self.model.row.kind is RowKind.BUTTON

    def move_to_line(self, line: int) -> None:
        """Select a row."""
        before = self.model.cursor
        self.model.select(line)
        self._move(before)

    def _move(self, before: int) -> None:
        """Show that another row than the one in line `before` is selected."""
        self._editor.begin()
        self.refresh_line(before)
        self.refresh_line(self.model.cursor)
        self.show_line(self.model.cursor)
        self.focused_span = self.model.row.span

    def select_byte(self, offset: int) -> None:
        """Select the field that a byte of the packet belongs to."""
        field = self.model.evaluation.at(offset)
        if field is not None:
            self.select_field(field.key)

    def select_field(self, key: str) -> None:
        """Select a field by its key; open the headings if it is hidden."""
        before, rows = self.model.cursor, self.model.rows
        found = self.model.select_field(key)
        if rows is not self.model.rows:
            self._show()
        if found:
            self._move(before)

    @on(events.Focus)
    @on(events.Blur)
    def show_focus(self) -> None:
        """Repaint the selected row, which shows whether keys go to the form."""
        self.refresh_line(self.model.cursor)

    def on_resize(self) -> None:
        """Share the new width between labels and values; keep the cursor on the screen."""
        self._layout = form_layout(self.model.rows, self.window.width)
        self.refresh()
        self.show_line(self.model.cursor)

    # -- drawing --------------------------------------------------------------------------

    def line_key(self, line: int) -> Hashable:
        """Return the row; for the selected one also its editor and the focus."""
        model, editor = self.model, self._editor.line
        if line != model.cursor:
            return model.rows[line], self._layout
        edited = editor.text, editor.cursor, editor.selected
        return model.row, self._layout, *edited, self.has_focus

    def build_line(self, line: int) -> Strip:
        """Draw one row."""
        selected = line == self.model.cursor
        row = self.model.row if selected else self.model.rows[line]
        editor = self._editor.line if selected else None
        segments = paint_form_row(row, self._layout, self.component, editor, focused=self.has_focus)
        return Strip([Segment(text, style) for text, style, _ in segments])

    # -- keys and mouse -------------------------------------------------------------------

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Return True for printable characters: they are text, not the keys of the screen."""
        return character is not None and character.isprintable()

    def on_key(self, event: events.Key) -> None:
        """Edit the selected row; leave other keys to the bindings."""
        key, pressed_s = self._last_key
        self._is_repeated = event.key == key and event.time - pressed_s < REPEAT_S
        self._last_key = event.key, event.time
        if self._editor.press(event.key, event.character if event.is_printable else None):
            event.stop()
            event.prevent_default()
            self._commit()

    def on_paste(self, event: events.Paste) -> None:
        """Insert pasted text at the cursor, on one line."""
        event.stop()
        self._editor.paste(event.text)
        self._commit()

    def action_next(self) -> None:
        """Go to the next row; on the button, send, unless the key is held down."""
        if self.is_on_button:
            if not self._is_repeated:
                self.post_message(self.SendPressed())
        else:
            self.action_move("down")

    def press(self, line: int, x: int, button: int) -> None:
        """Select a row; on its value choose, switch, or place the cursor."""
        was_selected = line == self.model.cursor
        self.move_to_line(line)
        if button == MENU_BUTTON:
            return
        if self.is_on_button and is_on_button_text(self.model.row, self._layout, x):
            self.post_message(self.SendPressed())
        self._editor.click(x - self._layout.value, self._layout.room, was_selected)
        self._commit()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Explain the row under the pointer in the tooltip."""
        line = self.line_at(event)
        words = self.model.rows[line].explanation if line is not None else ""
        if self.tooltip != (words or None):
            self.tooltip = words or None
