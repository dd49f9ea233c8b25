"""The background task that reads the files which drafts on the screen name as ``@FILE``.

It has a thread of its own: a file system that does not answer delays neither the route suggestions
nor the sender. A file is read when its name appears, and again when it changed since; the task
looks for changes whenever it is woken.
"""

from __future__ import annotations

from collections.abc import Callable

from core.forge.background_task import BackgroundTask
from core.forge.commands import Command, FilesRead
from core.forge.compose.payload_file import FileContents, file_names, is_current, read_file
from core.forge.orders import ShownDrafts


class PayloadReader:
    """Reads files and puts their contents into the sender's queue.

    Only its thread writes its attributes. `shown` returns the drafts on the screen.
    """

    def __init__(
        self, shown: Callable[[], ShownDrafts | None], put: Callable[[Command], None]
    ) -> None:
        self.task = BackgroundTask(self._work, "rawscope payload reader")
        self._shown = shown
        self._put = put
        self._read: FileContents = {}

    def _work(self) -> bool:
        """Read what is missing or changed; return True when all contents are current."""
        shown = self._shown()
        names = file_names(shown.drafts) if shown is not None else ()
        files = {name: self._read[name] for name in names if name in self._read}
        for name in names:
            if name not in files or not is_current(name, files[name]):
                files[name] = read_file(name)
        if files != self._read:
            self._read = files
            self._put(FilesRead(files))
        return True
