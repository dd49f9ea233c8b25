"""The error of a filter that is wrong. The language is imported with the first text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.analysis.filter.language.errors import FilterError
    from core.analysis.filter.language.macros import Macros


def filter_error(text: str, macros: Macros) -> FilterError | None:
    """Return the error of a text that is not a filter; None for a filter and an empty text."""
    from core.analysis.filter.language.errors import FilterError
    from core.analysis.filter.packet_filter import PacketFilter

    try:
        PacketFilter.compile(text, macros=macros)
    except FilterError as error:
        return error
    return None
