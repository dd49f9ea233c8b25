"""The filters that the user applied, which the program remembers in the state file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.config.config_file import one_line
from app.config.state_file import State, change_state, read_state

MOST = 50  # filters
LONGEST = 500  # characters of a filter in the file

DISPLAY_FILTERS = "filters"  # their name in the file


class FilterHistory:
    """The filters of this run and of earlier ones, oldest first, in the state file at `path`.

    `older` and `newer` step through them, beginning after the newest; `rewind` goes back there.
    `kind` is their name in the file.
    """

    def __init__(self, path: Path, kind: str = DISPLAY_FILTERS) -> None:
        self._path, self._kind = path, kind
        self._texts: list[str] | None = None  # read with the first use
        self._index: int | None = None  # of the text that `older` or `newer` returned last

    @property
    def texts(self) -> list[str]:
        """All filters, oldest first."""
        if self._texts is None:
            self._texts = _filters_of(read_state(self._path), self._kind)
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
            change_state(self._path, self._with_newest(text))
        except OSError as error:
            return f"{self._path}: {one_line(error)}; the filter is not remembered"
        return ""

    def _with_newest(self, text: str) -> Callable[[State], State]:
        return lambda state: {self._kind: _with(_filters_of(state, self._kind), text)}


def _with(texts: list[str], text: str) -> list[str]:
    return [*(each for each in texts if each != text), text][-MOST:]


def _filters_of(state: State, kind: str) -> list[str]:
    found = state.get(kind)
    texts = found if isinstance(found, list) else []
    return [each for each in texts if isinstance(each, str) and each.isprintable()][-MOST:]
