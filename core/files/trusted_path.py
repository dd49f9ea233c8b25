"""Open a folder on a path that no other user can redirect.

A program that runs as root and writes to a path in a folder that others may change can be made to
write anywhere: they can replace any folder on the path, or put a symbolic link in its place. So
`open_folder` walks the path one component at a time from ``/`` (openat(2), O_NOFOLLOW):

* Each folder on the path must belong to root or to this process's user, and others must not be able
  to write to it, unless it is sticky as /tmp is.
* A symbolic link on the path is followed only if root or this user made it.
* The last folder must belong to this user, and others must not be able to write to it.

A group may write to a folder only if it is the owner's private group, as useradd makes one for each
user: it has the owner's name, it is the owner's primary group, and no other account is in it,
neither as a member nor by its own primary group. If the account database does not list the owner,
as with a directory service that is not enumerated, rawscope cannot know this and refuses the
folder.

In a user namespace (user_namespaces(7)), files of users that are not mapped appear to belong to the
overflow user, so that user counts as root.

Source: open(2), path_resolution(7); OpenSSH's safe_path() in misc.c.
"""

from __future__ import annotations

import errno
import grp
import os
import pwd
import stat
from contextlib import suppress
from pathlib import Path

_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_LINKS = 40  # as the kernel follows: path_resolution(7)
_ALL_MAPPED = "0 0 4294967295"


def open_folder(path: Path, *, create: bool) -> int:
    """Walk to `path` (absolute) and return an O_PATH descriptor of it.

    With `create`, make missing folders with mode 0700. Raises `OSError`: FileNotFoundError for a
    missing folder, and one with a sentence for a path that cannot be trusted.
    """
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
                    raise refusal(here, f"is a symbolic link of {user_name(status.st_uid)}")
                target = os.readlink(part, dir_fd=descriptor)
                pending += reversed([one for one in target.split("/") if one])
                next_folder, walked = ("/", "/") if target.startswith("/") else (".", walked)
            else:
                next_folder, walked = part, os.path.join(walked, part)
            # A signal handler may raise between any two statements, so assign before closing:
            # no descriptor is ever closed twice.
            before, descriptor = descriptor, os.open(next_folder, _FOLDER, dir_fd=descriptor)
            os.close(before)
        _check_folder(walked, os.fstat(descriptor), is_last=True)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _entry(folder: int, name: str, create: bool) -> os.stat_result:
    """Return the status of an entry of a folder; with `create`, make a missing one a folder."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        if not create:
            raise
    with suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=folder)
    return os.stat(name, dir_fd=folder, follow_symlinks=False)


def _check_folder(path: str, status: os.stat_result, is_last: bool) -> None:
    """Raise `OSError` for a folder that others may change."""
    owners = {os.geteuid()} if is_last else _trusted_users()
    if status.st_uid not in owners:
        raise refusal(
            path, f"belongs to {user_name(status.st_uid)}, not to {user_name(os.geteuid())}"
        )
    if status.st_mode & stat.S_ISVTX and not is_last:
        return
    if status.st_mode & stat.S_IWOTH or (
        status.st_mode & stat.S_IWGRP and not _is_private_group(status)
    ):
        raise refusal(path, "can be written to by other users: run chmod go-w on it")


def _trusted_users() -> frozenset[int]:
    """Return the users who may own a folder on the path: root and the user of this process."""
    trusted = {0, os.geteuid()}
    with suppress(OSError, ValueError):
        if " ".join(Path("/proc/self/uid_map").read_text().split()) != _ALL_MAPPED:
            trusted.add(int(Path("/proc/sys/kernel/overflowuid").read_text()))
    return frozenset(trusted)


def _is_private_group(status: os.stat_result) -> bool:
    """Return True if the account database shows that only a folder's owner is in its group.

    Read all accounts: a group lists its members (group(5)), except for those whose account names
    it as the primary group (passwd(5)).
    """
    try:
        owner, group = pwd.getpwuid(status.st_uid), grp.getgrgid(status.st_gid)
    except KeyError:
        return False
    if group.gr_name != owner.pw_name or not set(group.gr_mem) <= {owner.pw_name}:
        return False
    users = {account.pw_uid for account in pwd.getpwall() if account.pw_gid == group.gr_gid}
    return users == {owner.pw_uid}


def user_name(number: int) -> str:
    """Return the name of a user, or ``user NUMBER`` for one without an account."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def refusal(name: str, reason: str) -> OSError:
    """Return the error for a file or folder that is refused; its `strerror` is a sentence."""
    return OSError(errno.EPERM, f"{name} {reason}")
