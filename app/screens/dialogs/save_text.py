"""The dialog that saves a text, or other bytes, to a file. Imported on first use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.screens.dialogs.dialog import Hint
from app.screens.saving.new_file_dialog import NewFileDialog
from core.files.private_file import save_private
from core.wire.model.text import safe


class SaveText(NewFileDialog[Path]):
    """Save to a file what `make` returns. Return its path."""

    title_text = "Save to a file"
    hint_text = "enter saves · only you can read the file · esc closes"

    def __init__(self, name: str, make: Callable[[], bytes]) -> None:
        super().__init__(name)
        self._make = make

    def create(self, path: Path, *, replace: bool) -> Path:
        """Implement `NewFileDialog.create`."""
        save_private(path, self._make(), replace=replace)
        return path.absolute()

    def came_late(self, result: Path) -> None:
        """Say that the file is saved, below a question such as whether to quit."""
        self.query_one(Hint).show("", f"saved to {safe(str(result))}")
