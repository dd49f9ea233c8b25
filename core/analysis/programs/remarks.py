"""The programs of flows as remarks on packets, for a file: on the first saved packet of each flow.

The comment is `remark_text`; Wireshark shows it, and rawscope reads it back. The first packet also
gets the process that sent it as the option epb_processid_threadid, if one is known for sure: if
the end that sent the packet is on this host, and a single process held its socket. So a flow costs
one remark, whatever the number of its packets.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.analysis.programs.ends import ends_of, has_ends
from core.analysis.programs.owners import FlowOwners, Grade
from core.analysis.programs.program_table import ProgramTable, programs_of
from core.analysis.programs.remark_text import remark_text
from core.analysis.tcp.flow_index import index_of
from core.analysis.tcp.flow_table import FlowTable
from core.decode.chunk import Chunk
from core.store.filtered_view import NumberRange
from core.store.packet_remark import PacketRemark
from core.store.snapshot import Snapshot

MOST_REMARKED = 1 << 17
"""Flows that `FlowRemarks` remembers; of more, it repeats the remark of the oldest."""

_SURE = (Grade.EXACT, Grade.MOMENT)


class FlowRemarks:
    """Makes the remarks on the packets of chunks with ascending numbers: one for each flow."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, int, int], None] = {}

    def of_chunk(
        self, chunk: Chunk, rows: NDArray[np.int64], programs: ProgramTable, flows: FlowTable
    ) -> dict[int, PacketRemark]:
        """Return the remarks on the packets at these ascending rows, by row."""
        found: dict[int, PacketRemark] = {}
        for protocol, (at, entries) in programs.entries(flows, chunk.first + rows).items():
            ownership = programs.by_protocol[protocol]
            each, firsts = np.unique(entries, return_index=True)
            for entry, first in zip(each.tolist(), at[firsts].tolist(), strict=True):
                flow = (protocol, int(ownership.streams[entry]), int(ownership.packets[entry]))
                owners = programs.owners[int(ownership.owners[entry])]
                if flow in self._made or not any(owner.processes for owner in owners):
                    continue
                self._made[flow] = None
                row = int(rows[first])
                found[row] = PacketRemark(remark_text(owners), _sender(chunk, row, owners))
        while len(self._made) > MOST_REMARKED:
            del self._made[next(iter(self._made))]
        return found


def has_programs(snapshot: Snapshot) -> bool:
    """Return True if a process is known to own some flow of a store."""
    owners = tuple(programs_of(snapshot).published.owners)
    return any(owner.processes for flow in owners for owner in flow)


def program_remarks(
    snapshot: Snapshot, numbers: NumberRange | None = None
) -> dict[int, PacketRemark]:
    """Return the remarks on the packets among `numbers`, or among all packets, by number."""
    programs, flows = programs_of(snapshot).published, index_of(snapshot).published
    remarks = FlowRemarks()
    found: dict[int, PacketRemark] = {}
    for chunk in snapshot.chunks:
        if numbers is None:
            rows = np.arange(len(chunk))
        else:
            rows = numbers.between(chunk.first, chunk.last) - chunk.first
        by_row = remarks.of_chunk(chunk, rows, programs, flows)
        found |= {chunk.first + row: remark for row, remark in by_row.items()}
    return found


def _sender(chunk: Chunk, row: int, owners: FlowOwners) -> int:
    """Return the number of the process that sent a packet, 0 if it is not known."""
    if not has_ends(chunk, row):
        return 0
    source = ends_of(chunk, row)[0].text
    for owner in owners:
        grade = owner.saved_grade or owner.grade
        if owner.end == source and grade in _SURE and len(owner.processes) == 1:
            return owner.processes[0].pid
    return 0
