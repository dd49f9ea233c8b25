"""Collects answers about flows into a `ProgramTable`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.analysis.programs.answer import Answer
from core.analysis.programs.echo_packets import NO_ECHOES, EchoPackets
from core.analysis.programs.flow_scan import Flow
from core.analysis.programs.owners import FlowOwners
from core.analysis.programs.program_table import ECHO, Beginning, Ownership, ProgramTable
from core.analysis.tcp.flow_table import FlowTable
from core.wire.model.assigned_numbers import IpProtocol

MOST_FLOWS = 1 << 17
"""Flows of each protocol whose owners are kept, about 500 bytes each; the first are dropped."""
MOST_UNPLACED = 1 << 14
_NAMES = {
    int(IpProtocol.TCP): "tcp",
    int(IpProtocol.UDP): "udp",
    int(IpProtocol.ICMP): ECHO,
    int(IpProtocol.ICMPV6): ECHO,
}


class ProgramRecorder:
    """Keeps the owners of the flows of one store, and makes tables of them.

    An answer names a packet; its stream is known when the analysis of flows has reached it.
    """

    def __init__(self) -> None:
        self.table = ProgramTable()
        self._owners: list[FlowOwners] = []
        self._indices: dict[FlowOwners, int] = {}  # of the owners
        self._unplaced: list[Answer] = []
        self._located: dict[tuple[str, int], int] = {}  # streams, by the packet of a flow

    @property
    def first_unplaced(self) -> int | None:
        """The lowest packet with an answer that has no stream yet; None if all have one."""
        return min((each.flow.packet for each in self._unplaced), default=None)

    def locate(self, asked: Sequence[Flow], flows: FlowTable) -> None:
        """Note the streams of flows whose results `flows` will not have when they are answered."""
        for name in ("tcp", "udp"):
            packets = [each.packet for each in asked if _NAMES[each.protocol] == name]
            for packet, stream in _streams(name, packets, flows).items():
                self._located[name, packet] = stream
        while len(self._located) > MOST_UNPLACED:
            del self._located[next(iter(self._located))]

    def add(
        self,
        answers: list[Answer],
        flows: FlowTable,
        settled: int,
        echoes: EchoPackets = NO_ECHOES,
    ) -> bool:
        """Take answers. Return True if there is a new table.

        `settled` is the last packet for which all answers are there. `echoes` are the packets of
        ICMP by now.
        """
        self._unplaced += answers
        del self._unplaced[: max(0, len(self._unplaced) - MOST_UNPLACED)]
        placed = [each for each in self._unplaced if each.flow.packet <= flows.through]
        self._unplaced = [each for each in self._unplaced if each.flow.packet > flows.through]
        by_protocol = dict(self.table.by_protocol)
        is_changed = echoes is not self.table.echoes
        for name in dict.fromkeys(_NAMES.values()):
            before = by_protocol.get(name, Ownership())
            if entries := self._entries(name, placed, flows, before, echoes):
                by_protocol[name] = before.with_entries(entries, MOST_FLOWS)
                is_changed = True
        settled = min(settled, (self.first_unplaced or settled + 1) - 1)
        if not is_changed and settled == self.table.settled:
            return False
        version = self.table.version + is_changed
        self.table = ProgramTable(self._owners, by_protocol, settled, version, echoes)
        self._bound()
        return True

    def _entries(
        self,
        name: str,
        answers: list[Answer],
        flows: FlowTable,
        before: Ownership,
        echoes: EchoPackets,
    ) -> dict[Beginning, int]:
        """Return what answers change: the indices of owners."""
        answers = [each for each in answers if _NAMES[each.flow.protocol] == name]
        if not answers:
            return {}
        streams = _streams(name, [each.flow.packet for each in answers], flows, echoes)
        entries: dict[Beginning, int] = {}
        for answer in answers:
            packet = answer.flow.packet
            stream = streams.get(packet, self._located.get((name, packet)))
            if stream is not None:  # else the packet was evicted
                self._enter(entries, stream, answer, before)
        return {each: index for each, index in entries.items() if before.at(each) != index}

    def _enter(
        self, entries: dict[Beginning, int], stream: int, answer: Answer, before: Ownership
    ) -> None:
        flow, index = answer.flow, self._index(answer.owners)
        if flow.since:  # it has an answer: only another owner changes something
            (known,) = before.of(np.array([stream]), np.array([flow.packet])).tolist()
            if known == index or not any(each.processes for each in answer.owners):
                return
            if known >= 0:  # nobody knows when it took over the port
                entries[Beginning(stream, flow.since + 1)] = self._index(())
        entries[Beginning(stream, flow.packet)] = index

    def _index(self, owners: FlowOwners) -> int:
        index = self._indices.setdefault(owners, len(self._owners))
        if index == len(self._owners):
            self._owners.append(owners)  # published tables have the list, but not this index
        return index

    def _bound(self) -> None:
        """Forget owners that no flow has anymore, if there are many."""
        if len(self._indices) <= 4 * MOST_FLOWS:
            return
        table = self.table
        used = np.unique(np.concatenate([each.owners for each in table.by_protocol.values()]))
        self._owners = [self._owners[index] for index in used.tolist()]
        self._indices = {owners: index for index, owners in enumerate(self._owners)}
        by_protocol = {
            name: replace(each, owners=np.searchsorted(used, each.owners))
            for name, each in table.by_protocol.items()
        }
        self.table = replace(table, owners=self._owners, by_protocol=by_protocol)


def _streams(
    name: str, packets: Sequence[int], flows: FlowTable, echoes: EchoPackets = NO_ECHOES
) -> dict[int, int]:
    """Return the streams of packets of a protocol, as far as an analysis has them."""
    if not packets:
        return {}
    numbers = np.unique(packets)
    if name == ECHO:
        rows, streams = echoes.among(numbers)
        return dict(zip(numbers[rows].tolist(), streams.tolist(), strict=True))
    columns = flows.tcp(numbers) if name == "tcp" else flows.udp(numbers)
    found = numbers[columns["row"]].tolist()
    return dict(zip(found, columns["stream"].tolist(), strict=True))
