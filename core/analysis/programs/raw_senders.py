"""Find the raw socket that sends the requests of an echo flow, if only one can.

A raw socket tells no identifier. So it has to be the only one at two packets of the flow that are
`ECHO_RECHECK_S` apart, at least: if a program had ended before the first question, the socket of
another one would be left as the only one. If it had not, it was the second one at that time.
"""

from __future__ import annotations

from core.analysis.programs.flow_scan import Flow
from core.analysis.programs.socket_table import Match, RecentSockets

MOST_REMEMBERED = 1 << 12


class RawSenders:
    """Remembers the only raw socket at the packet before, by the key of the flow."""

    def __init__(self) -> None:
        self._before: dict[int, int] = {}  # its inode; 0 for several, or without any

    def match(self, flow: Flow, sockets: RecentSockets) -> Match:
        """Return the raw socket of a flow, or nothing."""
        match = sockets.find_raw(flow.protocol, flow.source)
        inode = match.sockets[0].inode if match is not None else 0
        before = self._before.pop(flow.key, 0)
        self._before[flow.key] = inode
        while len(self._before) > MOST_REMEMBERED:
            del self._before[next(iter(self._before))]
        return match if match is not None and inode == before else Match()
