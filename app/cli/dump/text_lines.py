"""The lines of `dump`: one per packet, for the user.

They give the time in seconds since the first packet, cut to microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from app.cli.dump.line_format import ChunkPart
from core.store.captured_packet import CapturedPacket
from core.store.frame_detail import seconds_text
from core.wire.model.dissection import is_timed
from core.wire.model.text import safe
from core.wire.present.summary import Summary, failed_summary, summarize, wrong_checksums
from core.wire.protocol import SequenceBase


class TextLines:
    """One line per packet: number, time, source, destination, protocol, length, Info."""

    shows_relative = True

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
        time = seconds_text(since_ns, 6) if timed else "–"
        ends = f"{summary.source} → {summary.destination}"
        return safe(
            f"{packet.number:>5} {time:>11} {ends} {summary.protocol} "
            f"{packet.original_length} {summary.info}{''.join(f' [{words}]' for words in wrong)}"
        )

    def lines(self, part: ChunkPart) -> Iterator[list[str | None]]:
        """Leave all packets to the packet path."""
        return part.by_packet()
