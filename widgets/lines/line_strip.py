"""A strip that is freed as soon as nothing refers to it.

Textual's compositor divides each strip at the edges of the widgets above it. A strip remembers the
result; where nothing is above it, that is a list with the strip itself, and only a full collection
of garbage frees it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.strip import Strip


class LineStrip(Strip):
    """A strip that does not remember itself."""

    __slots__ = ()

    @classmethod
    def of(cls, strip: Strip) -> LineStrip:
        """Return a strip with the same segments."""
        return cls(strip, strip.cell_length)

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """Return the parts between the cuts, the last of which is at the end."""
        cuts = list(cuts)
        return [self] if cuts == [self.cell_length] else super().divide(cuts)
