"""The forge form without its drawing: drafts and settings, the rows they make, the selected row.

The model evaluates a draft once for each change of it (0.7 ms) and makes all rows again.
`evaluations` returns what it shows, so the bytes on the screen are the bytes of the order. It keeps
the selected row by its key, so that the cursor stays in its field when rows above it appear or go.
A closed heading hides its rows; selecting a hidden field opens every heading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from core.forge.compose.draft import Draft
from core.forge.compose.draft_parser import NOTHING
from core.forge.compose.evaluation import READING, Evaluation, describe_missing, evaluate
from core.forge.compose.payload_file import NO_FILES, FileContents
from core.wire.model.field import Value
from widgets.forge.changes import FormState, choose, follow_link, switch_flag, typed
from widgets.forge.rows import LAYERS, FormRow, HostInfo, RowKind, form_rows

NO_TEXT = {
    RowKind.HEADING: "{} is a heading: ← closes it, → opens it, ↓ goes on to its fields",
    RowKind.CHOICE: "{} is a choice: ← and → change it",
    RowKind.TEXT: "{} takes numbers only",
    RowKind.BUTTON: "this is a button: enter sends the packet",
}


class Obstacle(NamedTuple):
    """An obstacle to sending: the index of the draft, the key of the field, and one sentence."""

    draft: int
    key: str
    sentence: str


class _UnreadLayers(NamedTuple):
    """A text in the row of layers that does not name layers, and the draft that kept its own."""

    draft: int
    layers: tuple[str, ...]
    text: str
    error: str

    def applies_to(self, state: FormState, index: int) -> bool:
        """Return True unless the draft is another one now, or got other layers."""
        return index == self.draft and state.drafts[index].layers == self.layers


class _Evaluated(NamedTuple):
    """An evaluation, and what it was made from."""

    draft: Draft
    suggested: Mapping[str, Value]
    files: FileContents
    evaluation: Evaluation


class FormModel:
    """The content of a form. Each method that changes it leaves `rows` and `evaluation` current."""

    def __init__(self, state: FormState | None = None) -> None:
        self.state = state or FormState()
        self.evaluation: Evaluation
        self._evaluated: dict[int, _Evaluated] = {}  # by the index of the draft
        self.rows: tuple[FormRow, ...] = ()
        self.cursor = 0
        self._suggested: tuple[Mapping[str, Value], ...] = ()
        self.files: FileContents = NO_FILES
        self._host = HostInfo()
        self._closed: set[str] = set()  # keys of headings
        self._refusal = ""  # why the selected row did not take what was typed
        self._unread: _UnreadLayers | None = None
        self._update()

    @property
    def row(self) -> FormRow:
        """The selected row. If it did not take what was typed, it has an error that says why."""
        row = self.rows[self.cursor]
        return replace(row, error=self._refusal) if self._refusal else row

    @property
    def trouble(self) -> str:
        """The reason why this host cannot reach the destination; empty if it can."""
        return self._host.trouble

    def evaluations(self) -> tuple[Evaluation, ...]:
        """Return the evaluation of every draft, in the order in which they are sent."""
        return tuple(self._evaluate(index) for index in range(len(self.state.drafts)))

    def obstacle(self) -> Obstacle | None:
        """Return what prevents sending, or None.

        Obstacles are layers that cannot be read, errors of any draft, errors of the settings, and a
        destination that is not filled in.
        """
        evaluations, unread = self.evaluations(), self._unread
        for index, evaluation in enumerate(evaluations):
            if unread is not None and unread.applies_to(self.state, index):
                return Obstacle(index, LAYERS, unread.error)
            for field in evaluation.errors:
                return Obstacle(index, field.key, field.error)
            if (pending := evaluation.pending) is not None:
                return Obstacle(index, pending.key, f"{pending.text}: {READING}")
        for key, error in self.state.settings.errors().items():
            return Obstacle(self.state.index, key, error)
        for index, evaluation in enumerate(evaluations):
            if (aim := evaluation.missing_destination) is not None:
                return Obstacle(index, aim.key, describe_missing(aim))
        return None

    # -- changes --------------------------------------------------------------------------

    def set_state(self, state: FormState) -> None:
        """Replace drafts and settings. The cursor stays in its field if that still exists."""
        if state != self.state:
            self.state = state
            self._update()

    def fill(self, state: FormState) -> None:
        """Replace drafts and settings, and open every heading.

        Select the destination if it is missing, else the first row.
        """
        self._closed.clear()
        self.state = state
        self._update()
        self.select(0)
        aim = self.evaluation.missing_destination
        if aim is not None and state != FormState():
            self.select_field(aim.key)

    def suggest(self, suggested: Sequence[Mapping[str, Value]], host: HostInfo) -> bool:
        """Take the values that the routes suggest for each draft. Return False if nothing is new.

        A suggested value counts where the user typed nothing. If the route chooses the interface of
        a verbatim packet, the link layer follows the type of that interface.
        """
        if (tuple(suggested), host) == (self._suggested, self._host):
            return False
        self._suggested, self._host = tuple(suggested), host
        self.state = follow_link(self.state, host)
        self._update()
        return True

    def take_files(self, files: FileContents) -> bool:
        """Take the contents of the files that drafts name. Return False if nothing is new."""
        if files == self.files:
            return False
        self.files = files
        self._update()
        return True

    def type_text(self, text: str) -> None:
        """Put a typed text into the selected row."""
        key, index = self.row.key, self.state.index
        state, self._refusal = typed(self.state, key, text)
        if key == LAYERS:
            layers = self.state.draft.layers
            error = self._refusal
            self._unread = _UnreadLayers(index, layers, text, error) if error else None
            self._update()
        self.set_state(state)

    def refuse_text(self) -> None:
        """Report that the selected row takes no text, or not the character that was typed."""
        row = self.row
        self._refusal = NO_TEXT[row.kind].format(row.label)

    def choose(self, index: int) -> None:
        """Take one of the choices of the selected row."""
        self._refusal = ""
        self.set_state(choose(self.state, self.row, index, self._host))

    def switch_flag(self) -> None:
        """Set the flag of the selected row, or clear it."""
        self.set_state(switch_flag(self.state, self.row))

    def toggle_heading(self) -> None:
        """Open the selected heading, or close it."""
        self._refusal = ""
        self._closed ^= {self.row.key}
        self._update()

    # -- the selected row -----------------------------------------------------------------

    def select(self, line: int) -> None:
        """Select a row by its line."""
        self.cursor = line
        self._refusal = ""

    def select_field(self, key: str) -> bool:
        """Select a row by its key. Return False if the form has no such row."""
        if all(row.key != key for row in self.rows):
            self._closed.clear()
            self._update()
        line = next((line for line, row in enumerate(self.rows) if row.key == key), None)
        if line is not None:
            self.select(line)
        return line is not None

    def _suggestions(self, index: int) -> Mapping[str, Value]:
        return self._suggested[index] if index < len(self._suggested) else NOTHING

    def _evaluate(self, index: int) -> Evaluation:
        """Return the evaluation of a draft; make it again only if its inputs changed."""
        draft, suggested = self.state.drafts[index], self._suggestions(index)
        known = self._evaluated.get(index)
        if known is None or known[:3] != (draft, suggested, self.files):
            evaluation = evaluate(draft, suggested, self.files)
            known = _Evaluated(draft, suggested, self.files, evaluation)
            present = range(len(self.state.drafts))
            others = {at: one for at, one in self._evaluated.items() if at in present}
            self._evaluated = others | {index: known}
        return known.evaluation

    def _update(self) -> None:
        """Evaluate the shown draft and make the rows."""
        state = self.state
        key = self.rows[self.cursor].key if self.rows else ""
        self.evaluation = self._evaluate(state.index)
        self.rows = form_rows(
            self.evaluation,
            state.settings,
            self._closed,
            (state.index, len(state.drafts)),
            self._host,
        )
        unread = self._unread
        if unread is not None and unread.applies_to(state, state.index):
            self.rows = tuple(
                replace(row, text=unread.text, error=unread.error) if row.key == LAYERS else row
                for row in self.rows
            )
        lines = {row.key: line for line, row in enumerate(self.rows)}
        self.cursor = lines.get(key, min(self.cursor, len(self.rows) - 1))
