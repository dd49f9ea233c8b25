"""The lines below the filter bar: whether the text is valid, incomplete, or wrong, and why.

They lie over the table, so its rows do not move.
"""

from __future__ import annotations

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from core.analysis.filter.language.errors import FilterError
from core.wire.model.text import safe

EMPTY = "type a filter such as udp.port == 53 or ip.addr == 10.0.0.1; empty: all packets"
VALID = "✓ valid: enter applies it"


class FilterHints(Widget):
    """The lines below the filter bar."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {"filter-hints--wrong", "filter-hints--incomplete", "filter-hints--valid"}
    DEFAULT_CSS = """
    FilterHints {
        display: none;
        height: auto;
        padding: 0 1;
        background: $surface;
        & > .filter-hints--wrong { color: $text-error; }
        & > .filter-hints--incomplete { color: $text-warning; }
        & > .filter-hints--valid { color: $text-success; }
    }
    """

    text: reactive[str] = reactive("", layout=True)
    error: reactive[FilterError | None] = reactive(None, layout=True)

    def render(self) -> Text:
        words, kind = state_line(self.text, self.error)
        style = self.get_component_rich_style(f"filter-hints--{kind}") if kind else ""
        return Text(words, style, overflow="ellipsis")


def state_line(text: str, error: FilterError | None) -> tuple[str, str]:
    """Return what to say about a filter, and the kind of its style."""
    if error is not None:
        kind, sign = ("incomplete", "…") if error.is_incomplete else ("wrong", "✗")
        return safe(f"{sign} {kind}, column {error.column}: {error.message}"), kind
    return (VALID, "valid") if text.strip() else (EMPTY, "")
