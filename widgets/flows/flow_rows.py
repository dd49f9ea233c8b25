"""The lines of the flows panel without their drawing: the rows of a listing, and their words.

The words of a row are made when they are first read and kept until the next listing.
"""

from __future__ import annotations

from core.analysis.flows.listing import FlowListing
from core.analysis.names.name_table import NO_NAMES, NameTable
from widgets.flows.columns import FlowColumn, columns_of, end_words, side_of

Words = tuple[str, ...]


class FlowRows:
    """The flows of the latest listing, in its order. Empty before the first one."""

    def __init__(self) -> None:
        self.listing = FlowListing()
        self._columns = columns_of(self.listing.question)
        self._words: dict[int, Words] = {}  # by line
        self._found: tuple[int | None, int | None] = (None, None)  # the last answer of `line_of`
        self._names = NO_NAMES

    def __len__(self) -> int:
        return len(self.listing)

    def update(self, listing: FlowListing) -> None:
        """Take a newer listing."""
        if listing is not self.listing:
            self.listing = listing
            self._columns = columns_of(listing.question)
            self._words.clear()
            self._found = (None, None)

    def take_names(self, names: NameTable) -> bool:
        """Show these names in place of addresses. Return True if they are others than before."""
        if names is self._names:
            return False
        self._names = names
        self._words.clear()
        return True

    def id_of(self, line: int) -> int:
        """Return the identifier of the flow in a line. Raise IndexError if there is no line."""
        if not 0 <= line < len(self):
            raise IndexError(line)
        return self.listing.id_of(line)

    def line_of(self, id: int | None) -> int | None:
        """Return the line of a flow; None if the listing does not have it."""
        if id is None:
            return None
        if self._found[0] != id:
            self._found = id, self.listing.row_of(id)
        return self._found[1]

    def words(self, line: int) -> Words:
        """Return the text of every column of a line."""
        words = self._words.get(line)
        if words is None:
            self.id_of(line)  # raises without the line
            words = self._words[line] = tuple(self._text(each, line) for each in self._columns)
        return words

    def _text(self, column: FlowColumn, line: int) -> str:
        if side := side_of(column):
            return end_words(self.listing, line, side, self._names)
        return column.text(self.listing, line)
