"""``rawscope stats``: the statistics of a capture file, as text or as one JSON object.

The file is read chunk by chunk and nothing is kept, so a capture of any size takes the same memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.cli.analysis.stats_text import bins_of, statistics_lines
from app.cli.dump.decoded_packets import PacketDecoder
from app.cli.dump.dump_file import dump_file
from app.cli.dump.selection import Selection
from app.cli.output import (
    CommandError,
    CommandOutput,
    InterruptedCommandError,
    print_message,
)
from core.analysis.analyzer import slow_note
from core.analysis.statistics.hierarchy import Node
from core.analysis.statistics.rate import RateBins, RateCounter, TooManyBinsError
from core.analysis.statistics.statistics import Statistics, StatisticsCounter
from core.decode.batch import Batch, CaptureInterface
from core.decode.capture_statistics import CaptureStatistics
from core.decode.chunk import Chunk
from core.store.frame_detail import seconds_text

MOST_INTERVALS = 1 << 20  # of --interval
TEXT_TALKERS, JSON_TALKERS = 20, 1000
TEXT_BINS, JSON_BINS = 30, 1000
_SECOND_NS = 1_000_000_000


def run_stats(
    files: Sequence[str],
    selection: Selection | None,
    interval_s: float | None,
    *,
    as_json: bool,
) -> int:
    """Print the statistics of capture files, merged by time; return the exit status.

    `interval_s` is the width of the intervals of the rate; None adapts it to the capture.
    """

    def make(
        enough: Callable[[], bool], signal: Callable[[], int | None], _reader: object
    ) -> StatisticsOutput:
        return StatisticsOutput(selection, interval_s, as_json, enough, signal)

    return dump_file(files, make)


class StatisticsOutput:
    """A `PacketOutput` that counts packets and prints the statistics at the end."""

    work = "counted"

    def __init__(
        self,
        selection: Selection | None,
        interval_s: float | None,
        as_json: bool,
        enough: Callable[[], bool],
        signal: Callable[[], int | None],
    ) -> None:
        self.selects = selection is not None
        self.written = 0
        self.passed_over = 0
        self._selection, self._enough, self._signal = selection, enough, signal
        self._interval_s, self._as_json = interval_s, as_json
        self._decoder = PacketDecoder(needs_flows=selection is not None and selection.needs_flows)
        rate = RateCounter()
        if interval_s is not None:
            rate = RateCounter(max(1, round(interval_s * _SECOND_NS)), MOST_INTERVALS)
        self._counter = StatisticsCounter(rate)

    @property
    def done(self) -> bool:
        """True once a signal requests a stop."""
        return self._enough()

    def take(self, frames: Batch | Chunk, interfaces: Sequence[CaptureInterface]) -> None:
        """Count packets. Raise `CommandError` if there are too many intervals."""
        for decoded in self._decoder.decoded(frames, interfaces):
            chunk = decoded.chunk
            if self._selection is not None:
                chunk = chunk.copied(self._selection.rows(decoded.values, self._enough))
            self.written += len(chunk)
            self.passed_over += len(decoded.chunk) - len(chunk)
            try:
                self._counter.add(chunk)
            except TooManyBinsError as error:
                raise CommandError(
                    f"--interval {self._interval_s:g}: the capture has more than "
                    f"{MOST_INTERVALS:,} of these; give a longer one"
                ) from error

    def describe(
        self,
        interfaces: Sequence[CaptureInterface],
        statistics: Mapping[str, CaptureStatistics],
    ) -> None:
        """Do nothing: the statistics are about packets."""

    def idle(self) -> None:
        """Do nothing while no packets arrive."""

    def end(self, *, is_cut: bool = False) -> None:
        """Print the statistics. Raise `InterruptedCommandError` if the user interrupted it."""
        found = self._counter.result(most_talkers=JSON_TALKERS if self._as_json else TEXT_TALKERS)
        rate = found.rate
        if self._interval_s is None:
            rate = rate.at_most(JSON_BINS if self._as_json else TEXT_BINS)
        output = CommandOutput(self._signal)
        if self._as_json:
            output.line(json.dumps(statistics_record(found, rate)))
        else:
            output.lines(list(statistics_lines(found, rate)))
        output.flush()
        if is_cut:
            words = f"only {self.written:,} packet{'s' * (self.written != 1)} counted"
            raise InterruptedCommandError(f"{words}: you interrupted it", self._signal())

    def finish(self) -> None:
        """Report packets that took too long for the filter."""
        if self._selection is not None and self._selection.slow_packets:
            print_message(f"rawscope: -Y: {slow_note(self._selection.slow_packets)}")

    def close(self) -> None:
        """Do nothing: no file is open."""


# -- JSON ----------------------------------------------------------------------------------------


def statistics_record(found: Statistics, rate: RateBins) -> dict[str, Any]:
    """Return everything as one JSON object; times are seconds since the epoch, as in ``dump``."""
    return {
        "packets": found.packets,
        "bytes": found.bytes,
        "first_time": None if found.first_ns is None else seconds_text(found.first_ns),
        "last_time": None if found.last_ns is None else seconds_text(found.last_ns),
        "packets_without_time": found.untimed,
        "hierarchy": _tree(tuple(found.hierarchy.nodes())),
        "lengths": [
            {
                "from": each.first,
                "to": each.last,
                "packets": each.packets,
                "bytes": each.bytes,
                "shortest": each.shortest if each.packets else None,
                "longest": each.longest if each.packets else None,
            }
            for each in found.lengths
        ],
        "addresses": found.addresses,
        "talkers": [
            {
                "field": each.field,
                "address": each.address or None,
                "sent_packets": each.sent_packets,
                "sent_bytes": each.sent_bytes,
                "received_packets": each.received_packets,
                "received_bytes": each.received_bytes,
            }
            for each in found.talkers
        ],
        "rate": {
            "interval_s": rate.width_ns / _SECOND_NS,
            "intervals": [
                {"time": seconds_text(start), "packets": packets, "bytes": size}
                for start, packets, size in bins_of(rate)
            ],
        },
    }


def _tree(nodes: Sequence[Node]) -> list[dict[str, Any]]:
    """Return nodes, which come before those inside them, as nested objects."""
    top: list[dict[str, Any]] = []
    inside: dict[tuple[str, ...], list[dict[str, Any]]] = {(): top}
    for node in nodes:
        inside[node.path] = []
        inside[node.path[:-1]].append(
            {
                "protocol": node.path[-1],
                "packets": node.total.packets,
                "bytes": node.total.bytes,
                "end_packets": node.end.packets,
                "end_bytes": node.end.bytes,
                "inside": inside[node.path],
            }
        )
    return top
