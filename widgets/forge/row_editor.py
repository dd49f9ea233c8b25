"""Edits the selected row of a form by keys, pasted text, and clicks. No drawing.

A row is text, a flag, a choice, a heading, or a button (`RowKind`). The text of a row is edited in
a `LineEditor`; each change goes into the form at once. What the user typed stays as typed, blanks
and misspelled layers included, although the form may hold it in another form: the editor begins
again only when another row is selected or something else changed the row's text.
"""

from __future__ import annotations

from core.forge.compose.draft import LONGEST_TEXT
from widgets.forge.form_model import FormModel
from widgets.forge.paint import FLAG_WIDTH, choices_shown, text_window
from widgets.forge.rows import FormRow, RowKind
from widgets.lines.line_editor import LineEditor


class RowEditor:
    """Edits the selected row of `model`. `line` has its text and the cursor in it."""

    def __init__(self, model: FormModel) -> None:
        self._model = model
        self.line = LineEditor()
        self._is_typing = False  # the user typed or pasted text since the row was selected
        self._key = ""  # of the row that `line` belongs to
        self._row_text = ""  # of that row in the form
        self.begin()

    def begin(self) -> None:
        """Edit the selected row from its present text.

        The first character typed replaces that text, unless a key moves the cursor before.
        """
        row = self._model.row
        self._key, self._row_text = row.key, row.text
        self.line = LineEditor(row.text, selected=True)
        self._is_typing = False

    def refresh(self) -> None:
        """Begin again if another row is selected now, or the form has another text for this one."""
        row = self._model.row
        if (row.key, row.text) != (self._key, self._row_text):
            self.begin()

    def press(self, key: str, character: str | None) -> bool:
        """Do what a key does to the row. Return False if it does nothing here.

        `key` is Textual's name of the key, `character` what it prints, if anything.
        """
        row = self._model.row
        if row.kind in (RowKind.HEADING, RowKind.CHOICE, RowKind.BUTTON):
            return self._press_arrow(row, key, character)
        is_typing = self._is_typing and self.line.text
        if row.kind is RowKind.FLAG and character == " " and not is_typing:
            self._model.switch_flag()
            self.refresh()
            return True
        if character is not None and row.characters and character not in row.characters:
            self._model.refuse_text()
            return True
        before = self.line.text
        if character is not None:
            self.line.insert(character)
            self._is_typing = True
        elif not self.line.press(key):
            return False
        self._apply(before)
        return True

    def paste(self, text: str) -> None:
        """Insert `text` as one line. Choices, headings, and buttons refuse it."""
        if self._model.row.kind not in (RowKind.TEXT, RowKind.FLAG):
            self._model.refuse_text()
            return
        before = self.line.text
        self.line.insert(" ".join(text.split("\n")).strip("\r"))
        self._is_typing = True
        self._apply(before)

    def click(self, cell: int, room: int, was_selected: bool) -> None:
        """Do what a click does to the row: open or close, choose, switch, place the cursor.

        `cell` counts from the first cell of the value, which has `room` cells. `was_selected` says
        that the row was selected before the click, and so showed its text from `text_window` on.
        """
        row = self._model.row
        if row.kind is RowKind.HEADING:
            self._model.toggle_heading()
        elif row.kind is RowKind.CHOICE:
            for choice in choices_shown(row, room):
                if choice.start <= cell < choice.stop:
                    self._model.choose(choice.index)
        elif row.kind is RowKind.FLAG and 0 <= cell < FLAG_WIDTH:
            self._model.switch_flag()
            self.refresh()
        elif cell >= 0 and row.kind is not RowKind.BUTTON:
            first = text_window(self.line.text, self.line.cursor, room) if was_selected else 0
            self.line.go_to(first + cell)

    def _press_arrow(self, row: FormRow, key: str, character: str | None) -> bool:
        """Step through the choices, or open or close the heading; a button has no arrows.

        Refuse all characters, which are meant for a text field; a blank, too, since it may be part
        of a phrase.
        """
        if character is not None:
            self._model.refuse_text()
            return True
        if key not in ("left", "right") or row.kind is RowKind.BUTTON:
            return False
        if row.kind is RowKind.CHOICE:
            step = 1 if key == "right" else -1
            self._model.choose((row.chosen + step) % len(row.choices))
        elif row.is_open == (key == "left"):
            self._model.toggle_heading()
        return True

    def _apply(self, before: str) -> None:
        """Put the edited text into the form if it changed."""
        if self.line.text != before:
            self.line.text = self.line.text[:LONGEST_TEXT]
            self.line.go_to(self.line.cursor)
            self._model.type_text(self.line.text)
            self._row_text = self._model.row.text
