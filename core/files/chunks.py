"""The packets of a capture file as decoded chunks, without a store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from core.decode.batch_decoder import decode_batch, parts_of
from core.decode.chunk import Chunk
from core.files.packet_reader import PacketReader
from core.files.reader import open_capture
from core.store.interface_numbers import INTERFACES


def iter_chunks(source: PacketReader | str | Path | int, first: int = 1) -> Iterator[Chunk]:
    """Yield the packets of a capture file as chunks, in file order, numbered from `first`.

    `source` is an open reader, which the caller asks for interfaces, notes, and damage, and
    closes; or what `open_capture` takes, which is then opened at the first chunk, may raise
    `FileError`, and is closed at the end. Content raises nothing. The bytes of a chunk stay valid
    after the file is closed. Waits for a pipe that is silent.
    """
    if isinstance(source, (str, Path, int)):
        with open_capture(source) as reader:
            yield from iter_chunks(reader, first)
        return
    link_types = np.zeros(INTERFACES, np.int32)
    known = 0
    for batch in source.batches():
        added = [interface.link_type for interface in source.interfaces[known:]]
        link_types[known : known + len(added)] = added
        known += len(added)
        for part in parts_of(batch):
            yield decode_batch(part, link_types, first)
            first += len(part)
