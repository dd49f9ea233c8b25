"""The drafts that were sent, newest first."""

from __future__ import annotations

from collections.abc import Sequence

from core.forge.compose.draft import BadDraftError, Draft
from core.forge.journal.database import StateDatabase
from core.forge.journal.encoding import content_of, drafts_of, drafts_to_objects, encoded

HISTORY_LENGTH = 200
LARGEST_BYTES = 16 << 20  # of all entries together
_NEWEST_FIRST = "SELECT number, content FROM history ORDER BY number DESC"


class SendHistory:
    """The last `HISTORY_LENGTH` entries that were sent, without repeats."""

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    def entries(self) -> list[tuple[Draft, ...]]:
        """Return the entries, newest first.

        Omit what this version cannot parse, and complain about it.
        """
        found = []
        for _, content in self._database.rows(_NEWEST_FIRST):
            try:
                found.append(drafts_of(content))
            except BadDraftError as error:
                self._database.complaints.add(f"{self._database.folder}: {error}")
        return [drafts for drafts in found if drafts]

    def add(self, drafts: Sequence[Draft]) -> None:
        """Add drafts as the newest entry; an equal one moves up.

        Delete the oldest entries beyond `HISTORY_LENGTH` or `LARGEST_BYTES`. Raises `OSError`.
        """
        newest = drafts_to_objects(drafts)
        text = encoded(newest)
        with self._database.change() as connection:
            length, size = 1, len(text)
            deleted = []
            for number, content in connection.execute(_NEWEST_FIRST):
                fits = length < HISTORY_LENGTH and size + len(content) <= LARGEST_BYTES
                if not fits or content_of(content) == newest:
                    deleted.append((number,))
                else:
                    length, size = length + 1, size + len(content)
            connection.executemany("DELETE FROM history WHERE number = ?", deleted)
            connection.execute(
                "INSERT INTO history VALUES ((SELECT ifnull(max(number), 0) + 1 FROM history), ?)",
                (text,),
            )
