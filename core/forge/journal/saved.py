"""What is kept from run to run: drafts by name, the history of what was sent, agreed destinations.

All of it is in one folder that the caller names, as JSON that the user can read, readable by its
owner only; see `core.files.private_folder` for what is refused. A file is replaced whole (written
beside, renamed over) or not at all, and no other process writes meanwhile. What cannot be
read is as good as absent, and said once in `complaints`; but nothing is lost by saving: an entry
that cannot be read stays as it is, and a whole file that cannot is set aside under another name.
"""

from __future__ import annotations

import errno
import json
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from core.files.private_folder import PrivateFolder
from core.forge.compose.draft import BadDraftError, Draft

HISTORY_LENGTH = 200
MOST_DESTINATIONS = 10_000
LARGEST_BYTES = 16 << 20  # of a file
FORMER = ", before"  # stands behind the name of drafts whose place others have taken
_Content = TypeVar("_Content", dict[str, Any], list[Any])


class DraftStore:
    """The files of one folder.

    Without `waits`, a change while another process changes them raises `OSError` at once.
    """

    def __init__(self, folder: Path, *, waits: bool = True) -> None:
        self._folder = folder
        self._waits = waits
        self.complaints: list[str] = []

    def drafts(self) -> dict[str, tuple[Draft, ...]]:
        """The saved drafts by name, in alphabetical order; a name may hold several that belong
        together."""
        found = self._read("drafts")
        entries = found.items() if isinstance(found, dict) else ()
        return {name: drafts for name, one in sorted(entries) if (drafts := self._drafts(one))}

    def save(self, name: str, drafts: Sequence[Draft]) -> None:
        """Keep drafts under a name, in the place of any that were. Raises OSError."""
        new = _objects(drafts)
        self._change("drafts", dict, lambda kept: kept | {name: new})

    def keep(self, name: str, drafts: Sequence[Draft]) -> str:
        """`save`, but other drafts that had the name are kept under another, which is returned;
        empty where there were none. Raises OSError."""
        new = _objects(drafts)
        former = ""

        def change(kept: dict[str, Any]) -> dict[str, Any]:
            nonlocal former
            former = f"{name}{FORMER}" if kept.get(name, new) != new else ""
            return (kept | {former: kept[name]} if former else kept) | {name: new}

        self._change("drafts", dict, change)
        return former

    def delete(self, name: str) -> None:
        """Forget the drafts of a name; `KeyError` if there are none. Raises OSError."""

        def change(kept: dict[str, Any]) -> dict[str, Any]:
            del kept[name]
            return kept

        self._change("drafts", dict, change)

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

        def change(held: list[Any]) -> list[Any]:
            kept = [newest, *(one for one in held if one != newest)][:HISTORY_LENGTH]
            while len(kept) > 1 and len(_encoded(kept)) > LARGEST_BYTES:
                kept = kept[: len(kept) // 2]
            return kept

        self._change("history", list, change)

    def known(self) -> frozenset[str]:
        """The marks that were agreed to; see `core.forge.review.confirmation`."""
        found = self._read("destinations")
        entries = found if isinstance(found, list) else []
        return frozenset(one for one in entries if isinstance(one, str))

    def agree(self, marks: Iterable[str]) -> None:
        """Remember that the user said yes, newest first: the oldest go. Raises OSError."""
        agreed = frozenset(marks)
        if agreed <= self.known():
            return

        def change(held: list[Any]) -> list[Any]:
            known = [one for one in held if isinstance(one, str)]
            new = sorted(agreed.difference(known))
            return [*new, *dict.fromkeys(known)][:MOST_DESTINATIONS]

        self._change("destinations", list, change)

    def _drafts(self, entry: Any) -> tuple[Draft, ...]:
        try:
            if not isinstance(entry, list):
                raise BadDraftError("a list of drafts is expected")
            return tuple(Draft.from_object(one) for one in entry)
        except BadDraftError as error:
            self.complaints.append(f"{self._folder}: {error}")
            return ()

    def _read(self, name: str) -> Any:
        file = f"{name}.json"
        try:
            with PrivateFolder(self._folder) as folder:
                return _decoded(folder, file)
        except FileNotFoundError:
            return None
        except OSError as error:
            self.complaints.append(f"{self._folder}: {error.strerror}")
        except ValueError as error:
            self.complaints.append(f"{self._folder / file}: {error}")
        return None

    def _change(
        self, name: str, kind: type[_Content], change: Callable[[_Content], _Content]
    ) -> None:
        """Replace the content of a file by what `change` makes of it. Raises OSError."""
        with PrivateFolder(self._folder, create=True) as folder, folder.locked(waits=self._waits):
            encoded = _encoded(change(self._entries(folder, f"{name}.json", kind)))
            if len(encoded) > LARGEST_BYTES:
                most = f"it would be larger than {LARGEST_BYTES >> 20} MiB"
                raise OSError(errno.EFBIG, most, str(self._folder / f"{name}.json"))
            folder.replace(f"{name}.json", encoded)

    def _entries(self, folder: PrivateFolder, file: str, kind: type[_Content]) -> _Content:
        """What is to be kept of a file that is about to be replaced.

        A file without sense is set aside first. Raises OSError where it cannot be opened.
        """
        try:
            found = _decoded(folder, file)
        except FileNotFoundError:
            return kind()
        except ValueError:
            found = None
        if isinstance(found, kind):
            return found
        aside = f"{file}.unreadable-{time.time_ns()}"
        folder.rename(file, aside)
        path = self._folder / file
        self.complaints.append(f"{path}: is not what it should be; it is now {aside}")
        return kind()


def _decoded(folder: PrivateFolder, file: str) -> Any:
    """Raises OSError, and ValueError for what is no JSON or larger than is ever written."""
    content = folder.read(file, LARGEST_BYTES + 1)
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
