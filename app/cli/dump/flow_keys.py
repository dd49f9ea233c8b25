"""The keys of ``dump --json`` that an analysis of flows gives: ``tcp.stream``, ``tcp.seq``, …"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.analysis.tcp.fields import TCP_FIELDS, UDP_FIELDS, FlowField, FlowKind
from core.analysis.tcp.flow_table import Columns, FlowTable
from core.store.frame_detail import seconds_texts

_PROTOCOLS = (("tcp", TCP_FIELDS), ("udp", UDP_FIELDS))


def flow_keys(flows: FlowTable, numbers: NDArray[np.int64]) -> list[str]:
    """Return the keys of each packet (n,), ``,"tcp.stream":3``, to go before the last brace."""
    found = np.full(len(numbers), "", dtype=object)
    for protocol, fields in _PROTOCOLS:
        columns = flows.tcp(numbers) if protocol == "tcp" else flows.udp(numbers)
        texts = np.full(len(columns["row"]), "", dtype=object)
        for field in fields:
            index = np.flatnonzero(field.presence(columns))
            if len(index):
                texts[index] += np.array(_texts(field, columns, index), dtype=object)
        found[columns["row"]] += texts
    keys: list[str] = found.tolist()
    return keys


def with_keys(line: str, keys: str) -> str:
    """Return a JSON object with more keys."""
    return f"{line[:-1]}{keys}}}" if keys else line


def _texts(field: FlowField, columns: Columns, index: NDArray[np.int64]) -> list[str]:
    values = field.values(columns, index)
    if field.kind is FlowKind.MARK:
        return [f',"{field.name}":true'] * len(index)
    if field.kind is FlowKind.DURATION:
        return [f',"{field.name}":"{text}"' for text in seconds_texts(values)]
    return [f',"{field.name}":{value}' for value in values.tolist()]
