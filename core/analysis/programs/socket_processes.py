"""The processes that hold sockets, or held them a moment ago, by inode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from core.analysis.programs.owners import Process
from core.analysis.programs.process_records import ProcessRecords
from core.analysis.programs.socket_holders import SocketHolders
from core.analysis.programs.socket_table import HeldSocket

MOST_NAMED = 1 << 14
"""Sockets whose processes are remembered."""

_CAP_SYS_PTRACE = 19  # linux/capability.h


class Holding(NamedTuple):
    """The processes of some sockets; `is_sure` if they hold them now. Nobody has the `unknown`."""

    processes: tuple[Process, ...]
    is_sure: bool
    unknown: Sequence[HeldSocket]


class SocketProcesses:
    """Knows the processes of sockets: those that `holders` has read, and those named before."""

    def __init__(self, holders: SocketHolders, records: ProcessRecords) -> None:
        self._holders, self._records = holders, records
        self._named: dict[int, tuple[Process, ...]] = {}  # by inode, the latest last

    def of(self, sockets: Sequence[HeldSocket]) -> Holding:
        """Return the processes that hold, or held, some sockets."""
        processes: dict[int, Process] = {}
        is_sure = True
        unknown: list[HeldSocket] = []
        for each in sockets:
            found, holds = self.identify(each.inode)
            is_sure &= holds
            processes |= {process.pid: process for process in found}
            if not found:
                unknown.append(each)
        return Holding(tuple(processes[pid] for pid in sorted(processes)), is_sure, unknown)

    def identify(self, inode: int) -> tuple[tuple[Process, ...], bool]:
        """Return the processes that hold a socket, or held it, and whether they hold it now."""
        read = [self._records.find(pid) for pid in self._holders.holders(inode)]
        found = {each.pid: each for each in read if each is not None}
        holding = self._holders.holders(inode)
        processes = tuple(found[pid] for pid in holding if pid in found)
        if processes:
            self._named.pop(inode, None)
            self._named[inode] = processes
            while len(self._named) > MOST_NAMED:
                del self._named[next(iter(self._named))]
            return processes, True
        return self._named.get(inode, tuple(found.values())), False


def reads_all_processes() -> bool:
    """Return True if this process may read the descriptors of other users' processes."""
    try:
        with open("/proc/self/status") as status:
            effective = next(line for line in status if line.startswith("CapEff:"))
    except (OSError, StopIteration):
        return False
    return bool(int(effective.split()[1], 16) >> _CAP_SYS_PTRACE & 1)
