"""What is kept from run to run: drafts by name, the history of what was sent, agreed destinations.

All of it is in one folder that the caller names, as JSON that a person can read, readable by its
owner only. A file is replaced whole (written beside, renamed over) or not at all. What cannot be
read is as good as absent, and said once in `complaints`.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from core.forge.draft import BadDraftError, Draft

HISTORY_LENGTH = 200
MOST_DESTINATIONS = 10_000
_LARGEST_BYTES = 16 << 20


class Shelf:
    """The files of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.complaints: list[str] = []

    def drafts(self) -> dict[str, tuple[Draft, ...]]:
        """The saved drafts by name, in alphabetical order; a name may hold several that belong
        together."""
        found = self._read("drafts")
        entries = found.items() if isinstance(found, dict) else ()
        return {name: drafts for name, one in sorted(entries) if (drafts := self._drafts(one))}

    def save(self, name: str, drafts: Sequence[Draft]) -> None:
        """Keep drafts under a name, in the place of any that were. Raises OSError."""
        kept = {key: _objects(held) for key, held in self.drafts().items()}
        kept[name] = _objects(drafts)
        self._write("drafts", kept)

    def delete(self, name: str) -> None:
        """Forget the drafts of a name; `KeyError` if there are none. Raises OSError."""
        kept = {key: _objects(held) for key, held in self.drafts().items()}
        del kept[name]
        self._write("drafts", kept)

    def history(self) -> list[tuple[Draft, ...]]:
        """What was sent, newest first."""
        found = self._read("history")
        entries = found if isinstance(found, list) else []
        return [drafts for one in entries if (drafts := self._drafts(one))]

    def remember(self, drafts: Sequence[Draft]) -> None:
        """Put what was sent on top of the history; what is there already moves up.

        Raises OSError.
        """
        newest = tuple(drafts)
        older = [held for held in self.history() if held != newest]
        self._write("history", [_objects(one) for one in [newest, *older][:HISTORY_LENGTH]])

    def known(self) -> frozenset[str]:
        """The marks that were agreed to; see `core.forge.rails`."""
        found = self._read("destinations")
        entries = found if isinstance(found, list) else []
        return frozenset(one for one in entries if isinstance(one, str))

    def agree(self, marks: Iterable[str]) -> None:
        """Remember that a person said yes. Raises OSError."""
        known = self.known()
        if set(marks) - known:
            self._write("destinations", sorted(known | set(marks))[:MOST_DESTINATIONS])

    def _drafts(self, entry: Any) -> tuple[Draft, ...]:
        try:
            if not isinstance(entry, list):
                raise BadDraftError("a list of drafts is expected")
            return tuple(Draft.from_object(one) for one in entry)
        except BadDraftError as error:
            self.complaints.append(f"{self._folder}: {error}")
            return ()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _read(self, name: str) -> Any:
        path = self._path(name)
        try:
            with path.open("rb") as file:
                return json.loads(file.read(_LARGEST_BYTES))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            self.complaints.append(f"{path}: {error}")
            return None

    def _write(self, name: str, content: Any) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, beside = tempfile.mkstemp(dir=self._folder, prefix=f".{name}-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=1)
            os.replace(beside, self._path(name))
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(beside)
            raise


def _objects(drafts: Sequence[Draft]) -> list[Any]:
    return [json.loads(draft.to_json()) for draft in drafts]
