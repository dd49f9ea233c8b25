"""What the user configured, and what the program remembers.

Two files, because they have two writers:

* ``config.toml`` is the person's; it is read and never written. It holds::

      [keys]
      "view.pause" = "f6"         # an action's name, as the help screen gives it
      "packets.go_to" = "colon"   # Textual key names, comma-separated

      [forge]
      audit = false               # do not write down what is sent

* ``state.json`` is the program's: the theme that was chosen last. It is replaced in one
  step (write beside it, rename over it), readable by its owner only; what is no regular file of
  this user, or holds something else, is left as it is.

Neither can stop the program: what is wrong in them becomes one line in `Config.complaints`
and the defaults hold.
"""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.config.config_file import Paths, one_line, read_audit, read_config
from app.keymap import ACTIONS, BY_NAME, HEARD_TOGETHER, KeyContext
from core.files.private_folder import PrivateFolder

__all__ = ["Config", "Paths", "load", "remember_theme"]

_KEY = re.compile(r"(?:(?:ctrl|shift|alt)\+)*[A-Za-z0-9_]+")
_STATE_LIMIT_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Config:
    """What was read: keys by action name, the remembered theme, one line for each problem, whether
    what is sent is written down."""

    keys: Mapping[str, str] = field(default_factory=dict)
    theme: str = ""
    complaints: tuple[str, ...] = ()
    audit: bool = True


def load(paths: Paths) -> Config:
    """Read both files. Never raises: absent files are normal, bad ones are told."""
    complaints: list[str] = []
    content = read_config(paths.config, complaints)
    keys = _read_keys(paths.config, content, complaints)
    audit = read_audit(paths.config, content, complaints)
    return Config(keys, _read_theme(paths.state), tuple(complaints), audit)


def _read_keys(path: Path, content: Mapping[str, Any], complaints: list[str]) -> dict[str, str]:
    table = content.get("keys", {})
    if not isinstance(table, dict):
        complaints.append(f"{path}: [keys] must be a table; the default keys are used")
        return {}
    keys: dict[str, str] = {}
    for name, value in table.items():
        problem = _key_problem(name, value, keys)
        if problem:
            complaints.append(f"{path}: {problem}")
        else:
            keys[name] = value.replace(" ", "")
    return keys


def _key_problem(name: str, value: Any, keys: Mapping[str, str]) -> str:
    """Why ``name = value`` cannot be a key, in one line, or nothing."""
    if name not in BY_NAME:
        return f"[keys] {name!r} is no action; the help screen (?) names them"
    if not isinstance(value, str):
        return f"[keys] {name} takes a key in quotes"
    wanted = value.replace(" ", "").split(",")
    for key in wanted:
        if not _KEY.fullmatch(key):
            return f"[keys] {name}: {key!r} is no key name; use names as ctrl+e, f5, colon"
        other = _holder(key, BY_NAME[name].place, keys, besides=name)
        if other:
            return f"[keys] {name}: {key} is the key of {other}; move that one first"
    return ""


def _holder(key: str, place: KeyContext, keys: Mapping[str, str], besides: str) -> str:
    """The action that answers `key` where `place` does, under the keys accepted so far."""
    for action in ACTIONS:
        both = any({action.place, place} <= places for places in HEARD_TOGETHER)
        if action.name != besides and both:
            held = keys.get(action.name, action.keys)
            if key in held.split(","):
                return action.name
    return ""


def _read_theme(path: Path) -> str:
    """The remembered theme. A state file that cannot be read is as good as none."""
    try:
        with PrivateFolder(path.parent) as folder:
            state = json.loads(folder.read(path.name, _STATE_LIMIT_BYTES))
    except (OSError, ValueError, RecursionError):
        return ""
    theme = state.get("theme") if isinstance(state, dict) else None
    return theme if isinstance(theme, str) else ""


def remember_theme(paths: Paths, theme: str) -> str:
    """Write the state file, whole or not at all, mode 0600. Return why not, or an empty text.

    It never waits for another process: it runs in the thread that answers keys.
    """
    name = paths.state.name
    try:
        with PrivateFolder(paths.state.parent, create=True) as folder, folder.locked(waits=False):
            state = _state_to_keep(folder, name)
            folder.replace(name, json.dumps(state | {"theme": theme}).encode())
    except OSError as error:
        return f"{paths.state}: {one_line(error)}; the theme is not remembered"
    return ""


def _state_to_keep(folder: PrivateFolder, name: str) -> dict[str, Any]:
    """Return what the state file holds. Raises OSError, also if that is something else.

    An empty file counts as none: a power loss may leave a new one so.
    """
    try:
        content = folder.read(name, _STATE_LIMIT_BYTES + 1)
        if not content:
            return {}
        state = json.loads(content) if len(content) <= _STATE_LIMIT_BYTES else None
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):
        state = None
    if not isinstance(state, dict):
        raise OSError(errno.EILSEQ, "it was not written by rawscope: move it away")
    return state
