"""Read the name, the command line, and the parent of a process, through psutil.

psutil follows what Linux does with names: it completes those that /proc cuts at 15 bytes
(TASK_COMM_LEN), and tells a process from a later one with the same number by its start.
"""

from __future__ import annotations

import psutil

from core.analysis.programs.owners import Process

LONGEST_COMMAND = 1 << 10  # characters


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
            name, parent_pid = process.name(), process.ppid()
            uid = process.uids().real
            words = process.cmdline()
        if not process.is_running():
            return None
    except psutil.NoSuchProcess:  # a zombie, too, has closed its sockets
        return None
    except psutil.AccessDenied:
        return Process(pid, "", 0)
    command_line = " ".join(words)[:LONGEST_COMMAND]
    return Process(pid, name, uid, command_line, parent_pid, _name_of(parent_pid))


def _name_of(pid: int) -> str:
    try:
        return psutil.Process(pid).name() if pid else ""
    except psutil.Error:
        return ""
