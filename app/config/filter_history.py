"""The display filters that the user applied, which the program remembers in the state file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.config.config_file import one_line
from app.config.state_file import change_state, read_state

MOST = 50  # filters
LONGEST = 500  # characters of a filter in the file

_KEY = "filters"


class FilterHistory:
    """The filters of this run and of earlier ones, oldest first, in the state file at `path`.

    `older` and `newer` step through them, beginning after the newest; `rewind` goes back there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._texts: list[str] | None = None  # read with the first use
        self._index: int | None = None  # of the text that `older` or `newer` returned last

    @property
    def texts(self) -> list[str]:
        """All filters, oldest first."""
        if self._texts is None:
            self._texts = _filters_of(read_state(self._path))
        return self._texts

    @property
    def is_rewound(self) -> bool:
        """True unless `older` returned a text since the last `rewind`."""
        return self._index is None

    def rewind(self) -> None:
        """Begin after the newest filter again."""
        self._index = None

    def older(self) -> str | None:
        """Return the filter before; None at the oldest."""
        index = len(self.texts) if self._index is None else self._index
        if not index:
            return None
        self._index = index - 1
        return self.texts[self._index]

    def newer(self) -> str:
        """Return the filter after; an empty text after the newest."""
        if self._index is None or self._index + 1 >= len(self.texts):
            self.rewind()
            return ""
        self._index += 1
        return self.texts[self._index]

    def add(self, text: str) -> str:
        """Make a filter the newest, and save it beside those of other rawscope processes.

        Return why it is not saved, or an empty text.
        """
        self.rewind()
        self._texts = _with(self.texts, text)
        if len(text) > LONGEST:
            return f"the filter is longer than {LONGEST} characters, so it is not remembered"
        try:
            change_state(self._path, lambda state: {_KEY: _with(_filters_of(state), text)})
        except OSError as error:
            return f"{self._path}: {one_line(error)}; the filter is not remembered"
        return ""


def _with(texts: list[str], text: str) -> list[str]:
    return [*(each for each in texts if each != text), text][-MOST:]


def _filters_of(state: dict[str, Any]) -> list[str]:
    found = state.get(_KEY)
    texts = found if isinstance(found, list) else []
    return [each for each in texts if isinstance(each, str) and each.isprintable()][-MOST:]
