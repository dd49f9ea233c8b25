"""The JSON files in which earlier versions kept drafts, history, and approved destinations.

Nothing writes them. `core.forge.journal.database` imports each file once and renames it to
``NAME.imported``, so that an earlier version can have its content back.
"""

from __future__ import annotations

import json
from typing import Any

from core.files.private_folder import PrivateFolder
from core.forge.journal.encoding import encoded, to_blob

DRAFTS = "drafts.json"  # an object: drafts by name
HISTORY = "history.json"  # an array: drafts, newest first
APPROVALS = "destinations.json"  # an array: marks, newest first
IMPORTED = ".imported"  # the suffix of a file whose entries are in the database
LARGEST_BYTES = 16 << 20  # the most that was ever written to a file


def read_rows(folder: PrivateFolder, name: str) -> list[tuple[Any, ...]]:
    """Return the rows of the database that a file's entries become, in order of insertion.

    Entries that this version cannot parse stay as they are. Raises `OSError`, and `ValueError`,
    whose text is the place or the kind of the damage, for a file that rawscope did not write.
    """
    content = folder.read(name, LARGEST_BYTES + 1)
    if not content:  # a power loss may leave an empty file
        return []
    if len(content) > LARGEST_BYTES:
        raise ValueError(f"larger than {LARGEST_BYTES >> 20} MiB")
    try:
        entries = json.loads(content)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}, column {error.colno}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start + 1} is not UTF-8 text") from None
    except ValueError:
        raise ValueError("a number has too many digits") from None
    except RecursionError:
        raise ValueError("brackets are nested too deeply") from None
    try:
        return _rows(entries, name)
    except RecursionError:
        raise ValueError("brackets are nested too deeply") from None


def _rows(entries: Any, name: str) -> list[tuple[Any, ...]]:
    """Return the rows of decoded entries. Raises `ValueError` and `RecursionError`."""
    if name == DRAFTS and isinstance(entries, dict):
        return [(to_blob(key), encoded(drafts)) for key, drafts in entries.items()]
    if name == HISTORY and isinstance(entries, list):
        return [(encoded(drafts),) for drafts in reversed(entries)]
    if name == APPROVALS and isinstance(entries, list):
        return [(to_blob(mark),) for mark in reversed(entries) if isinstance(mark, str)]
    raise ValueError("not the entries that rawscope writes there")
