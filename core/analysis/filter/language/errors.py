"""Errors of filters: the reason, and the place in the text."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import NamedTuple

_HINTED = 2  # similar words in a hint
_LEAST_BEGUN = 3  # characters that tell which words the user has begun


class TextSpan(NamedTuple):
    """A part of a filter's text: characters `start` … ``stop - 1``."""

    start: int
    stop: int

    def to(self, other: TextSpan) -> TextSpan:
        """Return the part from the start of this one to the end of `other`."""
        return TextSpan(self.start, other.stop)


class FilterError(ValueError):
    """A filter that is refused.

    The text says what is wrong, and what was expected there. `place` is the part of the filter that
    it is about; at the end of the filter it is empty. `is_incomplete` is True if more text could
    make the filter valid; an editor then waits instead of reporting an error.
    """

    def __init__(self, message: str, place: TextSpan, *, is_incomplete: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.is_incomplete = is_incomplete

    @property
    def column(self) -> int:
        """The first character that the error is about, from 1."""
        return self.place.start + 1


def nearest(word: str, words: Iterable[str]) -> str:
    """Return a hint with the most similar words: ``; did you mean tcp.port?``, or nothing.

    Words that begin with `word` come first, the shortest one before the others.
    """
    folded = {each.lower(): each for each in reversed(tuple(words))}
    if word.lower() in folded:
        return f"; did you mean {folded[word.lower()]}?"
    likeness = 0.65 if len(word) <= 4 else 0.75
    begun = (each for each in folded if len(word) >= _LEAST_BEGUN and each.startswith(word.lower()))
    close = [
        *sorted(begun, key=len),
        *difflib.get_close_matches(word.lower(), folded, n=_HINTED, cutoff=likeness),
    ]
    if not close:
        return ""
    hinted = list(dict.fromkeys(close))[:_HINTED]
    return f"; did you mean {' or '.join(folded[each] for each in hinted)}?"
