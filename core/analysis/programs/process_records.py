"""Read the name, the command line, and the parent of a process, through psutil.

psutil follows what Linux does with names: it completes those that /proc cuts at 15 bytes
(TASK_COMM_LEN), and tells a process from a later one with the same number by its start.

Each file of /proc/PID may be unreadable, or all of them: procfs can be mounted with ``hidepid``
(proc(5)), and a security module may forbid one. What such a file would tell is unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import psutil

from core.analysis.programs.owners import Process

LONGEST_COMMAND = 1 << 10  # characters

T = TypeVar("T")


class ProcessRecords:
    """Reads processes. Between two calls of `renew`, each is read once.

    It is renewed often, since a process changes its name and command line when it calls execve(2).
    """

    def __init__(self) -> None:
        self._read: dict[int, Process | None] = {}

    def renew(self) -> None:
        """Read every process again from now on."""
        self._read.clear()

    def find(self, pid: int) -> Process | None:
        """Return a process as it is now, or None if it has ended."""
        if len(self._read) >= 1 << 12:
            self._read.clear()
        if pid not in self._read:
            self._read[pid] = _read(pid)
        return self._read[pid]


def _read(pid: int) -> Process | None:
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            name, parent_pid = _known(process.name, ""), _known(process.ppid, 0)
            uids = _known(process.uids, None)
            words: list[str] = _known(process.cmdline, [])
        if not process.is_running():
            return None
    except psutil.NoSuchProcess:  # a zombie, too, has closed its sockets
        return None
    command_line = " ".join(words)[:LONGEST_COMMAND]
    uid = None if uids is None else uids.real
    return Process(pid, name, uid, command_line, parent_pid, _name_of(parent_pid))


def _known(read: Callable[[], T], unknown: T) -> T:
    """Return what a file of /proc/PID tells, or `unknown` if this user may not read it."""
    try:
        return read()
    except (psutil.AccessDenied, OSError):  # psutil passes on, say, a missing file
        return unknown


def _name_of(pid: int) -> str:
    try:
        return psutil.Process(pid).name() if pid else ""
    except (psutil.Error, OSError):
        return ""
