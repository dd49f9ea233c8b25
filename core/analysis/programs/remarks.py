"""The programs of flows as comments on packets, for a file: of the first saved packet of each flow.

A file of pcapng has no place for the owner of a flow that many programs read; every program shows
comments. So a flow costs one comment, whatever the number of its packets.
"""

from __future__ import annotations

import numpy as np

from core.analysis.programs.owners import FlowOwners, Grade, Owner
from core.analysis.programs.program_table import programs_of
from core.analysis.tcp.flow_index import index_of
from core.store.filtered_view import NumberRange
from core.store.snapshot import Snapshot


def has_programs(snapshot: Snapshot) -> bool:
    """Return True if a process is known to own some flow of a store."""
    owners = tuple(programs_of(snapshot).published.owners)
    return any(owner.processes for flow in owners for owner in flow)


def program_remarks(snapshot: Snapshot, numbers: NumberRange | None = None) -> dict[int, str]:
    """Return a comment for the first packet of each flow among `numbers`, or among all packets."""
    programs, flows = programs_of(snapshot).published, index_of(snapshot).published
    texts = {index: remark(owners) for index, owners in enumerate(tuple(programs.owners))}
    found: dict[int, str] = {}
    seen: set[int] = set()
    for chunk in snapshot.chunks:
        if numbers is None:
            packets = np.arange(chunk.first, chunk.last + 1)
        else:
            packets = numbers.between(chunk.first, chunk.last)
        owners, firsts = np.unique(programs.indices(flows, packets), return_index=True)
        for index, first in zip(owners.tolist(), firsts.tolist(), strict=True):
            if index not in seen and texts.get(index):
                seen.add(index)
                found[int(packets[first])] = texts[index]
    return found


def remark(owners: FlowOwners) -> str:
    """Return ``process: curl (20) of 10.0.0.1:4000``; empty if no process is known."""
    return "; ".join(_remark(owner) for owner in owners if owner.processes)


def _remark(owner: Owner) -> str:
    names = ", ".join(each.text for each in owner.processes)
    grade = "" if owner.grade is Grade.EXACT else f", {owner.grade.value}"
    return f"process: {names} of {owner.end}{grade}"
