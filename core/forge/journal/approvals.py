"""The destinations, sources, and other unusual things that the user approved sending to or from.

Each has a *mark* (`core.forge.review.packet_review.Concern`), which the database stores.
"""

from __future__ import annotations

from collections.abc import Iterable

from core.forge.journal.database import StateDatabase
from core.forge.journal.encoding import from_blob, to_blob

MOST_APPROVALS = 10_000


class Approvals:
    """The newest `MOST_APPROVALS` marks that the user approved."""

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    def marks(self) -> frozenset[str]:
        """Return the approved marks."""
        rows = self._database.rows("SELECT mark FROM approvals")
        return frozenset(from_blob(mark) for (mark,) in rows)

    def add(self, marks: Iterable[str]) -> None:
        """Add marks, and delete the oldest beyond `MOST_APPROVALS`. Raises `OSError`."""
        new = frozenset(marks)
        if new <= self.marks():
            return
        with self._database.change() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO approvals (mark) VALUES (?)",
                [(to_blob(mark),) for mark in sorted(new)],
            )
            connection.execute(
                "DELETE FROM approvals WHERE number <= (SELECT number FROM approvals "
                "ORDER BY number DESC LIMIT 1 OFFSET ?)",
                (MOST_APPROVALS,),
            )
