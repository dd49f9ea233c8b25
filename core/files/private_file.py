"""Write a file at a path that the user chooses, readable only by this user.

The folder may be one that others write to, such as /tmp, so `core.files.private_folder` would
refuse it. What must hold is less: the program writes to a file that it creates itself, never
through a symbolic link, and replaces a file only if it is a regular one of this user.

Source: open(2), rename(2).
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from core.files.private_folder import check_file, write_all

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def save_private(path: Path, content: bytes, *, replace: bool = False) -> None:
    """Write a new file with mode 0600: all of `content` or, with an `OSError`, nothing.

    Without `replace`, raises FileExistsError for a regular file of this user that has this name.
    Anything else with this name (a link, a FIFO, a file of another user) is always refused.
    """
    name = path.name or "."  # of the root, and of a folder that ends in a dot
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(FileNotFoundError):
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            check_file(name, status, "choose another name")
        if replace:
            _replace(folder, name, content)
        else:
            _create(folder, name, content)
    finally:
        os.close(folder)


def _create(folder: int, name: str, content: bytes) -> None:
    descriptor = os.open(name, _NEW, 0o600, dir_fd=folder)
    try:
        write_all(descriptor, content)
    except BaseException:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
        raise
    finally:
        os.close(descriptor)


def _replace(folder: int, name: str, content: bytes) -> None:
    """Write another file and rename it: a link that appears meanwhile is replaced itself."""
    new = f".{secrets.token_hex(8)}.new"
    _create(folder, new, content)
    try:
        os.rename(new, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(new, dir_fd=folder)
        raise
