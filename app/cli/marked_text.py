"""A text of the command line with a place in it marked, for messages about filters."""

from __future__ import annotations

import rich_click as click

from core.wire.model.text import safe

_INDENT = "  "


class MarkedUsageError(click.UsageError):
    """Wrong usage because of a text. `marked` are the lines that show where; see `marked_lines`."""

    def __init__(self, message: str, marked: tuple[str, str]) -> None:
        super().__init__(message)
        self.marked = marked


def marked_lines(text: str, start: int, stop: int) -> tuple[str, str]:
    """Return the text, and a line that marks its characters `start` to before `stop`, at least one.

    The mark stands under the characters as they are printed: those that a terminal would obey are
    escaped.
    """
    before, there = safe(text[:start]), safe(text[start:stop])
    marker = " " * len(before) + "^" + "~" * (len(there) - 1)
    return _INDENT + safe(text), _INDENT + marker
