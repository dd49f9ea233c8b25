"""Create files at paths that the user chooses, readable only by this user.

The folder may be one that others write to, such as /tmp, so `core.files.private_folder` would
refuse it. What must hold is less: the program writes to a file that it creates itself, never
through a symbolic link, and replaces a file only if it is a regular one of this user. A
`TargetFolder` is a descriptor, not a path: all files of a recording are in the folder that was
opened at its beginning, even if the folder is renamed.

Under sudo(8) a file belongs to the user who ran sudo (SUDO_UID, SUDO_GID), who could not read a
file of root with mode 0600. Only this module decides who owns a file that the user names, and its
mode.

Source: open(2), link(2), rename(2), sudo(8).
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Self

from core.files.private_folder import check_file, write_all

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_ADVICE = "choose another name"


class TargetFolder:
    """The folder of files that the user names; a context manager. Raises `OSError`."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the folder. Files that were created stay open."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def check(self, name: str) -> None:
        """Raise `OSError` if something other than a regular file of this user has this name."""
        with suppress(FileNotFoundError):
            status = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
            check_file(name, status, _ADVICE, owners=_owners())

    def create(self, name: str, *, replace: bool = False) -> int:
        """Create an empty file with mode 0600, and return a descriptor to write to it.

        Without `replace`, raises FileExistsError for a regular file of this user that has this
        name. Anything else with this name (a link, a FIFO, a file of another user) is always
        refused. Raises `OSError`; then nothing was created or replaced.
        """
        self.check(name)
        if not replace:
            return self._open_new(name)
        new = f".{os.urandom(8).hex()}.new"
        descriptor = self._open_new(new)
        try:
            self.rename(new, name)
        except BaseException:
            os.close(descriptor)
            self.remove(new)
            raise
        return descriptor

    def exists(self, name: str) -> bool:
        """Return True if something has this name."""
        try:
            os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def rename(self, name: str, new: str) -> None:
        """Rename a file. A link that has the name `new` meanwhile is replaced itself."""
        os.rename(name, new, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)

    def rename_new(self, name: str, new: str) -> None:
        """Rename a file to a name that nothing has. Raises FileExistsError if something has it.

        Nothing is replaced that another process creates meanwhile: link(2) and open(2) with O_EXCL
        fail then. The second is for file systems without hard links.
        """
        here = self._descriptor
        try:
            os.link(name, new, src_dir_fd=here, dst_dir_fd=here, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            os.close(self._open_new(new))
            try:
                self.rename(name, new)
            except BaseException:
                self.remove(new)
                raise
        else:
            self.remove(name)

    def remove(self, name: str) -> None:
        """Remove a file, if it exists and may be removed."""
        with suppress(OSError):
            os.unlink(name, dir_fd=self._descriptor)

    def remove_same(self, name: str, identity: tuple[int, int]) -> None:
        """Remove a file if it is still the one with this device and inode. Raises `OSError`."""
        try:
            status = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
            if (status.st_dev, status.st_ino) == identity:
                os.unlink(name, dir_fd=self._descriptor)
        except FileNotFoundError:
            return

    def _open_new(self, name: str) -> int:
        descriptor = os.open(name, _NEW, 0o600, dir_fd=self._descriptor)
        try:
            if (owner := _sudo_user()) is not None:
                os.fchown(descriptor, *owner)
        except BaseException:
            os.close(descriptor)
            self.remove(name)
            raise
        return descriptor


class NewFile:
    """A file that gets its name at the end: whole, or not at all. A context manager.

    Until `commit` it has another name in the same folder, and it is removed if the block ends
    without. `TargetFolder.create` describes `replace`, and what is refused. Raises `OSError`.
    """

    def __init__(self, path: Path, *, replace: bool = False) -> None:
        self._name, self._replace = path.name or ".", replace
        self._new = f".{os.urandom(8).hex()}.new"
        self._folder = TargetFolder(path.parent)
        try:
            self._refuse_existing()
            self._descriptor = self._folder.create(self._new)
        except BaseException:
            self._folder.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; remove it if it was not committed."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
            self._folder.remove(self._new)  # it has its name if it was committed
            self._folder.close()

    def write(self, content: bytes | memoryview) -> None:
        """Write all of `content`."""
        write_all(self._descriptor, content)

    def commit(self) -> None:
        """Give the file its name, once its bytes are on the disk (fsync(2))."""
        os.fsync(self._descriptor)
        self._folder.check(self._name)
        if self._replace:
            self._folder.rename(self._new, self._name)
        else:
            self._folder.rename_new(self._new, self._name)

    def _refuse_existing(self) -> None:
        self._folder.check(self._name)
        if not self._replace and self._folder.exists(self._name):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), self._name)


def save_private(path: Path, content: bytes, *, replace: bool = False) -> None:
    """Write a new file: all of `content` or, with an `OSError`, nothing; see `NewFile`."""
    with NewFile(path, replace=replace) as file:
        file.write(content)
        file.commit()


def _sudo_user() -> tuple[int, int] | None:
    """Return the user and group who ran sudo, if this process is root because of that."""
    if os.geteuid() != 0:
        return None
    try:
        return int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"])
    except (KeyError, ValueError):
        return None


def _owners() -> frozenset[int]:
    """Return the users whose files may be replaced."""
    owner = _sudo_user()
    return frozenset({os.geteuid()} if owner is None else {os.geteuid(), owner[0]})
