"""The programs that own conversations, for a listing of TCP or UDP."""

from __future__ import annotations

import numpy as np

from core.analysis.flows.level import Level
from core.analysis.flows.listing import TEXTS_PER_STEP, Programs, Steps
from core.analysis.flows.table import ConversationTable
from core.analysis.programs.owners import owners_text
from core.analysis.programs.program_table import Ownership, programs_of
from core.analysis.tcp.flow_index import index_of
from core.store.snapshot import Snapshot


def programs_of_table(
    level: Level, table: ConversationTable, snapshot: Snapshot
) -> Steps[Programs | None]:
    """Return the texts of programs, sorted, and the index of each conversation's, or -1; in steps.

    Return None at levels without ports. A conversation of UDP has programs while its first packet
    is held, since that names its stream.
    """
    if not level.has_ports:
        return None
    programs = programs_of(snapshot).published
    columns = table.columns
    packets = columns["first_packet"].astype(np.int64)
    if level is Level.TCP:
        streams = columns["stream"].astype(np.int64)
    else:
        numbers, index = np.unique(packets, return_inverse=True)
        yield
        found = index_of(snapshot).published.udp(numbers)
        by_number = np.full(len(numbers), -1, np.int64)
        by_number[found["row"]] = found["stream"]
        streams = by_number[index]
    yield
    owners = programs.by_protocol.get(level.value, Ownership()).of(streams, packets)
    owners[streams < 0] = -1
    yield
    distinct, index = np.unique(owners, return_inverse=True)
    yield
    texts: list[str] = []
    for start in range(0, len(distinct), TEXTS_PER_STEP):
        part = distinct[start : start + TEXTS_PER_STEP].tolist()
        texts += [owners_text(programs.owners[each]) if each >= 0 else "" for each in part]
        yield
    names = tuple(sorted({text for text in texts if text}))
    ranks = {text: rank for rank, text in enumerate(names)}
    return names, np.array([ranks.get(text, -1) for text in texts], np.int64)[index]
