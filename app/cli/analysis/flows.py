"""``rawscope flows``: list the conversations or the endpoints of a capture file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from app.cli.dump.decoded_packets import PacketDecoder
from app.cli.dump.dump_file import dump_file
from app.cli.dump.selection import Selection
from app.cli.output import CommandOutput, InterruptedCommandError, print_message
from core.analysis.analyzer import slow_note
from core.analysis.flows.conversations import PART, FlowCounter
from core.analysis.flows.level import Level
from core.analysis.flows.listing import FlowListing, FlowQuestion, listing_of
from core.analysis.flows.record import flow_record
from core.analysis.flows.table import MOST_FLOWS
from core.decode.batch import Batch, CaptureInterface
from core.decode.capture_statistics import CaptureStatistics
from core.decode.chunk import Chunk
from core.store.frame_detail import seconds_text


def run_flows(
    files: Sequence[str],
    selection: Selection | None,
    levels: Sequence[str],
    *,
    endpoints: bool,
    as_json: bool,
) -> int:
    """Count the packets of files and print the flows of some levels; return the exit status."""
    questions = [
        FlowQuestion(level, endpoints, sort="bytes") for level in Level if level.value in levels
    ]
    lines = json_lines if as_json else text_lines

    def make(
        enough: Callable[[], bool], signal: Callable[[], int | None], _reader: object
    ) -> FlowsOutput:
        return FlowsOutput(selection, questions, lines, enough, signal)

    return dump_file(files, make)


class FlowsOutput:
    """A `PacketOutput` that counts packets, and prints the flows after the last one."""

    work = "counted"

    def __init__(
        self,
        selection: Selection | None,
        questions: Sequence[FlowQuestion],
        lines: Callable[[FlowListing, int | None], Iterator[str]],
        enough: Callable[[], bool] = lambda: False,
        signal: Callable[[], int | None] = lambda: None,
    ) -> None:
        self.passed_over = 0
        self.selects = selection is not None
        self._selection, self._questions, self._lines = selection, questions, lines
        self._enough, self._signal = enough, signal
        self._output = CommandOutput(signal)
        self._decoder = PacketDecoder(needs_flows=True)
        self._counter = FlowCounter()

    @property
    def written(self) -> int:
        """The packets that were counted."""
        return self._counter.packets

    @property
    def done(self) -> bool:
        """True once no more packets are wanted."""
        return self._enough()

    def take(self, frames: Batch | Chunk, interfaces: Sequence[CaptureInterface]) -> None:
        """Count the packets that pass."""
        for decoded in self._decoder.decoded(frames, interfaces):
            chunk = decoded.chunk
            wanted = None
            if self._selection is not None:
                wanted = np.zeros(len(chunk), np.bool_)
                wanted[self._selection.rows(decoded.values, self._enough)] = True
                self.passed_over += len(chunk) - int(np.count_nonzero(wanted))
            for start in range(0, len(chunk), PART):
                part = slice(start, min(start + PART, len(chunk)))
                self._counter.add(
                    chunk.rows(part.start, part.stop),
                    decoded.context.flows.reaching(chunk.last),
                    None if wanted is None else wanted[part],
                )

    def describe(
        self,
        interfaces: Sequence[CaptureInterface],
        statistics: Mapping[str, CaptureStatistics],
    ) -> None:
        """Ignore what is known of the interfaces."""

    def idle(self) -> None:
        """Do nothing: all lines come at the end."""

    def end(self, *, is_cut: bool = False) -> None:
        """Print the flows, also those of the packets before an interrupt."""
        counter = self._counter
        for question in self._questions:
            table = counter.tables[question.level]
            listing = listing_of(question, table, counter.scale, counter.packets)
            self._output.lines(list(self._lines(listing, self._output.columns)))
            if listing.other_packets:
                print_message(
                    f"rawscope: {question.level.label}: {listing.other_packets:,} packets of "
                    f"conversations that were idle for longest are not listed; at most "
                    f"{MOST_FLOWS:,} conversations are"
                )
        self._output.flush()
        if is_cut:
            words = f"only {self.written:,} packet{'s' * (self.written != 1)} counted"
            raise InterruptedCommandError(f"{words}: you interrupted it", self._signal())

    def finish(self) -> None:
        """Report packets that took too long for the filter."""
        if self._selection is not None and self._selection.slow_packets:
            print_message(f"rawscope: -Y: {slow_note(self._selection.slow_packets)}")

    def close(self) -> None:
        """Do nothing: all lines are written."""


# -- JSON ---------------------------------------------------------------------------------------


def json_lines(listing: FlowListing, _width: int | None = None) -> Iterator[str]:
    """Yield one JSON object for each flow."""
    for row in range(len(listing)):
        yield json.dumps(flow_record(listing, row))


# -- text ---------------------------------------------------------------------------------------

Cell = Callable[[FlowListing, int], str]


def _count(name: str, way: int | None = None) -> Cell:
    return lambda listing, row: str(listing.number(name, row, way))


def _each_direction(name: str) -> Cell:
    """Return a cell such as ``0/12``: sent by A (or the endpoint), and by the other side.

    It is ``0`` if both are 0.
    """

    def text(listing: FlowListing, row: int) -> str:
        counts = [listing.number(name, row, way) for way in (0, 1)]
        return "/".join(map(str, counts)) if any(counts) else "0"

    return text


def _end(side: str) -> Cell:
    return lambda listing, row: listing.end_text(row, side)


def _start(listing: FlowListing, row: int) -> str:
    start = listing.relative_start_ns(row)
    return "-" if start is None else seconds_text(start)


def _round_trip(listing: FlowListing, row: int) -> str:
    rtt = listing.number("initial_rtt_ns", row)
    return f"{rtt / 1e6:.3f} ms" if rtt >= 0 else "-"


def _columns(question: FlowQuestion) -> dict[str, Cell]:
    """Return the columns of a table by heading; the first ones hold ends, at the left."""
    out, back = ("SENT", "RECEIVED") if question.endpoints else ("A→B", "B→A")
    columns: dict[str, Cell] = {}
    if question.endpoints:
        columns["ENDPOINT"] = _end("a")
    else:
        columns |= {"END A": _end("a"), "END B": _end("b")}
    columns |= {"PACKETS": _count("packets"), "BYTES": _count("bytes")}
    for way, word in enumerate((out, back)):
        columns[f"PACKETS {word}"] = _count("packets", way)
        columns[f"BYTES {word}"] = _count("bytes", way)
    columns["START"] = _start
    columns["DURATION"] = lambda listing, row: seconds_text(listing.duration_ns(row))
    columns["BITS/S"] = lambda listing, row: str(round(listing.bit_rate(row)))
    if question.endpoints:
        columns["CONVERSATIONS"] = _count("conversations")
    if question.level is Level.TCP:
        if not question.endpoints:
            columns["RTT"] = _round_trip
        columns["RETRANSMITTED"] = _each_direction("retransmissions")
        columns["ZERO WINDOWS"] = _each_direction("zero_windows")
        columns["RESETS"] = _each_direction("resets")
        if not question.endpoints:
            columns["STREAM"] = _count("stream")
            columns["STATE"] = lambda listing, row: getattr(listing.state(row), "word", "")
    return columns


_LEFT_OUT_FIRST = (
    "STREAM", "BITS/S", "PACKETS A→B", "PACKETS B→A", "PACKETS SENT", "PACKETS RECEIVED",
    "ZERO WINDOWS", "RTT", "START", "RESETS", "BYTES A→B", "BYTES B→A", "BYTES SENT",
    "BYTES RECEIVED", "RETRANSMITTED", "CONVERSATIONS", "DURATION", "STATE", "PACKETS",
)  # fmt: skip
"""The columns that a narrow terminal lacks: the first one first."""


def text_lines(listing: FlowListing, width: int | None = None) -> Iterator[str]:
    """Yield a heading with the number of flows, and a table of them, if there are any.

    In `width` cells, columns that do not fit are left out, and named in the heading. A pipe or a
    file (None) gets all of them.
    """
    question = listing.question
    kind = "endpoint" if question.endpoints else "conversation"
    plural = "s" * (len(listing) != 1)
    title = f"{question.level.label}: {len(listing):,} {kind}{plural}"
    if not len(listing):
        yield title
        return
    table = {
        heading: [heading, *(cell(listing, row) for row in range(len(listing)))]
        for heading, cell in _columns(question).items()
    }
    widths = {heading: max(map(len, texts)) for heading, texts in table.items()}
    left_out = _left_out(widths, width)
    for heading in left_out:
        del table[heading]
    yield f"{title}; too narrow for {', '.join(left_out)}" if left_out else title
    ends = 1 if question.endpoints else 2
    for row in range(len(listing) + 1):
        cells = [
            texts[row].ljust(widths[name]) if index < ends else texts[row].rjust(widths[name])
            for index, (name, texts) in enumerate(table.items())
        ]
        yield "  ".join(cells).rstrip()
    yield ""


def _left_out(widths: Mapping[str, int], most: int | None) -> list[str]:
    """Return the headings of the columns for which `most` cells are too few."""
    room = sum(width + 2 for width in widths.values()) - 2
    found: list[str] = []
    for heading in _LEFT_OUT_FIRST:
        if most is None or room <= most:
            break
        if heading in widths:
            room -= widths[heading] + 2
            found.append(heading)
    return found
