"""Columns of sorted lists, and the order that the user chose. No drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class ListColumn(Protocol):
    """A column of a sorted list.

    The first press of its heading sorts in descending order if `largest_first`.
    """

    @property
    def heading(self) -> str: ...

    @property
    def at_right(self) -> bool: ...

    @property
    def largest_first(self) -> bool: ...


C = TypeVar("C", bound=ListColumn)


@dataclass(frozen=True, slots=True)
class Sort(Generic[C]):
    """The column to sort by, and whether the largest value is first."""

    column: C
    descending: bool

    @classmethod
    def first_by(cls, column: C) -> Sort[C]:
        """Return the sort of the first press of a heading."""
        return cls(column, column.largest_first)

    @property
    def reversed(self) -> Sort[C]:
        """The same column in the opposite order."""
        return Sort(self.column, not self.descending)
