"""The settings of the configuration file as data: type, default, and meaning of each.

`SECTIONS` is the only list of settings. `app.config.config_file` reads and checks a file by it, and
the example in the README is `example()`. To add a setting, add a field to a section's dataclass;
for a new section, add a dataclass, a field of `Config`, and a line of `SECTIONS`.

The settings of ``[keys]`` are the actions of `app.keymap`. This module imports no Textual.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from app.config.color_rules import rules_of, toml_of
from app.keymap import ACTIONS
from core.analysis.color_rules.rule import DEFAULT_RULES, Color, ColorRule

_KEY = re.compile(r"(?:(?:ctrl|shift|alt)\+)*[A-Za-z0-9_]+")
_COMMENT_COLUMN = 35  # of the example

Value = bool | str | tuple[ColorRule, ...]


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


FLAG = ValueType("true or false", _flag)
KEY_NAMES = ValueType("keys in quotes, separated by commas", _key_names)
COLOR_RULES = ValueType("a list of rules in braces", rules_of)


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting: a line in a section of the file."""

    section: str
    name: str
    type: ValueType
    default: Value
    meaning: str


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the file.

    Messages about an unknown setting say that it is not `kind`, and `listing`. `samples` are the
    lines of the example for a section of many settings: name, value, meaning.
    """

    name: str
    settings: Mapping[str, Setting]
    kind: str = "a setting"
    listing: str = ""
    samples: tuple[tuple[str, Value, str], ...] = ()


def _setting(type: ValueType, default: Any, meaning: str) -> Any:
    """Return a dataclass field for a setting."""
    return field(default=default, metadata={"type": type, "meaning": meaning})


@dataclass(frozen=True, slots=True)
class ForgeSettings:
    """The section ``[forge]``."""

    audit: bool = _setting(FLAG, True, "record sent packets")


@dataclass(frozen=True, slots=True)
class ColorSettings:
    """The section ``[colors]``, which the program changes when the user does on the screen."""

    rules: tuple[ColorRule, ...] = _setting(COLOR_RULES, DEFAULT_RULES, "the color rules")


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of a configuration file. `complaints` has a line for each mistake in it."""

    keys: Mapping[str, str] = field(default_factory=dict)
    """The section ``[keys]``: only the remapped actions, and their keys."""
    forge: ForgeSettings = ForgeSettings()
    colors: ColorSettings = ColorSettings()
    complaints: tuple[str, ...] = ()


_SAMPLE_RULE = ColorRule("Web", "tcp.port == 80", Color.ACCENT)


def _section_of(
    name: str,
    defaults: ForgeSettings | ColorSettings,
    samples: tuple[tuple[str, Value, str], ...] = (),
) -> Section:
    """Return the section that a dataclass of settings describes, from its default instance."""
    made = {
        one.name: Setting(name, one.name, default=getattr(defaults, one.name), **one.metadata)
        for one in fields(defaults)
    }
    return Section(name, made, listing=f"there is {', '.join(made)}", samples=samples)


SECTIONS = {
    section.name: section
    for section in (
        Section(
            "keys",
            {
                action.name: Setting("keys", action.name, KEY_NAMES, action.keys, action.help)
                for action in ACTIONS
            },
            "an action",
            "the help screen (?) lists the actions",
            (
                ("view.pause", "f8", "an action, and the key that runs it"),
                ("packets.go_to", "colon,ctrl+g", "several keys, separated by commas"),
            ),
        ),
        _section_of("forge", ForgeSettings()),
        _section_of(
            "colors",
            ColorSettings(),
            (("rules", (_SAMPLE_RULE,), "instead of the default rules; f6 edits them"),),
        ),
    )
}


def toml_value(value: Value) -> str:
    """Return a value as TOML writes it."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
    return toml_of(value)


def example() -> str:
    """Return an example of the file, with every setting except for the keys of most actions."""
    return "\n\n".join("\n".join(_example_of(section)) for section in SECTIONS.values()) + "\n"


def _example_of(section: Section) -> Iterator[str]:
    """Yield the lines of one section of the example."""
    yield f"[{section.name}]"
    lines = [
        (f'"{name}"' if "." in name else name, value, meaning)
        for name, value, meaning in section.samples
    ] or [
        (setting.name, setting.default, f"{setting.meaning}: {setting.type.words}")
        for setting in section.settings.values()
    ]
    for name, value, meaning in lines:
        yield f"{name} = {toml_value(value)} ".ljust(_COMMENT_COLUMN) + f"# {meaning}"
