"""Parse each style sheet once for all applications of a test process.

Textual parses the style sheets of an application when it starts: an eighth of the start of a test
that mounts the monitor. Rules do not change after that, so applications can share them.
"""

from __future__ import annotations

from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

_parsed: dict[object, list[RuleSet]] = {}


def share_parsed_styles() -> None:
    """Let style sheets with equal texts and variables share their rules."""
    parse = Stylesheet._parse_rules

    def parse_once(sheet: Stylesheet, *arguments: object, **named: object) -> list[RuleSet]:
        variables = tuple(sorted(sheet._variables.items()))
        key = (arguments, tuple(sorted(named.items())), variables)
        if key not in _parsed:
            _parsed[key] = parse(sheet, *arguments, **named)
        return _parsed[key]

    Stylesheet._parse_rules = parse_once
