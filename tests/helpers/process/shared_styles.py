"""Parse each style sheet, and select the rules of each kind of widget, once for a test process.

Textual parses the style sheets of an application when it starts, and compares every widget with the
selectors of all rules when it is mounted, gets a class, or loses the focus: a third of the time of
a test that mounts the monitor. Neither depends on the application:

- The rules of a style sheet depend on its text and on the variables of the theme.
- The rules that apply to a widget depend on what selectors can see of it and of the widgets around
  it: classes in Python and in CSS, ids, and those pseudo classes that the rules mention.

So applications share both. `Stylesheet.replace_rules` then gives the rules to a widget, as always.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from textual.css.model import RuleSet
from textual.css.styles import RulesMap
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode

_OF_ORDER = frozenset({"first-of-type", "last-of-type", "first-child", "last-child", "empty"})

_parsed: dict[object, list[RuleSet]] = {}
_numbers: dict[object, int] = {}
_candidates: dict[tuple[int, frozenset[str]], Candidates] = {}
_selected: dict[object, RulesMap] = {}

parse_rules = Stylesheet._parse_rules
apply_rules = Stylesheet.apply


class Candidates(NamedTuple):
    """The rules that may apply to a widget with certain names: a number, and pseudo classes."""

    number: int
    pseudo_classes: tuple[str, ...]
    flags: dict[str, bool]


def share_styles() -> None:
    """Let all applications of this process share their rules."""
    Stylesheet._parse_rules = _parse_once  # type: ignore[method-assign]
    Stylesheet.apply = _apply_selected  # type: ignore[method-assign]


def _number_of(owner: Stylesheet, name: str, value: Any, key: Any) -> int:
    """Return a number for `key(value)`; compute the key once for each `value` of an owner."""
    known = owner.__dict__.get(name)
    if known is None or known[0] is not value:
        known = (value, _numbers.setdefault(key(value), len(_numbers)))
        owner.__dict__[name] = known
    return known[1]


def _parse_once(sheet: Stylesheet, *arguments: object, **named: object) -> list[RuleSet]:
    variables = _number_of(
        sheet, "_variables_number", sheet._variables, lambda given: tuple(sorted(given.items()))
    )
    key = (variables, arguments, tuple(sorted(named.items())))
    if key not in _parsed:
        _parsed[key] = parse_rules(sheet, *arguments, **named)  # type: ignore[arg-type]
    return _parsed[key]


def _candidates_for(sheet: Stylesheet, node: DOMNode) -> Candidates:
    """Return the rules whose last selector names the type, the id, or a class of a node."""
    rules = _number_of(sheet, "_rules_number", sheet.rules, lambda given: tuple(map(id, given)))
    key = (rules, frozenset(node._selector_names))
    if key not in _candidates:
        found = [rule for rule in sheet.rules if not rule.selector_names.isdisjoint(key[1])]
        used = frozenset[str]().union(*(rule.pseudo_classes for rule in found))
        flags = {
            "_has_hover_style": "hover" in used,
            "_has_focus_within": "focus-within" in used,
            "_has_order_style": not used.isdisjoint(_OF_ORDER),
            "_has_odd_or_even": not used.isdisjoint({"odd", "even"}),
        }
        _candidates[key] = Candidates(len(_candidates), tuple(sorted(used)), flags)
    return _candidates[key]


def _apply_selected(
    sheet: Stylesheet, node: DOMNode, *, animate: bool = False, cache: object = None
) -> None:
    """Do what `Stylesheet.apply` does, with rules selected earlier where they are known."""
    candidates = _candidates_for(sheet, node)
    names = candidates.pseudo_classes
    path = tuple(
        (one.__class__, one._id, frozenset(one._classes), tuple(map(one.has_pseudo_class, names)))
        for one in node.css_path_nodes
    )
    key = (candidates.number, path)
    if (rules := _selected.get(key)) is None:
        _select(sheet, node, key, animate)
        return
    for name, value in candidates.flags.items():
        setattr(node, name, value)
    Stylesheet.replace_rules(node, rules, animate=animate)
    sheet._process_component_classes(node)


def _select(sheet: Stylesheet, node: DOMNode, key: object, animate: bool) -> None:
    """Let Textual select the rules of a node, and keep them."""

    def keep(target: DOMNode, rules: RulesMap, animate: bool = False) -> None:
        if target is node:
            _selected[key] = rules
        Stylesheet.replace_rules(target, rules, animate=animate)

    sheet.__dict__["replace_rules"] = keep
    try:
        apply_rules(sheet, node, animate=animate)
    finally:
        sheet.__dict__.pop("replace_rules", None)
