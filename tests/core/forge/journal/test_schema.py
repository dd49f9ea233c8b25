"""Which databases are opened, and how the others are refused."""

from __future__ import annotations

import errno
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.forge.journal.schema import (
    DamagedError,
    connect,
    create_tables,
    open_checked,
    os_errors,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database of this version."""
    made = tmp_path / "state.sqlite3"
    made.touch()
    with closing(connect(made, "mode=rw")) as connection:
        create_tables(connection)
    return made


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_a_database_of_this_version_is_opened_for_reading(path: Path) -> None:
    with closing(open_checked(path)) as connection:
        assert connection.execute("SELECT * FROM drafts").fetchall() == []
        with pytest.raises(sqlite3.OperationalError):
            connection.execute("DELETE FROM drafts")


@pytest.mark.parametrize(
    ("statement", "error", "words"),
    [
        ("PRAGMA application_id = 1", DamagedError, "another program wrote it"),
        ("PRAGMA user_version = 99", OSError, "state.sqlite3 was written by a later version"),
        ("DROP TABLE history", DamagedError, "it is damaged"),
        ("INSERT INTO drafts VALUES ('text', 'text')", DamagedError, "it is damaged"),
        ("INSERT INTO history VALUES (1, x'00')", DamagedError, "it is damaged"),
    ],
)
def test_others_are_refused_with_the_reason(
    path: Path, statement: str, error: type[OSError], words: str
) -> None:
    change(path, statement)
    with pytest.raises(error, match=words) as raised, os_errors():
        open_checked(path)
    assert isinstance(raised.value, DamagedError) == (error is DamagedError)


def test_other_bytes_than_a_database_are_damage(path: Path) -> None:
    path.write_bytes(b"garbage" * 100)
    with pytest.raises(DamagedError), os_errors():
        open_checked(path)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_FULL, errno.ENOSPC),
        (sqlite3.SQLITE_CORRUPT, errno.EBADMSG),
        (sqlite3.SQLITE_BUSY, errno.EIO),
    ],
)
def test_errors_of_sqlite_are_os_errors(code: int, expected: int) -> None:
    error = sqlite3.OperationalError("words")
    error.sqlite_errorcode = code
    words = {errno.ENOSPC: "No space left", errno.EBADMSG: "damaged", errno.EIO: "SQLite: words"}
    with pytest.raises(OSError, match=words[expected]) as raised, os_errors():
        raise error
    assert raised.value.errno == expected


def test_damaged_text_spoils_an_entry_not_the_query(path: Path) -> None:
    change(path, "INSERT INTO drafts VALUES (x'61', CAST(x'ff62' AS TEXT))")
    with closing(connect(path, "mode=ro")) as connection:
        assert connection.execute("SELECT content FROM drafts").fetchall() == [("\ufffdb",)]
