"""The initial sequence numbers of the connections that `dump` saw begin.

A packet's sequence numbers are shown relative to the SYNs of its two directions (RFC 9293 §3.4)
where those were seen; `dump` reads in order, so a table filled on the way is enough. It is
bounded: the connections that have been silent for longest are forgotten first.
"""

from __future__ import annotations

from collections import OrderedDict

from core.wire.dissection import Dissection
from core.wire.field import Value
from core.wire.tcp import SequenceBase

LIMIT = 65536  # directions of connections

Direction = tuple[Value | None, ...]


class Handshakes:
    """Initial sequence numbers by direction (addresses and ports)."""

    def __init__(self) -> None:
        self._initial: OrderedDict[Direction, int] = OrderedDict()

    def base(self, dissection: Dissection) -> SequenceBase | None:
        """What to subtract from this packet's numbers; None where it is not TCP.

        A SYN's own number is remembered for the packets that follow.
        """
        tcp = dissection.layer("tcp")
        network = dissection.layer("ip") or dissection.layer("ipv6")
        if tcp is None or network is None:
            return None
        data = dissection.data
        source, destination = network.value(data, "src"), network.value(data, "dst")
        from_port, to_port = tcp.value(data, "srcport"), tcp.value(data, "dstport")
        there: Direction = (source, from_port, destination, to_port)
        back: Direction = (destination, to_port, source, from_port)
        sequence = tcp.value(data, "seq_raw")
        if tcp.value(data, "flags.syn") and isinstance(sequence, int):
            self._initial[there] = sequence
            if len(self._initial) > LIMIT:
                self._initial.popitem(last=False)
        return SequenceBase(self._recall(there), self._recall(back))

    def _recall(self, direction: Direction) -> int | None:
        initial = self._initial.get(direction)
        if initial is not None:
            self._initial.move_to_end(direction)
        return initial
