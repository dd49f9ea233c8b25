"""Open the program's own files so that nobody else can choose which file that is.

A program that runs as root and writes to a path in a folder that others may change can be made to
write anywhere: a symbolic link in the place of the file is followed, a FIFO or a device is opened,
another user's file is truncated. So a `PrivateFolder` is a descriptor, not a path:

* The path is walked one component at a time from ``/`` (openat(2), O_NOFOLLOW). Each folder on the
  way belongs to root or to this process's user, and others cannot write to it, unless it is sticky
  as /tmp is. Symbolic links on the way are followed only if root or this user made them.
* The folder itself belongs to this user, and others cannot write to it.
* Every file is opened relative to that descriptor, without following a link and without waiting
  (O_NONBLOCK: opening a FIFO does not wait for its other end). What is no regular file, or belongs
  to another user, is refused. A device is not even opened, since opening one may act on it.

A group may write to a folder only if it is the owner's private group, as useradd makes one for each
user: it has the owner's name, it is the owner's primary group, and no other account is in it, be it
as a member or by its own primary group. If the account database does not list the owner, as with a
directory service that is not enumerated, this cannot be known, and the folder is refused.

In a user namespace (user_namespaces(7)), whose processes see files of users that are not mapped as
the overflow user's, that user counts as root.

Source: open(2), path_resolution(7); OpenSSH's safe_path() in misc.c.
"""

from __future__ import annotations

import errno
import fcntl
import grp
import os
import pwd
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_SAFE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_MOST_LINKS = 40  # as the kernel follows: path_resolution(7)
_LOCK_PATIENCE_S = 5.0
_LOCK_NAP_S = 0.01
_ALL_MAPPED = "0 0 4294967295"
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
    FileNotFoundError where there is none, and one with a sentence where it cannot be trusted.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self._descriptor = _open_folder(Path(os.path.abspath(path)), create)

    def __enter__(self) -> PrivateFolder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the folder. Files that were opened stay open."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def append_to(self, name: str) -> int:
        """Open a file for reading and appending, made with mode 0600; return the descriptor.

        Raises `OSError`.
        """
        return self._open(name, os.O_RDWR | os.O_APPEND | os.O_CREAT)

    def read(self, name: str, most: int) -> bytes:
        """Return at most `most` bytes from the beginning of a file. Raises `OSError`."""
        with os.fdopen(self._open(name, os.O_RDONLY), "rb") as file:
            return file.read(most)

    def replace(self, name: str, content: bytes) -> None:
        """Put `content` in the place of a file: all of it or, with an `OSError`, nothing."""
        self._check(name)
        beside = f".{name}-{secrets.token_hex(8)}"
        descriptor = self._open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            try:
                write_all(descriptor, content)
            finally:
                os.close(descriptor)
            os.rename(beside, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
        except BaseException:
            with suppress(OSError):
                os.unlink(beside, dir_fd=self._descriptor)
            raise

    def rename(self, name: str, new: str) -> None:
        """Give a file of this user another name. Raises `OSError`."""
        self._check(name)
        os.rename(name, new, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)

    def status(self, name: str) -> os.stat_result:
        """Return the status of what has this name, links not followed. Raises `OSError`."""
        return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)

    @contextmanager
    def locked(self, *, waits: bool = True) -> Iterator[None]:
        """Keep other processes that do the same out. Raises `OSError` as `lock` does."""
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
                raise _refusal(name, "is no regular file") from error
            raise
        try:
            _check_file(name, os.fstat(descriptor))
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _check(self, name: str) -> None:
        """Refuse what is there under this name if it is no regular file of this user."""
        with suppress(FileNotFoundError):
            _check_file(name, self.status(name))


def read_regular(path: Path, most: int) -> bytes:
    """Return the content of a file that the user may link to, of no FIFO and no device.

    Raises `OSError`, also if it is longer than `most` bytes.
    """
    _check_regular(path.stat().st_mode)
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags), "rb") as file:
        _check_regular(os.fstat(file.fileno()).st_mode)
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it is longer than {most:,} bytes")
    return content


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of `content`. Raises `OSError`; then some of it may have been written."""
    pending = memoryview(content)
    while pending:
        pending = pending[os.write(descriptor, pending) :]


def lock(descriptor: int, path: str, *, waits: bool = True) -> None:
    """Take the lock of an open file (flock(2)), which closing it gives back.

    Raises `OSError` (EAGAIN) if another process holds it for `_LOCK_PATIENCE_S`; at once without
    `waits`, for threads that must not stand still.
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


def _open_folder(path: Path, create: bool) -> int:
    """Walk to `path` (absolute) and return an O_PATH descriptor of it. Raises `OSError`."""
    pending = list(reversed(path.parts[1:]))
    links = 0
    descriptor = os.open("/", _FOLDER)
    walked = "/"
    try:
        while pending:
            _check_folder(walked, os.fstat(descriptor), is_last=False)
            part = pending.pop()
            status = _entry(descriptor, part, create)
            if stat.S_ISLNK(status.st_mode):
                links += 1
                if links > _MOST_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
                here = os.path.join(walked, part)
                if status.st_uid not in _trusted_users():
                    raise _refusal(here, f"is a symbolic link of {_user(status.st_uid)}")
                target = os.readlink(part, dir_fd=descriptor)
                pending += reversed([one for one in target.split("/") if one])
                next_folder, walked = ("/", "/") if target.startswith("/") else (".", walked)
            else:
                next_folder, walked = part, os.path.join(walked, part)
            before, descriptor = descriptor, os.open(next_folder, _FOLDER, dir_fd=descriptor)
            os.close(before)  # an exception of a signal handler never makes us close it twice
        _check_folder(walked, os.fstat(descriptor), is_last=True)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _entry(folder: int, name: str, create: bool) -> os.stat_result:
    """Return the status of one entry of a folder; with `create`, make a folder if it is missing."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        if not create:
            raise
    with suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=folder)
    return os.stat(name, dir_fd=folder, follow_symlinks=False)


def _check_folder(path: str, status: os.stat_result, is_last: bool) -> None:
    """Refuse a folder that others may change."""
    owners = {os.geteuid()} if is_last else _trusted_users()
    if status.st_uid not in owners:
        raise _refusal(path, f"belongs to {_user(status.st_uid)}, not to {_user(os.geteuid())}")
    if status.st_mode & stat.S_ISVTX and not is_last:
        return
    if status.st_mode & stat.S_IWOTH or (
        status.st_mode & stat.S_IWGRP and not _is_private_group(status)
    ):
        raise _refusal(path, "can be written to by other users: run chmod go-w on it")


def _check_regular(mode: int) -> None:
    """Refuse what is no regular file."""
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise OSError(errno.EPERM, f"it is {kind} and no regular file")


def _check_file(name: str, status: os.stat_result) -> None:
    """Refuse what is no regular file of this user."""
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "no regular file")
        raise _refusal(name, f"is {kind}: move it away")
    if status.st_uid != os.geteuid():
        raise _refusal(name, f"belongs to {_user(status.st_uid)}, not to {_user(os.geteuid())}")


def _trusted_users() -> frozenset[int]:
    """Return the users who may own a folder on the way: root and the user of this process."""
    trusted = {0, os.geteuid()}
    with suppress(OSError, ValueError):
        if " ".join(Path("/proc/self/uid_map").read_text().split()) != _ALL_MAPPED:
            trusted.add(int(Path("/proc/sys/kernel/overflowuid").read_text()))
    return frozenset(trusted)


def _is_private_group(status: os.stat_result) -> bool:
    """Return True if the account database shows that only a folder's owner is in its group.

    A member list (group(5)) leaves out the users whose primary group it is (passwd(5)), so all
    accounts are looked at.
    """
    try:
        owner, group = pwd.getpwuid(status.st_uid), grp.getgrgid(status.st_gid)
    except KeyError:
        return False
    if group.gr_name != owner.pw_name or not set(group.gr_mem) <= {owner.pw_name}:
        return False
    users = {account.pw_uid for account in pwd.getpwall() if account.pw_gid == group.gr_gid}
    return users == {owner.pw_uid}


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _refusal(name: str, reason: str) -> OSError:
    return OSError(errno.EPERM, f"{name} {reason}")
