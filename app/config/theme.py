"""The theme that the user chose last, which the program remembers in the state file."""

from __future__ import annotations

from pathlib import Path

from app.config.config_file import one_line
from app.config.state_file import change_state, read_state


def read_theme(path: Path) -> str:
    """Return the remembered theme; empty if the file is missing or cannot be read."""
    theme = read_state(path).get("theme")
    return theme if isinstance(theme, str) else ""


def remember_theme(path: Path, theme: str) -> str:
    """Write the theme to the file, whole or not at all. Return why not, or an empty text."""
    try:
        change_state(path, lambda _: {"theme": theme})
    except OSError as error:
        return f"{path}: {one_line(error)}; the theme is not remembered"
    return ""
