"""The theme that the user chose last, which the program remembers in ``state.json``.

The file is replaced as a whole (written beside, renamed over it), and only its owner may read it.
The program leaves it alone if it is not a regular file of this user, or holds something else.
"""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

from app.config.config_file import one_line
from core.files.private_folder import PrivateFolder

_MOST_BYTES = 65536  # of the file


def read_theme(path: Path) -> str:
    """Return the remembered theme; empty if the file is missing or cannot be read."""
    try:
        with PrivateFolder(path.parent) as folder:
            state = json.loads(folder.read(path.name, _MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return ""
    theme = state.get("theme") if isinstance(state, dict) else None
    return theme if isinstance(theme, str) else ""


def remember_theme(path: Path, theme: str) -> str:
    """Write the theme to the file, whole or not at all. Return why not, or an empty text.

    This never waits for another process: it runs in the thread that answers keys.
    """
    try:
        with PrivateFolder(path.parent, create=True) as folder, folder.locked(waits=False):
            state = _state_to_keep(folder, path.name)
            folder.replace(path.name, json.dumps(state | {"theme": theme}).encode())
    except OSError as error:
        return f"{path}: {one_line(error)}; the theme is not remembered"
    return ""


def _state_to_keep(folder: PrivateFolder, name: str) -> dict[str, Any]:
    """Return what the file holds. Raises `OSError`, also for a file that rawscope did not write.

    An empty file counts as none: a power loss may leave a new one empty.
    """
    try:
        content = folder.read(name, _MOST_BYTES + 1)
        if not content:
            return {}
        state = json.loads(content) if len(content) <= _MOST_BYTES else None
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):
        state = None
    if not isinstance(state, dict):
        raise OSError(errno.EILSEQ, "it was not written by rawscope: move it away")
    return state
