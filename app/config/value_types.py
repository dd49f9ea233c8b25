"""The types of settings: what TOML may give for each, and the value that the program gets.

This module imports no Textual.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.config.color_rules import rules_of
from widgets.packets.column_choice import BUILT_IN, WIDTH_LEAST, WIDTH_MOST, column_of

_KEY = re.compile(r"(?:(?:ctrl|shift|alt)\+)*[A-Za-z0-9_]+")
SPLIT_LEAST, SPLIT_MOST = 10, 90  # percent
HEADINGS = tuple(column.value for column in BUILT_IN)


@dataclass(frozen=True, slots=True)
class ValueType:
    """A type of values with its limits.

    `convert` returns the value for what TOML gave. It raises `ValueError`, whose text continues
    "[section] setting …".
    """

    words: str
    convert: Callable[[object], Any]


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be {FLAG.words}")
    return value


def _key_names(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be {KEY_NAMES.words}")
    names = value.replace(" ", "")
    for name in names.split(","):
        if not _KEY.fullmatch(name):
            raise ValueError(f"has {name!r}, which is not a key name such as ctrl+e, f5, or colon")
    return names


def _number(value: object, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"must be a number from {least} to {most}")
    return value


def _percent(value: object) -> int:
    return value if value == 0 and value is not False else _number(value, SPLIT_LEAST, SPLIT_MOST)


class PartlyWrongError(ValueError):
    """A value of which a part is wrong; `kept` is the rest, which is valid."""

    def __init__(self, message: str, kept: Any) -> None:
        super().__init__(message)
        self.kept = kept


def _heading(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must have names in quotes")
    try:
        column_of(value)
    except KeyError:
        raise ValueError(
            f"has {value!r}, which is neither a field nor one of {', '.join(HEADINGS)}"
        ) from None
    return value


def _headings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"must be {COLUMNS.words}")
    found: list[str] = []
    problem = ""
    for each in value:
        try:
            heading = _heading(each)
        except ValueError as error:
            problem = problem or str(error)
            continue
        if heading in found:
            problem = problem or f"has {heading!r} twice"
        else:
            found.append(heading)
    if problem and found:
        raise PartlyWrongError(problem, tuple(found))
    if problem:
        raise ValueError(problem)
    return tuple(found)


def _shown_headings(value: object) -> tuple[str, ...]:
    found = _headings(value)
    if not found:
        raise ValueError("must name at least one column")
    return found


def _widths(value: object) -> dict[str, int]:
    if not isinstance(value, dict):
        raise ValueError(f"must be {WIDTHS.words}")
    return {_heading(name): _number(each, WIDTH_LEAST, WIDTH_MOST) for name, each in value.items()}


def _filters(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(
        isinstance(text, str) and text.isprintable() and name.isprintable()
        for name, text in value.items()
    ):
        raise ValueError(f"must be {FILTERS.words}")
    return dict(value)


def _macro(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError(f"must be {MACRO.words}")
    return value


FLAG = ValueType("true or false", _flag)
KEY_NAMES = ValueType("keys in quotes, separated by commas", _key_names)
COLOR_RULES = ValueType("a list of rules in braces, or names of default rules", rules_of)
COLUMNS = ValueType("a list of names in quotes", _headings)
SHOWN_COLUMNS = ValueType(COLUMNS.words, _shown_headings)
WIDTHS = ValueType("name = cells, in braces", _widths)
FILTERS = ValueType("name = filter in quotes, in braces", _filters)
MACRO = ValueType("a part of a filter in quotes, with $1, $2, … for its arguments", _macro)
PERCENT = ValueType(f"{SPLIT_LEAST} to {SPLIT_MOST}, or 0 for the default", _percent)
