"""The setting ``[colors] rules``: color rules as TOML has them, and their check.

A default rule that the user left alone is only a name there, and one whose filter the user left
alone has none, so they follow the defaults of later versions.

A rule with a wrong filter stays in the list and is off, so that the user can correct it. This
module imports the filter language only to check rules.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from core.analysis.color_rules.rule import DEFAULT_RULES, Color, ColorRule
from core.analysis.filter.language.macros import Macros
from core.wire.model.text import safe

_COLORS = ", ".join(color.value for color in Color)
_FLAGS = ("bold", "whole_row", "enabled")
_SETTINGS = ("name", "filter", "color", *_FLAGS)
MOST_RULES = 200
_DEFAULTS = {rule.name: rule for rule in DEFAULT_RULES}


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


def entry_of(rule: ColorRule) -> str | Mapping[str, str | bool]:
    """Return a rule as the list in TOML has it: a default rule as its name, others as a table.

    A table has no settings that have their default.
    """
    default = _DEFAULTS.get(rule.name)
    if rule == default:
        return rule.name
    table: dict[str, str | bool] = {"name": rule.name}
    if default is None or rule.filter != default.filter:
        table["filter"] = rule.filter
        default = ColorRule("", "", Color.PLAIN)
    if rule.color is not default.color:
        table["color"] = rule.color.value
    for name in _FLAGS:
        if getattr(rule, name) != getattr(default, name):
            table[name] = getattr(rule, name)
    return table


def toml_of(rules: Sequence[ColorRule]) -> str:
    """Return rules as TOML writes them."""
    return f"[{', '.join(map(_entry_text, rules))}]"


def without_wrong_filters(
    rules: Sequence[ColorRule], macros: Macros
) -> tuple[tuple[ColorRule, ...], list[str]]:
    """Return the rules, those with a wrong filter off, and a line about each of these."""
    checked: list[ColorRule] = []
    problems: list[str] = []
    for rule in rules:
        if rule.enabled and (problem := filter_problem(rule.filter, macros)):
            problems.append(f"[colors] the rule {safe(rule.name)!r} is off: {problem}")
            rule = replace(rule, enabled=False)
        checked.append(rule)
    return tuple(checked), problems


def filter_problem(text: str, macros: Macros) -> str:
    """Return what is wrong with the filter of a rule, and where; empty if it is valid."""
    from core.analysis.filter.display_filter import compile_filter
    from core.analysis.filter.fields.catalog import CATALOG
    from core.analysis.filter.language.errors import FilterError

    if not text.strip():
        return "a rule needs a filter"
    try:
        compile_filter(text, CATALOG, macros)
    except FilterError as error:
        return safe(f"column {error.column}: {error.message}")
    return ""


def _rule_of(number: int, table: object) -> ColorRule:
    """Return the rule of an entry of the list. A name without a rule becomes one without a filter.

    The user then sees in the list which default rule this version of the program lacks.
    """
    if isinstance(table, str):
        return _DEFAULTS.get(table, ColorRule(table, "", Color.PLAIN))
    if not isinstance(table, dict):
        raise ValueError(f"has a rule, number {number}, that is neither in braces nor a name")
    if unknown := [name for name in table if name not in _SETTINGS]:
        raise ValueError(f"has {unknown[0]!r} in rule {number}; there is {', '.join(_SETTINGS)}")
    default = None if "filter" in table else _DEFAULTS.get(str(table.get("name")))
    usual: Mapping[str, Any] = {"name": f"rule {number}", "color": Color.PLAIN.value}
    if default is not None:
        usual = {**asdict(default), "color": default.color.value}
        del usual["temporary"]
    values: dict[str, Any] = {**usual, **table}
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


def _entry_text(rule: ColorRule) -> str:
    entry = entry_of(rule)
    if isinstance(entry, str):
        return _text_of(entry)
    return f"{{{', '.join(f'{name} = {_text_of(value)}' for name, value in entry.items())}}}"


def _text_of(value: str | bool) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    has_escapes = "'" in value or not value.isprintable()
    if '"' in value or "\\" in value:
        return json.dumps(value) if has_escapes else f"'{value}'"
    return json.dumps(value, ensure_ascii=has_escapes)
