"""Everything that reads a packet, run over given frames, and held against each other.

`check` reads frames of one link type with every reader: dissection, row, detail tree, JSON, chosen
fields, hex, and the batch decode with its verdicts and columns. It raises `FaultError` where one of
them fails, or where scalar and batch disagree. Columns and verdicts are read for all the frames
together, as the program does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.commands.formats import FieldLines, HexLines, JsonLines, LineFormat
from app.commands.frame import Frame
from core.store.batch import CaptureInterface
from core.store.chunk import Chunk
from core.store.columns import SLOTS, read
from core.store.packet_store import PacketStore
from core.wire.detail import Row, detail_rows
from core.wire.dissect import dissect
from core.wire.dissection import Dissection
from core.wire.summary import Summary, summarise
from tests.core.store.agreement import has_column, number, outermost, outline_of_chunk
from tests.core.store.agreement import outline_of_frame as outline
from tests.core.store.support import batch_of

COLUMNS = tuple(sorted(name for name in SLOTS if has_column(name)))


class DisagreementError(AssertionError):
    """Two readers say different things of one packet."""


class FaultError(Exception):
    """A reader failed on a frame; the cause says how."""

    def __init__(self, sample: Sample) -> None:
        super().__init__(sample.text)
        self.sample = sample


@dataclass(frozen=True)
class Sample:
    """A frame as it is given to the readers."""

    data: bytes
    link_type: int
    original: int
    flags: int = 0

    @property
    def text(self) -> str:
        """All that is needed to read it again."""
        return (
            f"link type {self.link_type}, original length {self.original}, "
            f"flags 0x{self.flags:04x}: {self.data.hex() or '(empty)'}"
        )


def check(samples: Sequence[Sample]) -> None:
    """Read all samples, which have one link type, with every reader.

    Raises `FaultError` with the sample where one fails, or where two disagree.
    """
    for sample in samples:
        check_one(sample)
    check_batch(samples)


def check_batch(samples: Sequence[Sample]) -> None:
    """Hold the batch decode of samples of one link type against the dissection of each.

    Raises `FaultError` with the sample where they disagree.
    """
    start = 0
    for chunk in _stored(samples):
        these = samples[start : start + len(chunk)]
        start += len(chunk)
        _check_outlines(chunk, these)
        _check_columns(chunk, these)


def check_one(sample: Sample) -> tuple[Summary, tuple[Row, ...]]:
    """Read one packet with every scalar reader. Raises `FaultError` where one fails."""
    try:
        dissection = dissect(sample.data, sample.link_type, sample.original, sample.flags)
        summary, rows = summarise(dissection), detail_rows(dissection)
        interface = CaptureInterface("fuzz", sample.link_type)
        frame = _ReadFrame(1, sample.data, sample.original, 0, interface, sample.flags)
        frame.dissection = dissection
        for line_format in _FORMATS:
            line_format(frame)
    except Exception as error:
        raise FaultError(sample) from error
    return summary, rows


class _ReadFrame(Frame):
    """A frame that is not dissected again for every format."""

    dissection: Dissection

    def dissect(self) -> Dissection:
        return self.dissection


_FORMATS: tuple[LineFormat, ...] = (
    HexLines(),  # and the line before the bytes
    JsonLines(raw=True),
    FieldLines(["frame.protocols", "ip.src", "tcp.flags", "null.family", "gre.proto"]),
)


def _stored(samples: Sequence[Sample]) -> Sequence[Chunk]:
    store = PacketStore()
    store.add_interface(CaptureInterface("fuzz", samples[0].link_type))
    store.append(
        batch_of(
            [sample.data for sample in samples],
            gap=3,
            original=[sample.original for sample in samples],
            flags=[sample.flags for sample in samples],
        )
    )
    return store.snapshot().chunks


def _check_outlines(chunk: Chunk, samples: Sequence[Sample]) -> None:
    for batch, sample in zip(outline_of_chunk(chunk), samples, strict=True):
        scalar = outline(sample.data, sample.link_type, sample.original, sample.flags)
        if batch != scalar:
            raise FaultError(sample) from DisagreementError(f"batch {batch}, scalar {scalar}")


def _check_columns(chunk: Chunk, samples: Sequence[Sample]) -> None:
    wanted: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for row, sample in enumerate(samples):
        for name, value in outermost(sample.data, chunk, row).items():
            wanted[name][row] = value
    for name in COLUMNS:
        column = read(chunk, SLOTS[name])
        rows = np.flatnonzero(column.valid).tolist()
        given = {row: number(column.values[row]) for row in rows}
        if given != wanted[name]:
            differing = dict(given.items() ^ wanted[name].items())
            row = min(differing)
            words = f"{name}: column {given.get(row)}, dissection {wanted[name].get(row)}"
            raise FaultError(samples[row]) from DisagreementError(words)
