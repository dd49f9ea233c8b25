"""The lines of `dump`: one per packet, for the user.

They give the time in seconds since the first packet, cut to microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from app.cli.dump.line_format import BLOCK, ChunkPart
from core.decode.chunk import Chunk
from core.decode.summaries import summaries
from core.store.captured_packet import CapturedPacket
from core.store.frame_detail import seconds_text, seconds_texts
from core.wire.model.dissection import PacketFlag, is_timed
from core.wire.model.text import safe
from core.wire.present.summary import Summary, failed_summary, summarize, wrong_checksums
from core.wire.protocol import SequenceBase

_DECIMALS = 6
_NUMBER_FORM, _TIME_FORM = "%5d", "%11s"
_ARROW = "→"
_NO_TIME = "–"
_SLICE = 1 << 14  # packets written at once


class TextLines:
    """One line per packet: number, time, source, destination, protocol, length, Info."""

    needs_flows = True
    needs_programs = False

    def __init__(self) -> None:
        self._first_ns: int | None = None

    def __call__(self, packet: CapturedPacket, base: SequenceBase | None = None) -> str:
        dissection = packet.dissect()
        summary = summarize(dissection, base)
        return self._line(packet, summary, wrong_checksums(dissection))

    def begin(self, timestamp_ns: int | None) -> None:
        """Show times relative to this one, unless a line was written already."""
        if self._first_ns is None:
            self._first_ns = timestamp_ns

    def failed(self, packet: CapturedPacket, words: str) -> str:
        """Return the same columns, with `words` as Info."""
        dissection = None
        with suppress(Exception):  # it may be the part that failed
            dissection = packet.dissect()
        return self._line(packet, failed_summary(dissection, words), ())

    def _line(self, packet: CapturedPacket, summary: Summary, wrong: Sequence[str]) -> str:
        timed = is_timed(packet.timestamp_ns, packet.flags)
        if timed and self._first_ns is None:
            self._first_ns = packet.timestamp_ns
        since_ns = packet.timestamp_ns - (self._first_ns or 0)
        ends = (summary.source, _ARROW, summary.destination)
        return safe(
            " ".join(
                (
                    _NUMBER_FORM % packet.number,
                    _TIME_FORM % (seconds_text(since_ns, _DECIMALS) if timed else _NO_TIME),
                    *ends,
                    summary.protocol,
                    str(packet.original_length),
                    _with_wrong(summary.info, wrong),
                )
            )
        )

    def lines(self, part: ChunkPart) -> Iterator[list[str | None]]:
        """Write the packets whose summaries columns give."""
        for start in range(0, len(part.rows), _SLICE):
            lines = self._columns(part, part.rows[start : start + _SLICE])
            for first in range(0, len(lines), BLOCK):
                yield lines[first : first + BLOCK]

    def _columns(self, part: ChunkPart, rows: NDArray[np.int64]) -> list[str | None]:
        first, last = int(rows[0]), int(rows[-1])
        is_run = last - first + 1 == len(rows)
        chunk = part.chunk.rows(first, last + 1) if is_run else part.chunk.copied(rows)
        found = summaries(chunk, part.bases.take(rows))
        index = np.flatnonzero(found.info != None)  # noqa: E711 - compares each
        for row, wrong in found.wrong.items():
            found.info[row] = found.info[row] and _with_wrong(found.info[row], wrong)
        lines = np.full(len(rows), None, dtype=object)
        columns = (
            map(_NUMBER_FORM.__mod__, (part.chunk.first + rows[index]).tolist()),
            map(_TIME_FORM.__mod__, self._times(chunk, index)),
            found.source[index].tolist(),
            repeat(_ARROW),
            found.destination[index].tolist(),
            found.protocol[index].tolist(),
            map(str, chunk.original[index].tolist()),
            found.info[index].tolist(),
        )
        lines[index] = list(map(" ".join, zip(*columns, strict=False)))  # the arrow has no end
        written: list[str | None] = lines.tolist()
        return written

    def _times(self, chunk: Chunk, rows: NDArray[np.int64]) -> list[str]:
        times_ns = chunk.timestamp_ns[rows]
        texts = seconds_texts(times_ns - (self._first_ns or 0), _DECIMALS)
        is_untimed = (times_ns == 0) & (chunk.flags[rows] & PacketFlag.TIME_INVALID > 0)
        for index in np.flatnonzero(is_untimed).tolist():
            texts[index] = _NO_TIME
        return texts


def _with_wrong(info: str, wrong: Sequence[str]) -> str:
    return f"{info}{''.join(f' [{words}]' for words in wrong)}"
