"""The initial sequence numbers of the connections that `dump` saw begin.

A packet's sequence numbers are shown relative to the SYNs of its two directions (RFC 9293 §3.4)
where those were seen; `dump` reads in order, so a table filled on the way is enough. It is
bounded: the connections that have been silent for longest are forgotten first.
"""

from __future__ import annotations

from collections import OrderedDict

from core.wire.model.dissection import Dissection
from core.wire.network.ipv4 import IPV4
from core.wire.network.ipv6 import IPV6
from core.wire.protocol import SequenceBase
from core.wire.transport.tcp import TCP

LIMIT = 65536  # directions of connections

Direction = tuple[int, ...]
_ENDS = {table.name: (table["src"], table["dst"]) for table in (IPV4, IPV6)}
_PORTS = (TCP["srcport"], TCP["dstport"])
_SYN, _SEQUENCE = TCP["flags.syn"], TCP["seq_raw"]


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
        if tcp is None or network is None or not tcp.is_whole(TCP):
            return None
        data = dissection.data
        source, destination = (slot.number(data, network.offset) for slot in _ENDS[network.name])
        from_port, to_port = (slot.number(data, tcp.offset) for slot in _PORTS)
        there: Direction = (source, from_port, destination, to_port)
        back: Direction = (destination, to_port, source, from_port)
        if _SYN.number(data, tcp.offset):
            self._initial[there] = _SEQUENCE.number(data, tcp.offset)
            if len(self._initial) > LIMIT:
                self._initial.popitem(last=False)
        return SequenceBase(self._recall(there), self._recall(back))

    def _recall(self, direction: Direction) -> int | None:
        initial = self._initial.get(direction)
        if initial is not None:
            self._initial.move_to_end(direction)
        return initial
