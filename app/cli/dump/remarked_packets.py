"""The packets that ``dump -w`` writes, with remarks on the programs that own their flows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.cli.dump.decoded_packets import DecodedPackets, PacketPrograms
from core.decode.chunk import Chunk
from core.files.writing.packet_remarks import add_remark

if TYPE_CHECKING:
    from core.analysis.programs.remarks import FlowRemarks


def flow_remarks(programs: PacketPrograms | None) -> FlowRemarks | None:
    """Return what makes the remarks, if something finds programs."""
    if programs is None:
        return None
    from core.analysis.programs.remarks import FlowRemarks

    return FlowRemarks()


def with_remarks(
    decoded: DecodedPackets, rows: NDArray[np.int64], remarks: FlowRemarks | None
) -> Chunk:
    """Return the chunk with remarks on those of the packets at `rows` that begin a flow."""
    chunk, context = decoded.chunk, decoded.context
    if remarks is None or not context.programs.by_protocol or not len(rows):
        return chunk
    flows = context.flows.reaching(chunk.last)
    found = remarks.of_chunk(chunk, rows, context.programs, flows)
    if not found:
        return chunk
    comments, options = dict(chunk.comments.items()), dict(chunk.options.items())
    for row, remark in found.items():
        add_remark(comments, options, row, remark)
    return replace(chunk, comments=comments, options=options)
