"""``rawscope filter``: check a display filter.

The command prints ``valid``, or the column and the reason, with the place marked under the text. It
tells a filter that only needs more text (*incomplete*) from one that is wrong.
"""

from __future__ import annotations

from app.cli.macro_file import macros_for
from app.cli.output import CommandOutput, print_message
from core.analysis.filter.display_filter import compile_filter
from core.analysis.filter.fields.catalog import CATALOG
from core.analysis.filter.language.errors import FilterError
from core.wire.model.text import safe

_INDENT = "  "


def run_filter(text: str) -> int:
    """Print what is wrong with a filter, or ``valid``; return the exit status, 0 or 2."""
    try:
        compile_filter(text, CATALOG, macros_for(text))
    except FilterError as error:
        for line in explanation(text, error):
            print_message(line)
        return 2
    output = CommandOutput()
    output.line("valid")
    output.flush()
    return 0


def explanation(text: str, error: FilterError) -> tuple[str, str, str]:
    """Return what is wrong and where, the text, and a line that marks the place in it."""
    kind = "incomplete" if error.is_incomplete else "wrong"
    reason = safe(f"{kind}, column {error.column}: {error.message}")
    return (reason, *marked_lines(text, *error.place))


def marked_lines(text: str, start: int, stop: int) -> tuple[str, str]:
    """Return the text, and a line that marks its characters `start` to before `stop`, at least one.

    The mark stands under the characters as they are printed: those that a terminal would obey are
    escaped.
    """
    before, there = safe(text[:start]), safe(text[start:stop])
    marker = " " * len(before) + "^" + "~" * (len(there) - 1)
    return _INDENT + safe(text), _INDENT + marker
