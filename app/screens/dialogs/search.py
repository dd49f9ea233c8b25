"""The dialog that asks what to search for: a text, bytes, or a display filter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Input, RadioSet

from app.screens.dialogs.choices import Choices, OneOf, Switched
from app.screens.dialogs.dialog import Dialog, Hint
from core.analysis.filter.language.errors import FilterError
from core.analysis.filter.language.macros import NO_MACROS, Macros
from core.analysis.search.query import QueryError, SearchKind, SearchQuery

_HINT = "enter finds the next · tab next · ↑ ↓ kind"
_EXAMPLES = {
    SearchKind.HEX: "47 45 54",
    SearchKind.FILTER: "tcp.port == 443",
}


class SearchDialog(Dialog[tuple[SearchQuery, int]]):
    """Ask for a query, and for the direction: 1 for the next match, -1 for the previous one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "kind(1)", show=False),
        Binding("up", "kind(-1)", show=False),
        Binding("enter", "search(1)", "Next"),
    ]

    def __init__(
        self,
        before: SearchQuery | None = None,
        kinds: Sequence[SearchKind] = tuple(SearchKind),
        macros: Macros = NO_MACROS,
        place: str = "in bytes, addresses, protocol, and Info",
        title: str = "Search the packets",
    ) -> None:
        """Create the dialog with the query of the last search, and the kinds to choose from.

        Filters may use `macros`. `place` says where a text is searched, and `title` what is.
        """
        super().__init__()
        self.title_text = title
        self._macros = macros
        self._kinds = kinds
        self._placeholders = {SearchKind.TEXT: place, **_EXAMPLES}
        self._before = before or SearchQuery("")

    def compose_body(self) -> ComposeResult:
        kind = self._before.kind
        text = Input(self._before.text, placeholder=self._placeholders[kind], compact=True)
        text.cursor_blink = False
        yield text
        with Horizontal(classes="dialog-row"):
            with Choices(compact=True, id="kind"):
                for each in self._kinds:
                    yield OneOf(each.value, value=each is kind, compact=True)
            yield Switched("match case", not self._before.ignores_case, compact=True, id="case")
        with Horizontal(classes="dialog-buttons"):
            yield Button("Previous", id="previous", compact=True)
            yield Button("Next", id="next", compact=True)
        yield Hint(_HINT)

    def on_mount(self) -> None:
        self._show_kind()

    @property
    def query_typed(self) -> SearchQuery:
        """The query as it is in the dialog."""
        kind = self._kinds[self.query_one(RadioSet).pressed_index]
        ignores_case = not self.query_one(Switched).value
        return SearchQuery(self.query_one(Input).value, kind, ignores_case)

    def on_input_changed(self) -> None:
        self._show_problem()

    def on_radio_set_changed(self) -> None:
        self._show_kind()
        self._show_problem()

    def _show_kind(self) -> None:
        kind = self.query_typed.kind
        self.query_one(Input).placeholder = self._placeholders[kind]
        self.query_one(Switched).disabled = kind is not SearchKind.TEXT

    def _show_problem(self) -> None:
        """Report an error that no further character can correct."""
        problem, is_incomplete = _problem(self.query_typed, self._macros)
        self.query_one(Hint).show("" if is_incomplete else problem)

    def on_input_submitted(self) -> None:
        self.action_search(1)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.action_search(1 if event.button.id == "next" else -1)

    def action_kind(self, step: int) -> None:
        """Select the next kind (1), or the previous one (-1)."""
        self.query_one(Choices).action_choose(step)

    def action_search(self, step: int) -> None:
        """Search, or show what is wrong with the query."""
        query = self.query_typed
        problem, _ = _problem(query, self._macros)
        if problem:
            self.query_one(Hint).show(problem)
        else:
            self.dismiss((query, step))


def _problem(query: SearchQuery, macros: Macros) -> tuple[str, bool]:
    """Return what is wrong with a query, if anything, and whether more text could correct it."""
    try:
        query.criterion(macros=macros)
    except (QueryError, FilterError) as error:
        place = f"column {error.column}: " if isinstance(error, FilterError) else ""
        return f"{place}{error}", error.is_incomplete
    return "", False
