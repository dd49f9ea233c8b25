"""The forge form: one line for every field of the draft, one of them under the keys.

Theory
------
Sixty input widgets take a second to mount, where this takes a tenth, and lay the screen out anew at
each change of one.
This is a list drawn by lines (`line_view`): the row that the cursor is on is edited in place by
a `LineEditor`, and a key costs one evaluation of the draft (0.7 ms) and what is visible.

* What is typed goes into the draft at once; there is nothing to confirm. An empty field is open:
  it shows what holds instead, grayed, and follows all other fields as they change.
* `draft`, `settings` and `focused_span` are for the screen to watch. The form evaluates its draft
  itself (`evaluation`), with what the machine suggests (`suggest`).
* Several drafts that belong together (fragments) are held at once; a row switches between them.
* Printable characters are text here, whatever keys they are elsewhere.
"""

from __future__ import annotations

from textual import events

from core.forge.compose.draft import LONGEST_TEXT
from widgets.forge.changes import choose, switch_flag, typed
from widgets.forge.lines import ForgeLines
from widgets.forge.paint import choices_shown, text_window
from widgets.forge.rows import FormRow, RowKind


class ForgeForm(ForgeLines):
    """The inputs of a draft. See the module's text."""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Printable characters are text, not the keys of the screen."""
        return character is not None and character.isprintable()

    def on_key(self, event: events.Key) -> None:
        """Edit the text or choose; a key that does nothing here is left to the bindings."""
        if self._press(event.key, event.character if event.is_printable else None):
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
