"""The window that picks a capture file. Imported when it is asked for: it costs 60 ms."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text
from textual_fspicker import FileOpen, Filters
from textual_fspicker.icons import Icons

ENDINGS = (".pcap", ".pcapng", ".cap", ".dmp", ".gz", ".zst")


def open_dialog() -> FileOpen:
    """The dialog, in the working directory, showing captures first."""
    Icons.set_picker(_sign)
    return FileOpen(
        Path.cwd(),
        "Open a capture file",
        filters=Filters(("captures", _is_capture), ("all files", _is_any)),
    )


def _sign(path: str | Path) -> Text:
    """Of plain terminal fonts, unlike the pictures that stand there by default."""
    return Text("▸" if Path(path).is_dir() else " ")


def _is_capture(path: Path) -> bool:
    return path.suffix.lower() in ENDINGS


def _is_any(path: Path) -> bool:
    return True
