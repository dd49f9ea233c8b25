"""Collects the pieces of one stream, of chunk after chunk."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from core.analysis.follow.assembly import Segment, TcpAssembly
from core.analysis.follow.payloads import End, Payloads, Rows, ends_of, payloads_of
from core.analysis.follow.pieces import CLIENT, SERVER, Piece, PieceKind
from core.decode.chunk import Chunk

UNKNOWN_ENDS: tuple[End, End] = (("", 0), ("", 0))


class StreamReader:
    """Reads the packets of one stream in the order of the capture, and calls `emit` with pieces.

    `ends` are the client's and the server's address and port. `packets` counts those of the stream.
    """

    def __init__(self, protocol: str, emit: Callable[[Piece], None]) -> None:
        self.protocol = protocol
        self.ends = UNKNOWN_ENDS
        self.packets = 0
        self._emit = emit
        self._assembly = TcpAssembly(emit)
        self._client: int | None = None  # the hash of its direction
        self._began_ns = 0  # the time of the first packet

    @property
    def waiting(self) -> tuple[int, int]:
        """The bytes of each side that wait behind a gap, and are in no piece."""
        return self._assembly.waiting

    def read(self, chunk: Chunk, rows: Rows) -> None:
        """Take the packets of the stream in some rows (ascending) of the next chunk."""
        found = payloads_of(chunk, rows, self.protocol)
        if not len(found):
            return
        if self._client is None:
            self._client, self._began_ns = int(found.source[0]), int(found.time_ns[0])
            with suppress(Exception):  # an internal error, which the table reports
                dissection = chunk.dissect(int(found.packet[0]) - chunk.first)
                self.ends = ends_of(dissection, self.protocol) or UNKNOWN_ENDS
        self.packets += len(found)
        if self.protocol == "tcp":
            self._read_segments(chunk, found)
        else:
            self._read_datagrams(chunk, found)

    def _read_segments(self, chunk: Chunk, found: Payloads) -> None:
        data = chunk.data.data
        for (
            packet,
            source,
            start,
            captured,
            length,
            sequence,
            ack,
            has_ack,
            is_syn,
            time_ns,
        ) in zip(*(getattr(found, name).tolist() for name in found.__slots__), strict=True):
            segment = Segment(
                CLIENT if source == self._client else SERVER,
                packet,
                sequence,
                ack if has_ack else None,
                is_syn,
                bytes(data[start : start + captured]) if captured else b"",
                length,
                time_ns - self._began_ns,
            )
            self._assembly.add(segment)

    def _read_datagrams(self, chunk: Chunk, found: Payloads) -> None:
        data = chunk.data.data
        names = ("packet", "source", "start", "captured", "length", "time_ns")
        for packet, source, start, captured, length, time_ns in zip(
            *(getattr(found, name).tolist() for name in names), strict=True
        ):
            side = CLIENT if source == self._client else SERVER
            payload = bytes(data[start : start + captured])
            elapsed_ns, missing = time_ns - self._began_ns, length - captured
            self._emit(Piece(side, packet, PieceKind.DATA, payload, 0, elapsed_ns))
            if missing > 0:
                self._emit(Piece(side, packet, PieceKind.CUT, b"", missing, elapsed_ns))
