"""The schema of the state database: create it, and open a database that has it.

A database of another program, of a later version, or with damage is refused. SQLite's errors become
`OSError`.

Source: https://sqlite.org/pragma.html (application_id, user_version, integrity_check),
https://sqlite.org/rescode.html.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3  # at run time, imported when first used: not before the monitor's first rows

_APPLICATION = 0x72617773  # "raws"
_VERSION = 1  # of `_TABLES`
# Names and marks are blobs, as Python's text may hold what UTF-8 cannot encode: see `to_blob`.
_TABLES = (
    "CREATE TABLE drafts (name BLOB NOT NULL PRIMARY KEY, content TEXT NOT NULL)",
    "CREATE TABLE history (number INTEGER PRIMARY KEY, content TEXT NOT NULL)",
    "CREATE TABLE approvals (number INTEGER PRIMARY KEY, mark BLOB NOT NULL UNIQUE)",
)
# Not CHECK constraints: `integrity_check` ignores those of a database that is opened for reading.
_MISTYPED = """
SELECT 1 FROM drafts WHERE typeof(name) <> 'blob' OR typeof(content) <> 'text'
UNION ALL SELECT 1 FROM history WHERE typeof(content) <> 'text'
UNION ALL SELECT 1 FROM approvals WHERE typeof(mark) <> 'blob'
"""


class DamagedError(OSError):
    """SQLite cannot read the database, or another program wrote it."""


@contextmanager
def os_errors() -> Iterator[None]:
    """Raise `OSError` for what SQLite raises, and where Python has no SQLite."""
    try:
        import sqlite3
    except ImportError as error:
        words = "drafts and history need Python's sqlite3 module, which is not installed"
        raise OSError(errno.ENOSYS, words) from error
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without the extension bits
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR):
            raise DamagedError(errno.EBADMSG, f"it is damaged ({error})") from error
        if code == sqlite3.SQLITE_FULL:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        raise OSError(errno.EIO, f"SQLite: {error}") from error
    except UnicodeDecodeError as error:  # Python cannot decode SQLite's message about the damage
        raise DamagedError(errno.EBADMSG, "it is damaged") from error


def connect(path: Path | None = None, parameters: str = "") -> sqlite3.Connection:
    """Connect to a database file, or to a new database in memory."""
    import sqlite3

    uri = f"{path.as_uri()}?{parameters}" if path is not None else ":memory:"
    connection = sqlite3.connect(uri, timeout=0.0, uri=path is not None)
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.text_factory = _lenient_text
    return connection


def _lenient_text(data: bytes) -> str:
    """Return text of a row. A damaged byte spoils that entry, not the query."""
    return data.decode("utf-8", "replace")


def create_tables(connection: sqlite3.Connection) -> None:
    """Make an empty database one of this version."""
    pragmas = (
        "PRAGMA auto_vacuum = FULL",  # so that the file shrinks
        f"PRAGMA application_id = {_APPLICATION}",
        f"PRAGMA user_version = {_VERSION}",
    )
    for statement in (*pragmas, *_TABLES):
        connection.execute(statement)


def open_checked(path: Path) -> sqlite3.Connection:
    """Connect to the database for reading, if it is whole.

    SQLite follows symbolic links, so the caller must have opened the file through a `PrivateFolder`
    before. Raises `DamagedError`, `sqlite3.Error`, and `OSError` for a database of a later version.
    """
    connection = connect(path, "mode=ro&immutable=1")
    try:
        ((application,),) = connection.execute("PRAGMA application_id")
        ((version,),) = connection.execute("PRAGMA user_version")
        if application != _APPLICATION:
            raise DamagedError(errno.EBADMSG, "another program wrote it")
        if version != _VERSION:
            raise OSError(errno.EPROTO, f"{path.name} was written by a later version of rawscope")
        tables = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master")}
        ((result,),) = connection.execute("PRAGMA integrity_check(1)")
        if result != "ok" or not tables.issuperset(_TABLES):
            raise DamagedError(errno.EBADMSG, "it is damaged")
        if connection.execute(_MISTYPED).fetchone() is not None:
            raise DamagedError(errno.EBADMSG, "it is damaged")
    except BaseException:
        connection.close()
        raise
    return connection
