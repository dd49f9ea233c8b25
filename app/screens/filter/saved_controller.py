"""The keys of the saved filters: save the filter in the bar, and open the list of all."""

from __future__ import annotations

from collections.abc import Callable

from app.screens.filter.filter_error import filter_error
from app.screens.filter.saved_filters import SavedFilters
from core.analysis.filter.language.macros import Macros
from core.wire.model.text import safe
from widgets.filter.bar import FilterBar


class SavedFiltersController:
    """Saves the filter in `bar`, and hands one that the user chooses to `apply`."""

    def __init__(
        self,
        saved: SavedFilters,
        bar: FilterBar,
        apply: Callable[[str], object],
        macros: Macros,
    ) -> None:
        self._saved, self._bar, self._apply, self._macros = saved, bar, apply, macros

    def keep(self) -> None:
        """Ask for a name, and save the filter in the bar under it."""
        from app.screens.dialogs.name import AskName

        text = self._bar.input.value.strip()

        def save(name: str | None) -> None:
            if name is not None:
                self._saved.keep(name, text)
                self._bar.report()  # so that the saved filters are offered again
                self._bar.notify(f"saved as {safe(name)}: choose it in the empty bar", markup=False)

        if not text or filter_error(text, self._macros) is not None:
            self._bar.notify("type a valid filter to save it", severity="warning")
        else:
            taken = "enter replaces the filter of this name"
            self._bar.app.push_screen(AskName("Save the filter", self._saved.by_name, taken), save)

    def choose(self) -> None:
        """Show the saved filters: the user applies, renames, or deletes one."""
        from app.screens.dialogs.saved_filters import SavedFilterList

        def take(text: str | None) -> None:
            if text is None:
                self._bar.report()  # so that the saved filters are offered again
            else:
                self._apply(text)

        self._bar.app.push_screen(SavedFilterList(self._saved, self._macros), take)
