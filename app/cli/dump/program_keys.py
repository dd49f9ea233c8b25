"""The keys of ``dump --json`` that tell the programs of a flow: ``process.name``, …"""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from core.analysis.programs.fields import PROGRAM_FIELDS
from core.analysis.programs.owners import FlowOwners
from core.analysis.programs.program_table import ProgramTable
from core.analysis.tcp.flow_table import FlowTable


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
    texts = {index: _text(programs.owners[index]) for index in set(indices) if index >= 0}
    return [
        line if line is None or index < 0 else f"{line[:-1]}{texts[index]}}}"
        for line, index in zip(lines, indices, strict=True)
    ]


def _text(owners: FlowOwners) -> str:
    parts: list[str] = []
    for name, field in PROGRAM_FIELDS.items():
        values = field.values(owners)
        if values:
            value = values[0] if len(values) == 1 else values
            parts.append(f',"{name}":{json.dumps(value, separators=(",", ":"))}')
    return "".join(parts)
