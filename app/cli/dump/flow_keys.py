"""The keys of ``dump --json`` that packets have by their flows.

An analysis of flows gives ``tcp.stream``, ``tcp.seq``, …, and the programs that own them give
``process.name``, …
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.analysis.programs.fields import PROGRAM_FIELDS
from core.analysis.programs.owners import FlowOwners
from core.analysis.programs.program_table import ProgramTable
from core.analysis.tcp.fields import TCP_FIELDS, UDP_FIELDS, FlowField, FlowKind
from core.analysis.tcp.flow_table import Columns, FlowTable
from core.store.frame_detail import seconds_texts

_PROTOCOLS = (("tcp", TCP_FIELDS), ("udp", UDP_FIELDS))


def with_flow_keys(
    flows: FlowTable, numbers: NDArray[np.int64], lines: Sequence[str | None]
) -> list[str | None]:
    """Return the JSON objects of packets with the keys of their flows.

    `numbers` are those of the packets (n,). The keys of a protocol need its header in the object: a
    header that only a tunnel contains has no keys there.
    """
    found = list(lines)
    for protocol, fields in _PROTOCOLS:
        columns = flows.tcp(numbers) if protocol == "tcp" else flows.udp(numbers)
        texts = np.full(len(columns["row"]), "", dtype=object)
        for field in fields:
            index = np.flatnonzero(field.presence(columns))
            if len(index):
                texts[index] += np.array(_texts(field, columns, index), dtype=object)
        port = f'"{protocol}.srcport":'
        for row, text in zip(columns["row"].tolist(), texts.tolist(), strict=True):
            line = found[row]
            if line is not None and port in line:
                found[row] = f"{line[:-1]}{text}}}"
    return found


def _texts(field: FlowField, columns: Columns, index: NDArray[np.int64]) -> list[str]:
    values = field.values(columns, index)
    if field.kind is FlowKind.MARK:
        return [f',"{field.name}":true'] * len(index)
    if field.kind is FlowKind.DURATION:
        return [f',"{field.name}":"{text}"' for text in seconds_texts(values)]
    return [f',"{field.name}":{value}' for value in values.tolist()]


def with_program_keys(
    programs: ProgramTable,
    flows: FlowTable,
    numbers: NDArray[np.int64],
    lines: list[str | None],
) -> list[str | None]:
    """Return the JSON objects of packets with the keys of their programs, if these are known.

    `numbers` are those of the packets (n,). Several values of a key are a list.
    """
    if not programs.by_protocol:
        return lines
    indices = programs.indices(flows, numbers).tolist()
    texts = {index: _program_text(programs.owners[index]) for index in set(indices) if index >= 0}
    return [
        line if line is None or index < 0 else f"{line[:-1]}{texts[index]}}}"
        for line, index in zip(lines, indices, strict=True)
    ]


def _program_text(owners: FlowOwners) -> str:
    parts: list[str] = []
    for name, field in PROGRAM_FIELDS.items():
        values = field.values(owners)
        if values:
            value = values[0] if len(values) == 1 else values
            parts.append(f',"{name}":{json.dumps(value, separators=(",", ":"))}')
    return "".join(parts)
