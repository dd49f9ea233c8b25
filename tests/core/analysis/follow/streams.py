"""Streams of made packets, and of files, for the tests of following them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from core.analysis.follow.pieces import Piece
from core.analysis.follow.stream import StreamReader
from core.analysis.tcp.flow_index import FlowIndex
from core.decode.chunk import Chunk
from core.files.chunks import iter_chunks
from core.files.reader import open_capture

Key = tuple[str, int]  # protocol and number


class Streams:
    """All streams of the chunks of one capture."""

    def __init__(self) -> None:
        self.readers: dict[Key, StreamReader] = {}
        self.pieces: dict[Key, list[Piece]] = {}
        self._flows = FlowIndex()

    def read(self, chunk: Chunk) -> None:
        """Read the next chunk."""
        table = self._flows.append(chunk)
        for protocol in ("tcp", "udp"):
            for number in sorted(
                {n for block in table.blocks for n in getattr(block, protocol)["stream"].tolist()}
            ):
                key = protocol, number
                if key not in self.readers:
                    self.pieces[key] = []
                    self.readers[key] = StreamReader(protocol, self.pieces[key].append)
                rows = table.packets_of(*key) - chunk.first
                self.readers[key].read(chunk, rows)


def file_chunks(path: Path) -> Iterator[Chunk]:
    """Yield the packets of a file, numbered from 1."""
    first = 1
    with open_capture(str(path)) as reader:
        for chunk in iter_chunks(reader):
            yield replace(chunk, first=first)
            first += len(chunk)


def streams_of(path: Path) -> Streams:
    """Return the streams of a file."""
    streams = Streams()
    for chunk in file_chunks(path):
        streams.read(chunk)
    return streams
