"""The settings of the configuration file as data: type, default, and meaning of each.

`SECTIONS` is the only list of settings. `app.config.config_file` reads and checks a file by it, and
the example in the README is `example()`. To add a setting, add a field to a section's dataclass;
for a new section, add a dataclass, a field of `Config`, and a line of `SECTIONS`.

The settings of ``[keys]`` are the actions of `app.keymap`. This module imports no Textual.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from app.config.color_rules import toml_of
from app.config.value_types import (
    COLOR_RULES,
    COLUMNS,
    FILTERS,
    FLAG,
    HEADINGS,
    KEY_NAMES,
    MACRO,
    PERCENT,
    SHOWN_COLUMNS,
    WIDTHS,
    ValueType,
)
from app.keymap import ACTIONS
from core.analysis.color_rules.rule import DEFAULT_RULES, Color, ColorRule
from core.analysis.filter.language.macros import NAME

_COMMENT_COLUMN = 35  # of the example

Value = bool | int | str | tuple[str, ...] | dict[str, int] | tuple[ColorRule, ...]


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
    metadata = {"type": type, "meaning": meaning}
    if isinstance(default, dict):
        return field(default_factory=lambda: default, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class ForgeSettings:
    """The section ``[forge]``."""

    audit: bool = _setting(FLAG, True, "record sent packets")


@dataclass(frozen=True, slots=True)
class ColorSettings:
    """The section ``[colors]``, which the program changes when the user does on the screen."""

    rules: tuple[ColorRule, ...] = _setting(COLOR_RULES, DEFAULT_RULES, "the color rules")


@dataclass(frozen=True, slots=True)
class TableSettings:
    """The section ``[table]``, which the program changes when the user does on the screen."""

    columns: tuple[str, ...] = _setting(SHOWN_COLUMNS, HEADINGS, "the columns, from left to right")
    spare: tuple[str, ...] = _setting(COLUMNS, (), "more fields in the list of columns")
    widths: Mapping[str, int] = _setting(WIDTHS, {}, "columns with a fixed width")
    split: int = _setting(PERCENT, 0, "percent of the height for the table")
    side_split: int = _setting(PERCENT, 0, "the same beside a side panel")
    hex_width: int = _setting(PERCENT, 0, "percent of the width for Hex")
    side_hex_width: int = _setting(PERCENT, 0, "the same beside a side panel")
    side_width: int = _setting(PERCENT, 0, "percent of the width for a side panel")


@dataclass(frozen=True, slots=True)
class FilterSettings:
    """The section ``[filters]``, which the program changes when the user does on the screen."""

    saved: Mapping[str, str] = _setting(FILTERS, {}, "saved display filters")


class MacroSettings(Mapping[str, Setting]):
    """The section ``[macros]``: any name that a filter can use, and its text."""

    def __getitem__(self, name: str) -> Setting:
        if not NAME.fullmatch(name):
            raise KeyError(name)
        return Setting("macros", name, MACRO, "", "")

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of a configuration file. `complaints` has a line for each mistake in it."""

    keys: Mapping[str, str] = field(default_factory=dict)
    """The section ``[keys]``: only the remapped actions, and their keys."""
    forge: ForgeSettings = ForgeSettings()
    colors: ColorSettings = ColorSettings()
    table: TableSettings = TableSettings()
    filters: FilterSettings = FilterSettings()
    macros: Mapping[str, str] = field(default_factory=dict)
    """The section ``[macros]``: texts by name."""
    complaints: tuple[str, ...] = ()


_SAMPLE_RULE = ColorRule("Web", "tcp.port == 80", Color.ACCENT)


def _section_of(
    name: str,
    defaults: ForgeSettings | ColorSettings | TableSettings | FilterSettings,
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
                ("view.pause", "f11", "an action, and the key that runs it"),
                ("packets.go_to", "colon,ctrl+g", "several keys, separated by commas"),
            ),
        ),
        _section_of("forge", ForgeSettings()),
        _section_of(
            "colors",
            ColorSettings(),
            (("rules", (_SAMPLE_RULE,), "instead of the default rules; f6 edits them"),),
        ),
        _section_of("table", TableSettings()),
        _section_of("filters", FilterSettings()),
        Section(
            "macros",
            MacroSettings(),
            "a name of letters, digits, and _",
            "filters use them as $name(arguments)",
            (("private", "($1 == 10.0.0.0/8 or $1 == 192.168.0.0/16)", "$private(ip.src)"),),
        ),
    )
}


def toml_value(value: Value) -> str:
    """Return a value as TOML writes it."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case str():
            return f'"{value}"'
        case dict():
            return f"{{{', '.join(f'{_quoted(k)} = {v}' for k, v in value.items())}}}"
    if rules := tuple(one for one in value if isinstance(one, ColorRule)):
        return toml_of(rules)
    return f"[{', '.join(toml_value(one) for one in value if isinstance(one, str))}]"


def _quoted(name: str) -> str:
    return name if name.isalnum() else f'"{name}"'


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
