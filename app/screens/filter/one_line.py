"""The form of a filter in the bar, which has one line."""

from __future__ import annotations

import re


def in_one_line(text: str) -> str:
    """Return a filter as the bar can hold it: with spaces for line breaks and tabs."""
    return re.sub(r"[\t\n\v\f\r]", " ", text).strip()
