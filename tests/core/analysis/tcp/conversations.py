"""TCP conversations for tests, and the analysis of a store or a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.analysis.tcp.evaluation import PART, FlowAnalysis
from core.analysis.tcp.fields import FLOW_FIELDS, FlowKind
from core.decode.batch_decoder import decode_batch
from core.decode.chunk import Chunk
from core.files.chunks import iter_chunks
from core.files.reader import open_capture
from core.wire.link.link_types import LinkType
from core.wire.model.assigned_numbers import IpProtocol
from core.wire.transport.tcp import FLAG_BITS, TCP
from tests.core.decode.frames import ethernet, ipv4
from tests.core.decode.support import batch_of

SEED = 0x1234_5678_9ABC_DEF0
MS = 1_000_000


@dataclass(frozen=True)
class Sent:
    """A segment of a conversation between one client and one server."""

    back: bool = False
    sequence: int = 0
    acknowledgment: int = 0
    length: int = 0
    flags: str = "ack"
    window: int = 1_000
    options: bytes = b""
    after_ms: float = 1
    ports: tuple[int, int] = (40_000, 80)

    @property
    def frame(self) -> bytes:
        """The bytes of the packet."""
        ports = self.ports[::-1] if self.back else self.ports
        header = TCP.emit(
            {
                "srcport": ports[0],
                "dstport": ports[1],
                "seq_raw": self.sequence % (1 << 32),
                "ack_raw": self.acknowledgment % (1 << 32),
                "hdr_len": TCP.size + len(self.options),
                "flags": sum(FLAG_BITS[name] for name in self.flags.split()),
                "window_size_value": self.window,
            }
        )
        segment = header + self.options + bytes(self.length)
        return ethernet(ipv4(segment, IpProtocol.TCP, back=self.back))


def times_of(sent: Sequence[Sent]) -> list[int]:
    """Return the time of each packet."""
    after = (round(each.after_ms * MS) for each in sent)
    return (1_700_000_000_000_000_000 + np.cumsum(list(after))).tolist()


def chunk_of(sent: Sequence[Sent], first: int = 1) -> Chunk:
    """Return the packets of a conversation."""
    batch = batch_of([each.frame for each in sent], times_ns=times_of(sent))
    return decode_batch(batch, np.array([LinkType.ETHERNET], np.int32), first)


def analyzed(chunk: Chunk, part: int = PART) -> dict[int, dict[str, Any]]:
    """Return the fields of each packet of a chunk, by number."""
    analysis = FlowAnalysis(SEED)
    return analyzed_next(analysis, chunk, part)


def analyzed_next(
    analysis: FlowAnalysis, chunk: Chunk, part: int = PART
) -> dict[int, dict[str, Any]]:
    """Return the fields of each packet of the next chunk, by number."""
    found: dict[int, dict[str, Any]] = {}
    for start in range(0, len(chunk), part):
        block = analysis.analyze(chunk.rows(start, min(start + part, len(chunk))))
        for columns, protocol in ((block.tcp, "tcp"), (block.udp, "udp")):
            for name, field in FLOW_FIELDS.items():
                if field.protocol != protocol:
                    continue
                index = np.flatnonzero(field.presence(columns))
                values = field.values(columns, index).tolist()
                for packet, value in zip(columns["packet"][index].tolist(), values, strict=True):
                    found.setdefault(packet, {})[name] = value
    return found


def findings(fields: dict[str, Any]) -> set[str]:
    """Return the marks of a packet without their common prefix."""
    return {
        name.removeprefix("tcp.analysis.")
        for name in fields
        if FLOW_FIELDS[name].kind is FlowKind.MARK and name != "tcp.analysis.flags"
    }


def analyzed_file(path: Path) -> dict[int, dict[str, Any]]:
    """Return the fields of each packet of a capture file, by number."""
    analysis, first = FlowAnalysis(SEED), 1
    found: dict[int, dict[str, Any]] = {}
    with open_capture(str(path)) as reader:
        for chunk in iter_chunks(reader):
            found |= analyzed_next(analysis, replace(chunk, first=first))
            first += len(chunk)
    return found
