"""The display filters that the user saved under a name, in the configuration file."""

from __future__ import annotations

from collections.abc import Callable

from app.config.config_writer import Changes
from app.config.schema import FilterSettings


class SavedFilters:
    """The saved filters by name; `save` writes the settings of their section."""

    def __init__(self, settings: FilterSettings, save: Callable[[Changes], None]) -> None:
        self.by_name = dict(settings.saved)
        self._save = save

    def keep(self, name: str, text: str) -> None:
        """Save a filter under a name, in place of the one that has it."""
        self._take({**self.by_name, name: text})

    def rename(self, name: str, new: str) -> None:
        """Give a filter another name; a filter that has that name already is replaced."""
        kept = {each: text for each, text in self.by_name.items() if each not in (name, new)}
        self._take({**kept, new: self.by_name[name]})

    def delete(self, name: str) -> None:
        """Forget a filter."""
        self._take({each: text for each, text in self.by_name.items() if each != name})

    def restore(self, by_name: dict[str, str]) -> None:
        """Save these filters instead of all others."""
        self._take(dict(by_name))

    def matching(self, text: str) -> list[tuple[str, str]]:
        """Return ``(name, filter)`` of those whose name begins with `text`, in order of names."""
        wanted = text.strip().lower()
        return sorted(pair for pair in self.by_name.items() if pair[0].lower().startswith(wanted))

    def _take(self, by_name: dict[str, str]) -> None:
        self.by_name = by_name
        self._save({"saved": dict(by_name) or None})
