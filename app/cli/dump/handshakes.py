"""The initial sequence numbers of the connections whose handshakes `dump` has printed.

Sequence numbers are shown relative to the SYNs of the two directions (RFC 9293 §3.4), if these were
captured. `dump` reads packets in order, so a table that it fills on the way is enough. The table is
bounded: it forgets the connections that were silent for longest.
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
        """Return what to subtract from this packet's numbers; None if it is not TCP.

        Remember the number of a SYN for the packets that follow.
        """
        tcp = dissection.layer("tcp")
        network = dissection.layer("ip") or dissection.layer("ipv6")
        if tcp is None or network is None or not tcp.is_whole(TCP):
            return None
        data = dissection.data
        source, destination = (slot.number(data, network.offset) for slot in _ENDS[network.name])
        from_port, to_port = (slot.number(data, tcp.offset) for slot in _PORTS)
        forward: Direction = (source, from_port, destination, to_port)
        backward: Direction = (destination, to_port, source, from_port)
        if _SYN.number(data, tcp.offset):
            self._initial[forward] = _SEQUENCE.number(data, tcp.offset)
            if len(self._initial) > LIMIT:
                self._initial.popitem(last=False)
        return SequenceBase(self._recall(forward), self._recall(backward))

    def _recall(self, direction: Direction) -> int | None:
        initial = self._initial.get(direction)
        if initial is not None:
            self._initial.move_to_end(direction)
        return initial
