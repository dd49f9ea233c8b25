"""Chunks of a file wait for the first reader of their flows; other chunks do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.analysis.tcp.deferred_flows import DeferredFlows
from core.analysis.tcp.flow_index import FlowIndex
from core.decode.chunk import COLUMN_BYTES, Chunk
from core.decode.memory import allocate_bytes
from tests.core.analysis.tcp.conversations import Sent, chunk_of

PACKETS = 4  # in a chunk


def _chunks(is_file: bool) -> list[Chunk]:
    """Return three chunks of one stream, of a file or of a pipe."""
    sent = [Sent(sequence=1_000 + 10 * number, length=10) for number in range(3 * PACKETS)]
    chunks = []
    for start in range(0, len(sent), PACKETS):
        chunk = chunk_of(sent[start : start + PACKETS])
        data = allocate_bytes(len(chunk.data)) if is_file else np.empty_like(chunk.data)
        data[:] = chunk.data
        chunks.append(replace(chunk, first=1 + start, data=data))
    return chunks


@pytest.fixture
def analyzed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The first packets of the chunks that were analyzed."""
    found: list[int] = []
    append = FlowIndex.append

    def noting(index: FlowIndex, chunk: Chunk) -> object:
        found.append(chunk.first)
        return append(index, chunk)

    monkeypatch.setattr(FlowIndex, "append", noting)
    return found


def test_nothing_is_analyzed_before_it_is_read_and_then_all_before_it(analyzed):
    flows, index = DeferredFlows(), FlowIndex()
    chunks = _chunks(is_file=True)
    expected = [index.append(chunk).tcp(np.arange(1, 13)) for chunk in chunks]
    analyzed.clear()
    for chunk in chunks[:2]:
        flows.append(chunk)
    assert analyzed == []
    found = flows.reaching(chunks[1].last).tcp(np.arange(5, 9))
    assert analyzed == [1, 5]
    for name, column in found.items():
        if name != "row":
            assert column.tolist() == expected[1][name].tolist(), name
    assert found["sequence"][0] == 1 + 10 * PACKETS
    flows.append(chunks[2])
    assert analyzed == [1, 5]
    assert flows.reaching(6) is flows.reaching(8)
    assert flows.reaching(9).through == 3 * PACKETS


@pytest.mark.parametrize(
    ("is_file", "most_packets", "seen"),
    [
        (True, 3 * PACKETS, []),
        (True, 2 * PACKETS, [1]),
        (True, 0, [1, 5, 9]),
        (False, 99, [1, 5, 9]),
    ],
)
def test_few_packets_wait_and_none_of_a_pipe(analyzed, is_file, most_packets, seen):
    flows = DeferredFlows(most_packets * COLUMN_BYTES)
    for chunk in _chunks(is_file):
        flows.append(chunk)
    assert analyzed == seen
