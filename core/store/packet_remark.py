"""A remark that an analysis adds to a packet when it is saved."""

from __future__ import annotations

from typing import NamedTuple


class PacketRemark(NamedTuple):
    """A comment, and the process that sent the packet; 0 if it is not known."""

    comment: str
    sender_pid: int = 0
