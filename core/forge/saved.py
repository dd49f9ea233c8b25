"""What is kept from run to run: drafts by name, the history of what was sent, agreed destinations.

All of it is in one folder that the caller names, as JSON that a person can read, readable by its
owner only. A file is replaced whole (written beside, renamed over) or not at all. What cannot be
read is as good as absent, and said once in `complaints`; but nothing is lost by saving: an entry
that cannot be read stays as it is, and a whole file that cannot is set aside under another name.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from core.forge.draft import BadDraftError, Draft

HISTORY_LENGTH = 200
MOST_DESTINATIONS = 10_000
LARGEST_BYTES = 16 << 20  # of a file
FORMER = ", before"  # stands behind the name of drafts whose place others have taken
_Content = TypeVar("_Content", dict[str, Any], list[Any])


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
        self._write("drafts", self._entries("drafts", dict) | {name: _objects(drafts)})

    def keep(self, name: str, drafts: Sequence[Draft]) -> str:
        """`save`, but other drafts that had the name are kept under another, which is returned;
        empty where there were none. Raises OSError."""
        kept, new = self._entries("drafts", dict), _objects(drafts)
        former = f"{name}{FORMER}" if kept.get(name, new) != new else ""
        if former:
            kept[former] = kept[name]
        self._write("drafts", kept | {name: new})
        return former

    def delete(self, name: str) -> None:
        """Forget the drafts of a name; `KeyError` if there are none. Raises OSError."""
        kept = self._entries("drafts", dict)
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
        newest = _objects(drafts)
        older = [held for held in self._entries("history", list) if held != newest]
        kept = [newest, *older][:HISTORY_LENGTH]
        while len(kept) > 1 and len(_encoded(kept)) > LARGEST_BYTES:
            kept = kept[: len(kept) // 2]
        self._write("history", kept)

    def known(self) -> frozenset[str]:
        """The marks that were agreed to; see `core.forge.rails`."""
        found = self._read("destinations")
        entries = found if isinstance(found, list) else []
        return frozenset(one for one in entries if isinstance(one, str))

    def agree(self, marks: Iterable[str]) -> None:
        """Remember that a person said yes, newest first: the oldest go. Raises OSError."""
        known = [one for one in self._entries("destinations", list) if isinstance(one, str)]
        new = sorted(set(marks).difference(known))
        if new:
            self._write("destinations", [*new, *dict.fromkeys(known)][:MOST_DESTINATIONS])

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
            return _decoded(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            self.complaints.append(f"{path}: {error}")
            return None

    def _entries(self, name: str, kind: type[_Content]) -> _Content:
        """What is to be kept of a file that is about to be replaced.

        A file without sense is set aside first. Raises OSError where it cannot be opened.
        """
        path = self._path(name)
        try:
            found = _decoded(path)
        except FileNotFoundError:
            return kind()
        except ValueError:
            found = None
        if isinstance(found, kind):
            return found
        aside = path.with_name(f"{path.name}.unreadable-{time.time_ns()}")
        os.rename(path, aside)
        self.complaints.append(f"{path}: is not what it should be; it is now {aside.name}")
        return kind()

    def _write(self, name: str, content: Any) -> None:
        encoded = _encoded(content)
        path = self._path(name)
        if len(encoded) > LARGEST_BYTES:
            most = f"it would be larger than {LARGEST_BYTES >> 20} MiB"
            raise OSError(errno.EFBIG, most, str(path))
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, beside = tempfile.mkstemp(dir=self._folder, prefix=f".{name}-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(encoded)
            os.replace(beside, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(beside)
            raise


def _decoded(path: Path) -> Any:
    """Raises OSError, and ValueError for what is no JSON or larger than is ever written."""
    with path.open("rb") as file:
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise ValueError(f"larger than {LARGEST_BYTES >> 20} MiB")
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _encoded(content: Any) -> bytes:
    return json.dumps(content, indent=1).encode()


def _objects(drafts: Sequence[Draft]) -> list[Any]:
    return [json.loads(draft.own().to_json()) for draft in drafts]
