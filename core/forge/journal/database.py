"""The database of drafts, send history, and approvals that all rawscope processes of a user share.

`forge.sqlite3` in the state directory is an SQLite database that only its owner may read. SQLite
opens a database by path and follows symbolic links; it creates a journal beside the database, and
replays a journal that it finds there; a reader waits while a writer commits. None of that meets the
rules of `core.files.private_folder`, so rawscope never changes a database in place:

* A change takes the folder's lock, copies the database to a new file, lets SQLite change the copy,
  and renames the copy over the original. The copy's journal is in memory: a change that fails
  discards the copy. A full disk, a crash, or a power loss leaves the database as it was.
* A reader opens the database as `immutable`: SQLite takes no lock, and opens no ``-journal``,
  ``-wal``, or ``-shm`` file. The file that it opened never changes, so a reader waits for nobody.

The first change imports the JSON files of earlier versions (`core.forge.journal.json_files`). Until
then, readers import them into memory.

A damaged database reads as empty. The next change renames it to ``forge.sqlite3.unreadable-TIME``
and begins another. `StateDatabase.complaints` reports both.

Source: https://sqlite.org/uri.html (immutable), https://sqlite.org/pragma.html (journal_mode).
"""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.files.private_folder import PrivateFolder
from core.forge.journal import json_files
from core.forge.journal.schema import (
    DamagedError,
    connect,
    create_tables,
    open_checked,
    os_errors,
)

if TYPE_CHECKING:
    import sqlite3  # at run time, imported when first used: not before the monitor's first rows

FILE = "forge.sqlite3"
_CONTENTS = {
    json_files.DRAFTS: "drafts",
    json_files.HISTORY: "history",
    json_files.APPROVALS: "approved destinations",
}
LARGEST_BYTES = 64 << 20  # of the database
_LARGEST_WORDS = f"{LARGEST_BYTES >> 20} MiB"
_INSERT = {
    json_files.DRAFTS: "INSERT INTO drafts VALUES (?, ?)",
    json_files.HISTORY: "INSERT INTO history (content) VALUES (?)",
    json_files.APPROVALS: "INSERT OR REPLACE INTO approvals (mark) VALUES (?)",
}


class Complaints:
    """Sentences about problems that did not raise, each once. Any thread may use them."""

    def __init__(self) -> None:
        self._sentences: list[str] = []
        self._taken = 0
        self._lock = threading.Lock()

    def add(self, sentence: str) -> None:
        """Append a sentence, unless it is there."""
        with self._lock:
            if sentence not in self._sentences:
                self._sentences.append(sentence)

    def all(self) -> list[str]:
        """Return all sentences."""
        with self._lock:
            return list(self._sentences)

    def take(self) -> tuple[str, ...]:
        """Return the sentences that no call returned before, for the user to read."""
        with self._lock:
            new = tuple(self._sentences[self._taken :])
            self._taken = len(self._sentences)
            return new


class StateDatabase:
    """The database in `folder`, opened again for each read and each change.

    A change waits a few seconds for another process; with `waits=False` it raises `OSError` at
    once. `complaints` receives a sentence about each problem that does not raise.
    """

    def __init__(
        self, folder: Path, *, waits: bool = True, complaints: Complaints | None = None
    ) -> None:
        self.folder = folder
        self.complaints = Complaints() if complaints is None else complaints
        self._waits = waits

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query; none, with a complaint, from an unreadable database."""
        try:
            with (
                PrivateFolder(self.folder) as folder,
                os_errors(),
                closing(self._reader(folder)) as connection,
            ):
                return connection.execute(query).fetchall()
        except FileNotFoundError:
            return []
        except DamagedError as error:
            self.complaints.add(f"{self.folder / FILE}: {error.strerror}")
        except OSError as error:
            self.complaints.add(f"{self.folder}: {error.strerror}")
        return []

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection, and save what it changed if the block ends without an exception.

        The database is replaced whole or, with an `OSError`, not at all.
        """
        with (
            PrivateFolder(self.folder, create=True) as folder,
            folder.locked(waits=self._waits),
            os_errors(),
        ):
            content = self._content_to_change(folder)
            imported: list[str] = []
            with (
                folder.replacement(FILE, content) as path,
                closing(connect(path, "mode=rw")) as connection,
            ):
                connection.execute("PRAGMA journal_mode = MEMORY")
                connection.execute("PRAGMA synchronous = OFF")  # `replacement` synchronizes it
                if not content:
                    create_tables(connection)
                    imported = self._import_json(connection, folder, is_change=True)
                yield connection
                connection.commit()
                if path.stat().st_size > LARGEST_BYTES:
                    raise OSError(errno.EFBIG, f"{FILE} would be larger than {_LARGEST_WORDS}")
            for name in imported:  # if this fails, the file stays, and nothing reads it again
                with suppress(OSError):
                    folder.rename(name, name + json_files.IMPORTED)

    def _reader(self, folder: PrivateFolder) -> sqlite3.Connection:
        """Connect to the database, or to one in memory that holds what JSON files hold.

        Raises `OSError` and `sqlite3.Error`.
        """
        if _is_begun(folder):
            return open_checked(folder.path_of(FILE))
        connection = connect()
        try:
            create_tables(connection)
            self._import_json(connection, folder, is_change=False)
            if _is_begun(folder):  # another process has imported and renamed the JSON files now
                connection.close()
                return open_checked(folder.path_of(FILE))
        except BaseException:
            connection.close()
            raise
        return connection

    def _content_to_change(self, folder: PrivateFolder) -> bytes:
        """Return the bytes of the database; none for a missing or damaged one.

        Set a damaged one aside. Raises `OSError`, also for one of a later version.
        """
        try:
            content = folder.read(FILE, LARGEST_BYTES + 1)
        except FileNotFoundError:
            return b""
        if not content:
            return b""
        try:
            if len(content) > LARGEST_BYTES:
                raise DamagedError(errno.EFBIG, f"it is larger than {_LARGEST_WORDS}")
            with os_errors():
                open_checked(folder.path_of(FILE)).close()
        except DamagedError as error:
            self._set_aside(folder, FILE, f"{self.folder / FILE}: {error.strerror}")
            return b""
        return content

    def _import_json(
        self, connection: sqlite3.Connection, folder: PrivateFolder, *, is_change: bool
    ) -> list[str]:
        """Insert the entries of the JSON files; return the names of those that were read.

        For a change, set an unreadable file aside, and raise `OSError` for one that cannot be
        opened: importing the rest would leave its entries behind. A reader complains about either.
        """
        imported = []
        for name, insert in _INSERT.items():
            try:
                connection.executemany(insert, json_files.read_rows(folder, name))
            except FileNotFoundError:
                continue
            except ValueError as error:
                damage = f"{self.folder / name} is damaged ({error})"
                if is_change:
                    self._set_aside(folder, name, damage)
                else:
                    lost = f"its {_CONTENTS[name]} cannot be read"
                    self.complaints.add(f"{damage}: {lost}")
                continue
            except OSError as error:
                if is_change:
                    raise
                lost = f"{_CONTENTS[name]} cannot be read"
                self.complaints.add(f"{self.folder}: {error.strerror}; {lost}")
                continue
            imported.append(name)
        return imported

    def _set_aside(self, folder: PrivateFolder, name: str, damage: str) -> None:
        """Rename an unreadable file, and complain about its `damage`. Raises `OSError`."""
        aside = f"{name}.unreadable-{time.time_ns()}"
        folder.rename(name, aside)
        self.complaints.add(f"{damage}; it is now {aside}")


def _is_begun(folder: PrivateFolder) -> bool:
    """Return True if the database exists. An empty file counts as none. Raises `OSError`."""
    try:
        return bool(folder.read(FILE, 1))
    except FileNotFoundError:
        return False
