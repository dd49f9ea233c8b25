"""The lines of `dump`: by columns and by packet, they are the same."""

from __future__ import annotations

import numpy as np
import pytest

from app.cli.dump.hex_lines import HexLines
from app.cli.dump.line_format import ChunkPart, LineFormat
from app.cli.dump.text_lines import TextLines
from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.frame_values import CaptureContext
from core.decode.batch_decoder import decode_batch
from core.store.captured_packet import packets_of
from core.wire.link.link_types import LinkType
from core.wire.model.dissection import PacketFlag
from core.wire.protocol import SequenceBases
from tests.bench.traffic.mixed import frames
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of

SECOND_NS = 10**9
COUNT = 60  # one with a wrong checksum


def _part(rows: list[int]) -> ChunkPart:
    """Return some packets, with times that go back and one without a time."""
    times = [(index * 7 % 11 - 5) * SECOND_NS + index for index in range(COUNT)]
    flags = [0] * COUNT
    times[4], flags[4] = 0, int(PacketFlag.TIME_INVALID)
    batch = batch_of(frames()[:COUNT], times_ns=times, flags=flags)
    chunk = decode_batch(batch, np.array([LinkType.ETHERNET], np.int32), 99_990)
    context = CaptureContext([ETHERNET_INTERFACE])
    values = ChunkValues(chunk, context)
    bases = SequenceBases.unknown(COUNT)._replace(
        sequence=np.arange(COUNT), acknowledgment=np.arange(COUNT)
    )
    return ChunkPart(chunk, context, values, np.array(rows), bases)


@pytest.mark.parametrize("make", [TextLines, HexLines])
@pytest.mark.parametrize("rows", [list(range(COUNT)), [3, 4, 5], [0, 4, 17, 18, 40]])
@pytest.mark.parametrize("first_ns", [None, 2 * SECOND_NS])
def test_columns_and_packets_give_the_same_lines(
    make: type[TextLines] | type[HexLines], rows: list[int], first_ns: int | None
) -> None:
    part = _part(rows)
    line_format: LineFormat = make()
    line_format.begin(first_ns if first_ns is not None else int(part.chunk.timestamp_ns[0]))
    lines = [line for block in line_format.lines(part) for line in block]
    packets = packets_of(part.chunk, part.interfaces, part.chunk.first, part.rows)
    expected = [
        line_format(packet, part.bases.of(row)) for packet, row in zip(packets, rows, strict=True)
    ]
    assert lines == expected
