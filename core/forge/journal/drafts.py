"""Drafts that the user saved under names."""

from __future__ import annotations

from collections.abc import Sequence

from core.forge.compose.draft import BadDraftError, Draft
from core.forge.journal.database import StateDatabase
from core.forge.journal.encoding import (
    content_of,
    drafts_of,
    drafts_to_objects,
    encoded,
    from_blob,
    to_blob,
)

FORMER = ", before"  # appended to the name of drafts that others replace
_SAVE = "INSERT OR REPLACE INTO drafts VALUES (?, ?)"


class DraftStore:
    """The saved drafts in a database. A name may hold several drafts that belong together."""

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    def drafts(self) -> dict[str, tuple[Draft, ...]]:
        """Return the drafts by name, in alphabetical order.

        Omit what this version cannot parse, and complain about it.
        """
        found = {}
        for name, content in self._database.rows("SELECT name, content FROM drafts ORDER BY name"):
            try:
                drafts = drafts_of(content)
            except BadDraftError as error:
                self._database.complaints.add(f"{self._database.folder}: {error}")
            else:
                if drafts:
                    found[from_blob(name)] = drafts
        return found

    def save(self, name: str, drafts: Sequence[Draft]) -> None:
        """Save drafts under a name, and replace those that have it. Raises `OSError`."""
        with self._database.change() as connection:
            connection.execute(_SAVE, (to_blob(name), encoded(drafts_to_objects(drafts))))

    def keep(self, name: str, drafts: Sequence[Draft]) -> str:
        """Save drafts under a name, and rename other drafts that have it.

        Return the new name of the other drafts, or an empty text if no drafts had it. Raises
        `OSError`.
        """
        new, former = drafts_to_objects(drafts), ""
        with self._database.change() as connection:
            query = "SELECT content FROM drafts WHERE name = ?"
            for (content,) in connection.execute(query, (to_blob(name),)).fetchall():
                if content_of(content) != new:
                    former = f"{name}{FORMER}"
                    connection.execute(_SAVE, (to_blob(former), content))
            connection.execute(_SAVE, (to_blob(name), encoded(new)))
        return former

    def delete(self, name: str) -> None:
        """Delete the drafts of a name. Raises `KeyError` if no drafts have it, and `OSError`."""
        with self._database.change() as connection:
            query = "DELETE FROM drafts WHERE name = ?"
            if not connection.execute(query, (to_blob(name),)).rowcount:
                raise KeyError(name)
