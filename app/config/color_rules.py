"""The setting ``[colors] rules``: color rules as TOML has them, and their check.

A rule with a wrong filter stays in the list and is off, so that the user can correct it. This
module imports the filter language only to check rules.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.analysis.color_rules.rule import Color, ColorRule
from core.wire.model.text import safe

_COLORS = ", ".join(color.value for color in Color)
_FLAGS = ("bold", "whole_row", "enabled")
_SETTINGS = ("name", "filter", "color", *_FLAGS)
MOST_RULES = 200


def rules_of(value: object) -> tuple[ColorRule, ...]:
    """Return the rules that TOML gave. Raise `ValueError`; see `ValueType.convert`."""
    if not isinstance(value, list | tuple):
        raise ValueError("must be a list of rules in braces")
    if len(value) > MOST_RULES:
        raise ValueError(f"has {len(value)} rules: at most {MOST_RULES}")
    return tuple(
        each if isinstance(each, ColorRule) else _rule_of(number, each)
        for number, each in enumerate(value, 1)
    )


def table_of(rule: ColorRule) -> Mapping[str, str | bool]:
    """Return a rule as a table of TOML, without the settings that have their default."""
    defaults = ColorRule("", "", rule.color)
    table: dict[str, str | bool] = {
        "name": rule.name,
        "filter": rule.filter,
        "color": rule.color.value,
    }
    for name in _FLAGS:
        if getattr(rule, name) != getattr(defaults, name):
            table[name] = getattr(rule, name)
    return table


def toml_of(rules: Sequence[ColorRule]) -> str:
    """Return rules as TOML writes them."""
    return f"[{', '.join(map(_inline_table, rules))}]"


def without_wrong_filters(rules: Sequence[ColorRule]) -> tuple[tuple[ColorRule, ...], list[str]]:
    """Return the rules, those with a wrong filter off, and a line about each of these."""
    checked: list[ColorRule] = []
    problems: list[str] = []
    for rule in rules:
        if rule.enabled and (problem := filter_problem(rule.filter)):
            problems.append(f"[colors] the rule {safe(rule.name)!r} is off: {problem}")
            rule = replace(rule, enabled=False)
        checked.append(rule)
    return tuple(checked), problems


def filter_problem(text: str) -> str:
    """Return what is wrong with the filter of a rule, and where; empty if it is valid."""
    from core.analysis.filter.display_filter import compile_filter
    from core.analysis.filter.fields.catalog import CATALOG
    from core.analysis.filter.language.errors import FilterError

    if not text.strip():
        return "a rule needs a filter"
    try:
        compile_filter(text, CATALOG)
    except FilterError as error:
        return safe(f"column {error.column}: {error.message}")
    return ""


def _rule_of(number: int, table: object) -> ColorRule:
    if not isinstance(table, dict):
        raise ValueError(f"has a rule, number {number}, that is not in braces")
    if unknown := [name for name in table if name not in _SETTINGS]:
        raise ValueError(f"has {unknown[0]!r} in rule {number}; there is {', '.join(_SETTINGS)}")
    values: dict[str, Any] = {"name": f"rule {number}", "color": Color.PLAIN.value, **table}
    for name, given in values.items():
        wanted, words = (bool, "true or false") if name in _FLAGS else (str, "text in quotes")
        if not isinstance(given, wanted):
            raise ValueError(f"has a {name} in rule {number} that is not {words}")
    if "filter" not in values:
        raise ValueError(f"has no filter in rule {number}")
    try:
        values["color"] = Color(values["color"])
    except ValueError:
        words = f"has the color {values['color']!r} in rule {number}; there is {_COLORS}"
        raise ValueError(words) from None
    return ColorRule(**values)


def _inline_table(rule: ColorRule) -> str:
    settings = (f"{name} = {_text_of(value)}" for name, value in table_of(rule).items())
    return f"{{{', '.join(settings)}}}"


def _text_of(value: str | bool) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    has_escapes = "'" in value or not value.isprintable()
    if '"' in value or "\\" in value:
        return json.dumps(value) if has_escapes else f"'{value}'"
    return json.dumps(value, ensure_ascii=has_escapes)
