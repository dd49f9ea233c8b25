"""Find the processes that hold sockets, by the links in /proc/PID/fd.

A link is ``socket:[INODE]``. Reading all links of a host takes from 10 to 100 ms, so processes are
read in two ways. `scan_likely` reads those that are new or held a wanted socket lately.
A *round* reads every process once, a few milliseconds in each step. Only a round tells that no
process holds a socket, or that several do.

A process of another user can be read only with CAP_SYS_PTRACE; see proc_pid_fd(5), and "ptrace
access mode checking" in ptrace(2).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from contextlib import suppress

MOST_INODES = 1 << 16
"""Sockets whose holders are remembered, about 300 bytes each."""
MOST_LIKELY = 128
"""Processes that held wanted sockets, and young ones, that are read at once."""
YOUNG_S = 5.0
"""The age up to which a process may open its first socket; many do so late after their start."""
ROUND_SHARE = 20
"""Seconds between two rounds, for each second of processor time that one takes."""
COMPLETION_S = 2.0
"""At least as long, if a round may only find further holders of a socket."""

_PREFIX = "socket:["


class SocketHolders:
    """Knows which processes hold which sockets. One thread uses it."""

    def __init__(self, proc: str = "/proc", clock: Callable[[], float] = time.monotonic) -> None:
        self.rounds_done = 0
        self._proc, self._clock = proc, clock
        self._namespace = os.readlink("/proc/thread-self/ns/net")
        self._present: set[int] = set()  # the processes of the last listing
        self._young: dict[int, float] = {}  # when each was listed first
        self._likely: dict[int, None] = {}  # that held wanted sockets, the latest last
        self._links: dict[int, dict[int, str]] = {}  # the link of each holder, by inode
        self._found: set[int] = set()
        self._left: list[int] = []  # processes that the round has not read yet
        self._is_running = False
        self._round_s = 0.0  # of work in this round
        self._ended_s = float("-inf")
        self._last_round_s = 0.0

    @property
    def next_round(self) -> int:
        """The number that `rounds_done` will have after a round that begins from now on."""
        return self.rounds_done + (2 if self._is_running else 1)

    def scan_likely(self, wanted: Collection[int], until_s: float = float("inf")) -> None:
        """Read the processes that may hold some sockets, until their holders are known.

        These are processes that held wanted sockets lately, and young ones of this network
        namespace, the newest first. The search ends at a time of the clock.
        """
        present = self._list()
        likely = [pid for pid in reversed(self._likely) if pid in present]
        likely += sorted(self._young, reverse=True)[:MOST_LIKELY]
        left = {inode for inode in wanted if not self._links.get(inode)}
        for pid in dict.fromkeys(likely):
            if not left or self._clock() >= until_s:
                break
            left -= self._read(pid)

    def advance(self, until_s: float, *, is_urgent: bool) -> None:
        """Continue the round until a time of the clock, or begin one; read a process at least.

        `is_urgent` if a socket is wanted that no process is known to hold.
        """
        if not self._is_running:
            pause_s = self._last_round_s * ROUND_SHARE
            if not is_urgent:
                pause_s = max(pause_s, COMPLETION_S)
            if self._clock() - self._ended_s < pause_s:
                return
            self._left = sorted(self._list())
            self._is_running, self._round_s = True, 0.0
        began_s = time.thread_time()
        while self._left:
            self._read(self._left.pop())
            if self._clock() >= until_s:
                break
        self._round_s += time.thread_time() - began_s
        if not self._left:
            self._is_running = False
            self._last_round_s, self._ended_s = self._round_s, self._clock()
            self.rounds_done += 1

    def take_found(self) -> set[int]:
        """Return the sockets that were read since the last call."""
        found, self._found = self._found, set()
        return found

    def holders(self, inode: int) -> tuple[int, ...]:
        """Return the processes that hold a socket, of those that were read; ascending."""
        links = self._links.get(inode)
        if links is None:
            return ()
        for pid in [pid for pid, link in links.items() if not _is_link(link, inode)]:
            del links[pid]
        for pid in links:
            self._likely.pop(pid, None)
            self._likely[pid] = None
        while len(self._likely) > MOST_LIKELY:
            del self._likely[next(iter(self._likely))]
        return tuple(sorted(links))

    def forget_except(self, inodes: Collection[int]) -> None:
        """Forget sockets that are not among `inodes`, if many are remembered."""
        if len(self._links) > MOST_INODES:
            self._links = {each: links for each, links in self._links.items() if each in inodes}
            if len(self._links) > MOST_INODES:
                self._links.clear()

    def _list(self) -> set[int]:
        """Return all processes. Those that were not there before are young for a while."""
        now_s = self._clock()
        present = set(map(int, filter(str.isdigit, os.listdir(self._proc))))
        if self._present:
            new = present - self._present
            self._young |= {pid: now_s for pid in new if self._is_neighbor(pid)}
        self._present = present
        self._young = {
            pid: seen_s
            for pid, seen_s in self._young.items()
            if pid in present and now_s - seen_s < YOUNG_S
        }
        return present

    def _is_neighbor(self, pid: int) -> bool:
        """Return True for a process of this network namespace, or if nobody knows."""
        try:
            return os.readlink(f"{self._proc}/{pid}/ns/net") == self._namespace
        except OSError:
            return True

    def _read(self, pid: int) -> set[int]:
        """Return the sockets that a process holds."""
        folder = f"{self._proc}/{pid}/fd"
        found: set[int] = set()
        with suppress(OSError):  # it ended, or it is another user's
            for descriptor in os.listdir(folder):
                path = f"{folder}/{descriptor}"
                with suppress(OSError):  # it was closed
                    link = os.readlink(path)
                    if link.startswith(_PREFIX):
                        inode = int(link[len(_PREFIX) : -1])
                        found.add(inode)
                        self._found.add(inode)
                        self._links.setdefault(inode, {})[pid] = path
        return found


def _is_link(path: str, inode: int) -> bool:
    try:
        return os.readlink(path) == f"{_PREFIX}{inode}]"
    except OSError:
        return False
