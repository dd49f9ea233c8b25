"""Color rules in the configuration file: read, checked, and written again."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from app.config.color_rules import MOST_RULES, entry_of, rules_of, toml_of
from app.config.config_file import load
from app.config.config_writer import changed_text
from core.analysis.color_rules.rule import DEFAULT_RULES, Color, ColorRule

STRANGE = ColorRule("a \"b\" 'c' \\ é\n", 'frame contains "\\"" or _ws', Color.MUTED, enabled=False)
CHANGED = (
    replace(DEFAULT_RULES[0], enabled=False),
    replace(DEFAULT_RULES[-1], filter="udp", color=Color.MUTED),
)
RULES = (*DEFAULT_RULES[1:], STRANGE, *CHANGED)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_rules_are_read_as_they_were_written(path: Path) -> None:
    for text in (
        f"[colors]\nrules = {toml_of(RULES)}\n",
        changed_text("", "colors", {"rules": [entry_of(rule) for rule in RULES]}),
    ):
        assert rules_of(tomllib.loads(text)["colors"]["rules"]) == RULES
        path.write_text(text)
        config = load(path)
        assert (config.colors.rules, config.complaints) == (RULES, ())


def test_default_rules_are_names_and_their_changes_only() -> None:
    off = replace(DEFAULT_RULES[0], enabled=False, bold=False)
    other = replace(DEFAULT_RULES[1], filter="arp", color=Color.ACCENT)
    assert [entry_of(rule) for rule in (DEFAULT_RULES[2], off, other)] == [
        "Truncated",
        {"name": "Bad checksum", "bold": False, "enabled": False},
        {"name": "Malformed", "filter": "arp", "color": "accent", "bold": True, "whole_row": True},
    ]
    assert len({rule.name for rule in DEFAULT_RULES}) == len(DEFAULT_RULES)


def test_a_name_that_no_default_rule_has_is_reported(path: Path) -> None:
    path.write_text('[colors]\nrules = ["UDP", "Gone"]\n')
    config = load(path)
    assert config.colors.rules == (
        DEFAULT_RULES[-1],
        ColorRule("Gone", "", Color.PLAIN, enabled=False),
    )
    assert config.complaints == (f"{path}: [colors] the rule 'Gone' is off: a rule needs a filter",)


def test_tables_may_have_lines_of_their_own_and_omit_what_is_usual(path: Path) -> None:
    path.write_text(
        '[[colors.rules]]\nfilter = "tcp"\n\n'
        '[[colors.rules]]\nname = "Ping"\nfilter = "icmp"\ncolor = "error"\nwhole_row = true\n'
    )
    assert load(path).colors.rules == (
        ColorRule("rule 1", "tcp", Color.PLAIN),
        ColorRule("Ping", "icmp", Color.ERROR, whole_row=True),
    )


def test_a_wrong_filter_turns_its_rule_off_and_is_named_with_its_place(path: Path) -> None:
    path.write_text(
        '[colors]\nrules = [{name = "Mine", filter = "tcp.prot == 1"}, {filter = "udp"}, '
        '{name = "Old", filter = "no.field", enabled = false}]\n'
    )
    config = load(path)
    assert [(rule.name, rule.enabled) for rule in config.colors.rules] == [
        ("Mine", False),
        ("rule 2", True),
        ("Old", False),
    ]
    (complaint,) = config.complaints
    assert complaint.startswith(f"{path}: [colors] the rule 'Mine' is off: column 1: ")
    assert "tcp.port" in complaint


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("3", "must be a list of rules in braces"),
        ("[3]", "has a rule, number 1, that is neither in braces nor a name"),
        ('[{filter = "tcp", paint = "red"}]', "has 'paint' in rule 1; there is name, filter"),
        ('[{filter = "tcp", color = "red"}]', "has the color 'red' in rule 1; there is error"),
        ('[{filter = "tcp", bold = 1}]', "has a bold in rule 1 that is not true or false"),
        ('[{filter = "tcp"}, {filter = 1}]', "has a filter in rule 2 that is not text in quotes"),
        ('[{name = "x"}]', "has no filter in rule 1"),
        (f"[{'{}, ' * (MOST_RULES + 1)}]", f"has {MOST_RULES + 1} rules: at most {MOST_RULES}"),
    ],
)
def test_a_wrong_list_means_the_default_rules(path: Path, value: str, words: str) -> None:
    path.write_text(f"[colors]\nrules = {value}\n")
    config = load(path)
    assert config.colors.rules == DEFAULT_RULES
    (complaint,) = config.complaints
    assert complaint.startswith(f"{path}: [colors] rules {words}")
    assert complaint.endswith("; the default is used")
