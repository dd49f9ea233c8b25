"""The error that refuses a filter, as a value."""

from __future__ import annotations

from collections.abc import Callable

from core.analysis.filter.language.errors import FilterError


def failure(call: Callable[[], object]) -> FilterError | None:
    """Return the `FilterError` that a call raises, or None."""
    try:
        call()
    except FilterError as error:
        return error
    return None
