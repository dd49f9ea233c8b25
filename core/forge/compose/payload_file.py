"""Read the files that payloads name as ``@FILE``, once, into immutable values.

Evaluating a draft reads no file: it takes the contents from a mapping by name. The command reads
the files when it sends. For the form, a background task (`core.forge.payload_reader`) reads them
when their names are typed, so a slow file system never stops the screen.

Only regular files are read, at most `LONGEST` bytes: a FIFO or a terminal could block, and a device
may never end.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from core.forge.compose.draft import PAYLOAD, TRAILER, Draft

LONGEST = 65535  # bytes, the length of the longest IP packet; more is refused, not cut
TOO_LONG = f"the payload is longer than the {LONGEST} bytes of an IP packet"


@dataclass(frozen=True, slots=True)
class FileContent:
    """The bytes of a file when it was read, or one sentence in `error`.

    `identity` changes when the file does: device, inode, size, and times of its status; empty if
    there is an error.
    """

    data: bytes = b""
    error: str = ""
    identity: tuple[int, ...] = ()


FileContents = Mapping[str, FileContent]
"""The contents of files, by the text after ``@``."""

NO_FILES: FileContents = MappingProxyType({})


def file_names(drafts: Iterable[Draft]) -> tuple[str, ...]:
    """Return the text after ``@`` of every payload and trailer that names a file."""
    texts = (draft.text(key) for draft in drafts for key in (PAYLOAD, TRAILER))
    return tuple(dict.fromkeys(text[1:] for text in texts if text.startswith("@")))


def read_file(name: str) -> FileContent:
    """Read a regular file. Never raises: `FileContent.error` describes a failure."""
    try:
        path = Path(name).expanduser()
        if not stat.S_ISREG(path.stat().st_mode):  # opening a FIFO would wake up its writer
            return FileContent(error=f"@{name}: not a regular file")
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return FileContent(error=f"@{name}: not a regular file")
            data = file.read(LONGEST + 1)
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return FileContent(error=f"@{name}: {reason}")
    if len(data) > LONGEST:
        return FileContent(error=f"@{name}: {TOO_LONG}")
    return FileContent(data, identity=_identity(status))


def is_current(name: str, content: FileContent) -> bool:
    """Return True if the file has not changed since it was read."""
    if content.error:
        return False
    try:
        return content.identity == _identity(Path(name).expanduser().stat())
    except (OSError, ValueError, RuntimeError):
        return False


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
