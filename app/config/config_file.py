"""The person's configuration file, as far as the headless commands need it too: no Textual here."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_config_path, user_state_path

from core.files.private_folder import read_regular

_SECTIONS = ("keys", "forge")
_MOST_BYTES = 1 << 20  # of the configuration file that are read


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the two files are. ``XDG_CONFIG_HOME`` and ``XDG_STATE_HOME`` are respected."""

    config: Path
    state: Path

    @classmethod
    def of_user(cls) -> Paths:
        """The files of whoever runs the program."""
        return cls(
            user_config_path("rawscope") / "config.toml", user_state_path("rawscope") / "state.json"
        )


def read_config(path: Path, complaints: list[str]) -> dict[str, Any]:
    """The file's content. What is wrong with it is added to `complaints`, a line each."""
    try:
        content = tomllib.loads(read_regular(path, _MOST_BYTES).decode("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, RecursionError) as error:  # RecursionError: nested brackets
        complaints.append(f"{path}: {one_line(error)}; the default keys are used")
        return {}
    unknown = [name for name in content if name not in _SECTIONS]
    complaints += [f"{path}: unknown section {name!r}" for name in unknown]
    return content


def read_audit(path: Path, content: Mapping[str, Any], complaints: list[str]) -> bool:
    """Return True if what is sent is written down: yes, unless it is clearly said otherwise."""
    table = content.get("forge", {})
    audit = table.get("audit", True) if isinstance(table, dict) else None
    if isinstance(audit, bool):
        return audit
    complaints.append(f"{path}: [forge] audit is true or false; what is sent is written down")
    return True


def one_line(error: Exception) -> str:
    """What is wrong, without a line break."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())
