"""Open the program's own files so that no other user can choose which file that is.

A program that runs as root and opens a file by path may follow a symbolic link that somebody put in
its place, open a FIFO or a device, or truncate another user's file. So a `PrivateFolder` is a
descriptor, not a path:

* `core.files.trusted_path` opens the folder. It belongs to this user, and others cannot write to
  it or redirect its path.
* Every file is opened relative to that descriptor, without following a link and without waiting
  (O_NONBLOCK: opening a FIFO does not wait for its other end). A file that is not a regular file,
  or belongs to another user, is refused. A device is not even opened, since opening one may have
  an effect.

Source: open(2), flock(2).
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from core.files.trusted_path import open_folder, refusal, user_name

_SAFE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_LOCK_PATIENCE_S = 5.0
_LOCK_NAP_S = 0.01
_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a directory",
}


class PrivateFolder:
    """The folder `path`, opened once; a context manager.

    With `create`, missing folders of the path are made, with mode 0700. Raises `OSError`:
    FileNotFoundError for a missing folder, and one with a sentence for one that is refused.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self._absolute = Path(os.path.abspath(path))
        self._descriptor = open_folder(self._absolute, create=create)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the folder. Files that were opened stay open."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def append_to(self, name: str) -> int:
        """Open a file for reading and appending, and return the descriptor.

        A missing file is made with mode 0600. Raises `OSError`.
        """
        return self._open(name, os.O_RDWR | os.O_APPEND | os.O_CREAT)

    def read(self, name: str, most: int) -> bytes:
        """Return at most `most` bytes from the beginning of a file. Raises `OSError`."""
        with os.fdopen(self._open(name, os.O_RDONLY), "rb") as file:
            return file.read(most)

    def path_of(self, name: str) -> Path:
        """Return the absolute path of a file, for a library that opens files by path.

        Such a library opens what has this name now: check it first, with `read`. Only this user and
        root can change the folder or what its path means.
        """
        return self._absolute / name

    def replace(self, name: str, content: bytes) -> None:
        """Replace the content of a file: all of it or, with an `OSError`, nothing."""
        with self.replacement(name, content):
            pass

    @contextmanager
    def replacement(self, name: str, content: bytes) -> Iterator[Path]:
        """Yield the path of a new file with this content; rename it to `name` after the block.

        If the block raises an exception, the new file is deleted. Its bytes are on the disk
        (fsync(2)) before it is renamed, so a power loss leaves the old file or the new one. Raises
        `OSError`; then nothing is replaced.
        """
        self._check(name)
        new = f".{name}-{os.urandom(8).hex()}"
        descriptor = self._open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            try:
                write_all(descriptor, content)
                yield self.path_of(new)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            self.rename(new, name)
        except BaseException:
            with suppress(OSError):
                os.unlink(new, dir_fd=self._descriptor)
            raise

    def rename(self, name: str, new: str) -> None:
        """Rename a file of this user. Raises `OSError`."""
        self._check(name)
        os.rename(name, new, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)

    def status(self, name: str) -> os.stat_result:
        """Return the status of a file, or of a link itself. Raises `OSError`."""
        return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)

    @contextmanager
    def locked(self, *, waits: bool = True) -> Iterator[None]:
        """Hold the folder's lock, which one process at a time has. Raises `OSError` as `lock`."""
        descriptor = os.open(
            ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._descriptor
        )
        try:
            lock(descriptor, str(self.path), waits=waits)
            yield
        finally:
            os.close(descriptor)

    def _open(self, name: str, flags: int) -> int:
        """Open a regular file of this user. Raises `OSError`."""
        self._check(name)
        try:
            descriptor = os.open(name, flags | _SAFE, 0o600, dir_fd=self._descriptor)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):  # changed since the check
                raise refusal(name, "is not a regular file") from error
            raise
        try:
            check_file(name, os.fstat(descriptor))
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _check(self, name: str) -> None:
        """Raise `OSError` if something other than a regular file of this user has this name."""
        with suppress(FileNotFoundError):
            check_file(name, self.status(name))


def read_regular(path: Path, most: int) -> bytes:
    """Return the content of a regular file; symbolic links to one are followed.

    Raises `OSError`, also for a FIFO, a device, and a file of more than `most` bytes.
    """
    _check_regular(path.stat().st_mode)
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags), "rb") as file:
        _check_regular(os.fstat(file.fileno()).st_mode)
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it is longer than {most:,} bytes")
    return content


def write_all(descriptor: int, content: bytes | memoryview) -> None:
    """Write all of `content`. Raises `OSError`; then some of it may have been written."""
    pending = memoryview(content)
    while pending:
        pending = pending[os.write(descriptor, pending) :]


def lock(descriptor: int, path: str, *, waits: bool = True) -> None:
    """Take the lock of an open file (flock(2)); closing the file releases it.

    Raises `OSError` (EAGAIN) if another process holds it for `_LOCK_PATIENCE_S`; at once without
    `waits`, for threads that must not block.
    """
    end_s = time.monotonic() + _LOCK_PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if not waits:
                words = "another rawscope is writing there now: try again"
                raise OSError(errno.EAGAIN, words, path) from None
            if time.monotonic() >= end_s:
                words = f"another process has locked it for {_LOCK_PATIENCE_S:.0f} s"
                raise OSError(errno.EAGAIN, words, path) from None
        time.sleep(_LOCK_NAP_S)


def _check_regular(mode: int) -> None:
    """Raise `OSError` for anything but a regular file."""
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise OSError(errno.EPERM, f"it is {kind}, not a regular file")


def check_file(
    name: str,
    status: os.stat_result,
    advice: str = "move it away",
    owners: Collection[int] = (),
) -> None:
    """Raise `OSError` with advice for anything but a regular file of this user, or of `owners`."""
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "not a regular file")
        raise refusal(name, f"is {kind}: {advice}")
    if status.st_uid not in (os.geteuid(), *owners):
        owner, user = user_name(status.st_uid), user_name(os.geteuid())
        raise refusal(name, f"belongs to {owner}, not to {user}")
