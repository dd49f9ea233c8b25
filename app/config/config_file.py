"""Read ``config.toml``, which the user writes and the program only reads.

A mistake in it never stops the program: it becomes one line in `Config.complaints`, and that
setting keeps its default. `app.config.schema` lists the settings. This module imports no Textual.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from app.config.color_rules import without_wrong_filters
from app.config.schema import (
    SECTIONS,
    ColorSettings,
    Config,
    FilterSettings,
    ForgeSettings,
    Section,
    TableSettings,
    toml_value,
)
from app.config.value_types import PartlyWrongError
from app.keymap import ACTIONS, BY_NAME, HEARD_TOGETHER
from core.files.private_folder import read_regular

MOST_BYTES = 1 << 20  # of the file
_LONG = 60  # characters of a default that a message leaves out


def load(path: Path, sections: Collection[str] = tuple(SECTIONS)) -> Config:
    """Return what the file says in some of its sections. Never raises; the file may be missing."""
    try:
        content = tomllib.loads(read_regular(path, MOST_BYTES).decode("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return Config()
    except (OSError, ValueError, RecursionError) as error:  # RecursionError: nested brackets
        return Config(complaints=(f"{path}: {one_line(error)}; the defaults are used",))
    found, problems = convert(content, sections)
    colors = ColorSettings(**found.get("colors", {}))
    if "colors" in found:
        rules, wrong = without_wrong_filters(colors.rules, found.get("macros", {}))
        colors, problems = ColorSettings(rules), problems + wrong
    return Config(
        found.get("keys", {}),
        ForgeSettings(**found.get("forge", {})),
        colors,
        TableSettings(**found.get("table", {})),
        FilterSettings(**found.get("filters", {})),
        found.get("macros", {}),
        tuple(f"{path}: {problem}" for problem in problems),
    )


def convert(
    content: Mapping[str, Any], sections: Collection[str]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return the valid settings of some sections, by section and name, and the problems."""
    problems = [f"unknown section {name!r}" for name in content if name not in SECTIONS]
    found = {
        name: _convert_section(SECTIONS[name], content[name], problems)
        for name in sections
        if name in content
    }
    return found, problems


def one_line(error: Exception) -> str:
    """Return the message of an error without line breaks."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())


def _convert_section(section: Section, table: Any, problems: list[str]) -> dict[str, Any]:
    """Return the valid settings of a section by name; append to `problems`."""
    if not isinstance(table, dict):
        problems.append(f"[{section.name}] must be a table; the defaults are used")
        return {}
    found: dict[str, Any] = {}
    for name, given in table.items():
        if (setting := section.settings.get(name)) is None:
            problems.append(f"[{section.name}] {name!r} is not {section.kind}; {section.listing}")
            continue
        try:
            value = setting.type.convert(given)
        except PartlyWrongError as error:
            problems.append(f"[{section.name}] {name} {error}; the others are used")
            found[name] = error.kept
            continue
        except ValueError as error:
            default = toml_value(setting.default)
            words = "the default is used" + f": {default}" * (len(default) < _LONG)
            words = "the macro is left out" if section.name == "macros" else words
            problems.append(f"[{section.name}] {name} {error}; {words}")
            continue
        if section.name == "keys" and (clash := _clash(name, value, found)):
            problems.append(f"[keys] {name}: {clash}")
            continue
        found[name] = value
    return found


def _clash(name: str, keys: str, accepted: Mapping[str, str]) -> str:
    """Return why an action cannot have these keys, or an empty text.

    Another action may not have one of them in a context that is active together with this one's.
    `accepted` are the keys of the actions remapped before.
    """
    place = BY_NAME[name].place
    for key in keys.split(","):
        for other in ACTIONS:
            together = any({other.place, place} <= places for places in HEARD_TOGETHER)
            has_key = key in accepted.get(other.name, other.keys).split(",")
            if other.name != name and together and has_key:
                return f"{key} is the key of {other.name}; move that one first"
    return ""
