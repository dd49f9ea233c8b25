"""The values of this folder: a process, and what is known of who owns a flow.

A flow has an owner for each of its ends that is on this host, so one over loopback has two. An
owner has a grade, because the kernel tells the present: who holds a socket now, and not who held it
when a packet passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

UNNAMED = "unnamed"
NOT_FOUND = "?"
"""The text of an end on this host of which no process and no user is known, beside known ones."""


class Grade(Enum):
    """The certainty that the processes of an owner own its end. The value is the text."""

    EXACT = "exact"
    """The processes held the socket of the flow when rawscope asked, after the packet."""
    SHARED = "one of these"
    """Several sockets take the packets of the port, and each has its processes."""
    MOMENT = "seen a moment ago"
    """The processes held the socket before it was closed."""
    RAW = "the only raw socket"
    """The processes hold the only raw socket that can send ICMP, which has no identifier."""
    LISTENER = "its listener"
    """The processes listen at the port; no process is known to hold the socket of the flow."""
    OTHER_USER = "another user's"
    """The user of the socket is known, but rawscope may not read that user's processes."""
    FILE = "from the file"
    """A comment of the file names the processes; rawscope wrote it when it captured the packets."""
    GONE = "gone"
    """The socket was closed before rawscope asked."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process as it was when it held the socket.

    Texts are empty, and numbers other than `pid` None or 0, if they are not known; `parent_name` is
    empty for a process that has no parent, too.
    """

    pid: int
    name: str
    uid: int | None
    command_line: str = ""
    parent_pid: int = 0
    parent_name: str = ""

    @property
    def text(self) -> str:
        """``curl (20)``; ``unnamed (20)`` if the name is not known."""
        return f"{self.name or UNNAMED} ({self.pid})"


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner of one end of a flow. `uid` is that of the socket, None if it is not known.

    `saved_grade` is the grade that a file gives, for `Grade.FILE`.
    """

    end: str  # "127.0.0.1:443"
    grade: Grade
    processes: tuple[Process, ...] = ()
    uid: int | None = None
    saved_grade: Grade | None = None


FlowOwners = tuple[Owner, ...]
"""The owners of the ends on this host; that of the end which sent the first packet comes first."""


def owners_text(owners: FlowOwners) -> str:
    """Return ``curl (20), nginx (30)``: the processes, else users; empty if none is known.

    An end of which nothing is known is `NOT_FOUND`, since a flow that two programs share must not
    look like that of one.
    """
    return ", ".join(dict.fromkeys(with_unknown_ends(list(map(_names, owners)))))


def with_unknown_ends(names: Sequence[Sequence[str]]) -> list[str]:
    """Return the names of all ends, with `NOT_FOUND` for an end without any; nothing if all are."""
    if not any(names):
        return []
    return [name for each in names for name in each or (NOT_FOUND,)]


def _names(owner: Owner) -> list[str]:
    """Return the texts of the processes of an end, else that of its user, if it is known."""
    if owner.processes or owner.grade is not Grade.OTHER_USER:
        return [each.text for each in owner.processes]
    return [f"user {owner.uid}"]


def with_more_holders(before: FlowOwners, after: FlowOwners) -> FlowOwners:
    """Return the owners of an answer with the processes that were found to hold the sockets, too.

    A socket that was closed since does not make the answer worse.
    """
    return tuple(
        replace(
            old,
            processes=tuple({each.pid: each for each in (*old.processes, *new.processes)}.values()),
        )
        if old.grade is new.grade
        else old
        for old, new in zip(before, after, strict=True)
    )
