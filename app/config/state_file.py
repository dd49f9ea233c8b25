"""The state file, ``state.json``: what the program remembers from run to run.

The file is replaced as a whole (written beside, renamed over it), and only its owner may read it.
The program leaves it alone if it is not a regular file of this user, or holds something else.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.files.private_folder import PrivateFolder

_MOST_BYTES = 65536  # of the file

State = dict[str, Any]


def read_state(path: Path) -> State:
    """Return the content of the file; nothing if it is missing or cannot be read."""
    try:
        with PrivateFolder(path.parent) as folder:
            state = json.loads(folder.read(path.name, _MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return state if isinstance(state, dict) else {}


def change_state(path: Path, change: Callable[[State], State]) -> None:
    """Write the file, whole or not at all: `change` returns new values for what it holds.

    Raise `OSError`. This never waits for another process: it runs in the thread that answers keys.
    """
    with PrivateFolder(path.parent, create=True) as folder, folder.locked(waits=False):
        state = _state_to_keep(folder, path.name)
        folder.replace(path.name, json.dumps(state | change(state)).encode())


def _state_to_keep(folder: PrivateFolder, name: str) -> State:
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
