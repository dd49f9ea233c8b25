"""The columns of the list of conversations or endpoints: their texts, and what sorts by them.

The analysis sorts: a column has the name of its order (`core.analysis.flows.listing.SORTS`). Where
there is little room the last columns are dropped first, so the most instructive ones are first. To
add a column, write a `FlowColumn` and give it its place in `columns_of`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.analysis.flows.history import BINS
from core.analysis.flows.level import Level
from core.analysis.flows.listing import FlowListing, FlowQuestion
from core.analysis.names.name_table import NO_NAMES, NameTable
from core.wire.model.address_texts import end_text
from core.wire.model.text import safe
from widgets.lines.cells import cut, shorten_address
from widgets.status.line import count_text, si, sparkline

END_CELLS = 24  # for an address; a longer one of IPv6 loses groups from its middle
PROGRAM_CELLS = 32
_LONG_S = 120  # longer times are whole minutes or hours


@dataclass(frozen=True, slots=True)
class FlowColumn:
    """A column of the list. `text` returns the cell of one row; `sort` names the order.

    The first press of the heading sorts in descending order if `largest_first`.
    """

    heading: str
    sort: str
    text: Callable[[FlowListing, int], str]
    at_right: bool = True
    largest_first: bool = True


def columns_of(question: FlowQuestion) -> tuple[FlowColumn, ...]:
    """Return the columns of a listing, those with the ends first."""
    is_tcp = question.level is Level.TCP
    if question.endpoints:
        marks = (RETRANSMITTED, ZERO_WINDOWS, RESETS) if is_tcp else ()
        sides = (SENT, RECEIVED, PACKETS_SENT, PACKETS_RECEIVED)
        return (
            END,
            PACKETS,
            BYTES,
            CONVERSATIONS,
            *sides,
            *marks,
            OVER_TIME,
            RATE,
            DURATION,
            START,
        )
    states = (STATE, RETRANSMITTED, ROUND_TRIP, ZERO_WINDOWS, RESETS) if is_tcp else ()
    sides = (A_TO_B, B_TO_A, PACKETS_A_TO_B, PACKETS_B_TO_A)
    stream = (STREAM,) if is_tcp else ()
    program = (PROGRAM,) if question.programs and question.level.has_ports else ()
    return (
        END_A,
        END_B,
        PACKETS,
        BYTES,
        *program,
        *states,
        OVER_TIME,
        RATE,
        DURATION,
        START,
        *sides,
        *stream,
    )


def side_of(column: FlowColumn) -> str:
    """Return which end of a flow is in a column, ``a`` or ``b``; empty for others."""
    return column.sort if column in (END, END_A, END_B) else ""


def fixed_of(question: FlowQuestion) -> int:
    """Return the number of columns at the left that do not scroll sideways."""
    return 1 if question.endpoints else 2


# -- texts --------------------------------------------------------------------------------------


def duration_text(duration_ns: int) -> str:
    """Return ``340 µs``, ``12.3 ms``, ``4.56 s``, ``12 min``, or ``3.4 h``; 0 is empty."""
    if duration_ns <= 0:
        return ""
    for unit, size, digits in (("µs", 1e3, 0), ("ms", 1e6, 1), ("s", 1e9, 2)):
        if duration_ns < 1000 * size and unit != "s":
            return f"{duration_ns / size:.{digits}f} {unit}"
    seconds = duration_ns / 1e9
    if seconds < _LONG_S:
        return f"{seconds:.2f} s"
    return f"{seconds / 60:.0f} min" if seconds < 60 * _LONG_S else f"{seconds / 3600:.1f} h"


def end_words(listing: FlowListing, row: int, side: str, names: NameTable) -> str:
    """Return an end of a flow with the name of its address, if there is one."""
    address, port = listing.end(row, side)
    name = names.shown(address)
    short = shorten_address(address, END_CELLS) if name == address else cut(name, END_CELLS)
    return end_text(short, port if listing.question.level.has_ports else None)


def _end(side: str) -> Callable[[FlowListing, int], str]:
    def text(listing: FlowListing, row: int) -> str:
        return end_words(listing, row, side, NO_NAMES)

    return text


def _count(heading: str, name: str, sort: str, way: int | None = None) -> FlowColumn:
    return FlowColumn(
        heading, sort, lambda listing, row: count_text(listing.number(name, row, way))
    )


def _start(listing: FlowListing, row: int) -> str:
    start = listing.relative_start_ns(row)
    return "" if start is None else f"{start / 1e9:.3f}"


def _rate(listing: FlowListing, row: int) -> str:
    rate = listing.bit_rate(row)
    return si(rate, "bit/s") if rate else ""


def _over_time(listing: FlowListing, row: int) -> str:
    bars = sparkline(listing.columns["rates"][row][: listing.used].tolist(), BINS)
    return bars.replace("▁", " ") if listing.used > 1 else ""


def _program(listing: FlowListing, row: int) -> str:
    return cut(safe(listing.program(row)), PROGRAM_CELLS)


def _state(listing: FlowListing, row: int) -> str:
    state = listing.state(row)
    return "" if state is None else state.word


END = FlowColumn("Endpoint", "a", _end("a"), at_right=False, largest_first=False)
END_A = FlowColumn("End A", "a", _end("a"), at_right=False, largest_first=False)
END_B = FlowColumn("End B", "b", _end("b"), at_right=False, largest_first=False)
PACKETS = _count("Packets", "packets", "packets")
BYTES = _count("Bytes", "bytes", "bytes")
STATE = FlowColumn("State", "state", _state, at_right=False)
PROGRAM = FlowColumn("Program", "program", _program, at_right=False, largest_first=False)
RETRANSMITTED = _count("Retr", "retransmissions", "retransmissions")
ROUND_TRIP = FlowColumn(
    "RTT", "rtt", lambda listing, row: duration_text(listing.number("initial_rtt_ns", row))
)
ZERO_WINDOWS = _count("ZeroWin", "zero_windows", "zero_windows")
RESETS = _count("Resets", "resets", "resets")
OVER_TIME = FlowColumn("Over time", "rate", _over_time, at_right=False)
RATE = FlowColumn("Rate", "rate", _rate)
DURATION = FlowColumn(
    "Duration", "duration", lambda listing, row: duration_text(listing.duration_ns(row))
)
START = FlowColumn("Start", "start", _start, largest_first=False)
A_TO_B = _count("A→B", "bytes", "bytes_out", 0)
B_TO_A = _count("B→A", "bytes", "bytes_in", 1)
PACKETS_A_TO_B = _count("Pkts A→B", "packets", "packets_out", 0)
PACKETS_B_TO_A = _count("Pkts B→A", "packets", "packets_in", 1)
SENT = _count("Sent", "bytes", "bytes_out", 0)
RECEIVED = _count("Received", "bytes", "bytes_in", 1)
PACKETS_SENT = _count("Pkts sent", "packets", "packets_out", 0)
PACKETS_RECEIVED = _count("Pkts rcvd", "packets", "packets_in", 1)
CONVERSATIONS = _count("Conv", "conversations", "conversations")
STREAM = FlowColumn(
    "Stream", "stream", lambda listing, row: str(listing.number("stream", row)), largest_first=False
)
