"""The window that picks a capture file. Imported when it is asked for."""

from __future__ import annotations

from pathlib import Path

from textual_fspicker import FileOpen, Filters

ENDINGS = (".pcap", ".pcapng", ".cap", ".dmp", ".gz", ".zst")


def open_dialog() -> FileOpen:
    """The dialog, in the working directory, showing captures first."""
    return FileOpen(
        Path.cwd(),
        "Open a capture file",
        filters=Filters(("Captures", _is_capture), ("All files", _is_any)),
    )


def _is_capture(path: Path) -> bool:
    return path.suffix.lower() in ENDINGS


def _is_any(path: Path) -> bool:
    return True
