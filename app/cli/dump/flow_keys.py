"""The keys of ``dump --json`` that an analysis of flows gives: ``tcp.stream``, ``tcp.seq``, …"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

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
