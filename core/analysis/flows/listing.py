"""A list of conversations or endpoints in an order, for readers on any thread.

`FlowQuestion` says what to list and how; `listing_of` answers it, and `listing_steps` does so in
short steps, between which no packets may be counted. The answer has copies of the columns, sorted,
so counting may continue then.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.analysis.flows.endpoints import end_ids, endpoints_steps
from core.analysis.flows.ends import Ends
from core.analysis.flows.history import TimeScale
from core.analysis.flows.level import Level, address_text
from core.analysis.flows.table import NO_TIME, ConversationTable
from core.analysis.flows.tcp_marks import TcpState, states
from core.wire.model.address_texts import end_text

T = TypeVar("T")
Columns = Mapping[str, NDArray[Any]]
Programs = tuple[tuple[str, ...], NDArray[np.int64]]
Keys = Callable[[Columns], tuple[NDArray[Any], ...]]
Steps = Generator[None, None, T]
"""Work in short steps; its return value is the result."""

TEXTS_PER_STEP = 1 << 11


@dataclass(frozen=True, slots=True)
class FlowQuestion:
    """What to list: conversations, or the `endpoints`, of a level; sorted by a column's `name`.

    `sort` is a name of `SORTS`. If there is `text`, only flows whose texts have all its words.
    With `programs`, conversations tell the programs that own them, if these are known.
    """

    level: Level = Level.TCP
    endpoints: bool = False
    sort: str = "bytes"
    descending: bool = True
    text: str = ""
    programs: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class FlowListing:
    """The answer to a question: immutable columns (n,), in the order of the lines.

    `total` is the number of flows that were counted before the text selected some. The packets and
    bytes of others belong to `evicted` flows, or to those that never had a row. Times count from
    `start_ns`; the bins of ``rates`` are `width_ns` wide and `used` of them have passed. `packets`
    were counted in all.
    """

    question: FlowQuestion = FlowQuestion()
    columns: Columns = field(default_factory=dict)
    total: int = 0
    other_packets: int = 0
    other_bytes: int = 0
    evicted: int = 0
    start_ns: int = 0
    width_ns: int = 1
    used: int = 1
    packets: int = 0
    programs: tuple[str, ...] = ()  # texts; the column ``program`` has their indices, -1 without

    def __len__(self) -> int:
        return len(self.columns["id"]) if self.columns else 0

    def row_of(self, id: int | None) -> int | None:
        """Return the line of a flow; None without one."""
        if id is None or not self.columns:
            return None
        found = np.flatnonzero(self.columns["id"] == id)
        return int(found[0]) if len(found) else None

    def id_of(self, row: int) -> int:
        """Return the identifier of the flow of a line, the same in every count of its packets."""
        return int(self.columns["id"][row])

    def end(self, row: int, side: str = "a") -> tuple[str, int]:
        """Return address and port of end ``a`` or ``b``; port 0 at levels without ports."""
        kind, high, low, port = (
            int(self.columns[f"{side}_{name}"][row]) for name in ("kind", "high", "low", "port")
        )
        return address_text(kind, high, low), port

    def end_text(self, row: int, side: str = "a") -> str:
        """Return an end as text: ``10.0.0.1:443``, ``[::1]:443``, or the address alone."""
        address, port = self.end(row, side)
        return end_text(address, port if self.question.level.has_ports else None)

    def number(self, name: str, row: int, way: int | None = None) -> int:
        """Return a number of a flow; of a column with directions that of one, or their sum."""
        column = self.columns[name]
        if column.ndim == 1:
            return int(column[row])
        return int(column[row].sum() if way is None else column[row, way])

    def state(self, row: int) -> TcpState | None:
        """Return the state of a connection of TCP; None at other levels."""
        if "state" not in self.columns:
            return None
        return TcpState(int(self.columns["state"][row]))

    def program(self, row: int) -> str:
        """Return the programs that own a conversation; empty if they are not known."""
        index = int(self.columns["program"][row]) if "program" in self.columns else -1
        return self.programs[index] if index >= 0 else ""

    def relative_start_ns(self, row: int) -> int | None:
        """Return the time of the first packet of a flow; None if its packets have no time."""
        start = int(self.columns["start_ns"][row])
        return None if start == NO_TIME else start - self.start_ns

    def duration_ns(self, row: int) -> int:
        """Return the time from the first packet to the last; 0 without times."""
        start, stop = (int(self.columns[name][row]) for name in ("start_ns", "stop_ns"))
        return 0 if start == NO_TIME else stop - start

    def bit_rate(self, row: int) -> float:
        """Return bits per second over the duration; 0 without one."""
        return float(bit_rates({name: self.columns[name][row : row + 1] for name in _RATED})[0])


_RATED = ("start_ns", "stop_ns", "bytes")


def result_of(steps: Steps[T]) -> T:
    """Do all steps of some work, and return its result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: T = end.value
            return found


def listing_of(
    question: FlowQuestion,
    table: ConversationTable,
    scale: TimeScale,
    packets: int = 0,
    programs: Programs | None = None,
) -> FlowListing:
    """Return the answer to a question about a table of its level.

    `programs` are the texts of programs, sorted, and the index of each conversation's, or -1.
    """
    return result_of(listing_steps(question, table, scale, packets, programs))


def listing_steps(
    question: FlowQuestion,
    table: ConversationTable,
    scale: TimeScale,
    packets: int = 0,
    programs: Programs | None = None,
) -> Steps[FlowListing]:
    """Return what `listing_of` does, in steps."""
    columns = dict(table.columns)
    has_ports = question.level.has_ports
    if question.endpoints:
        columns = yield from endpoints_steps(columns, has_ports=has_ports)
    elif "seen" in columns:
        columns["state"] = states(columns["seen"])
        columns["id"] = columns["stream"]
    else:
        a, b = (end_ids(columns, side, has_ports=has_ports) for side in "ab")
        columns["id"] = a + b
    texts: tuple[str, ...] = ()
    if programs is not None and not question.endpoints:
        texts, columns["program"] = programs
    yield
    total = len(columns["id"])
    order = yield from _sorted(columns, question)
    if question.text:
        matching = yield from _matching(columns, question, texts)
        order = order[matching[order]]
    listed = {}
    for name, column in columns.items():
        listed[name] = column[order]
        yield
    return FlowListing(
        question,
        listed,
        total,
        table.other_packets,
        table.other_bytes,
        table.evicted,
        scale.start_ns or 0,
        scale.width_ns,
        scale.used,
        packets,
        texts,
    )


# -- order ------------------------------------------------------------------------------------


def _both_ways(name: str) -> Keys:
    return lambda columns: (columns[name].sum(axis=1) if name in columns else columns["id"],)


def _one_way(name: str, way: int) -> Keys:
    return lambda columns: (columns[name][:, way],)


def _plain(name: str) -> Keys:
    return lambda columns: (columns.get(name, columns["id"]),)


def _end(side: str) -> Keys:
    def keys(columns: Columns) -> tuple[NDArray[Any], ...]:
        names = [f"{side}_{name}" for name in ("port", "low", "high", "kind")]
        return tuple(columns[name] for name in names if name in columns) or (columns["id"],)

    return keys


def durations(columns: Columns) -> NDArray[np.int64]:
    """Return the time of each flow from its first packet to its last, (n,) nanoseconds."""
    has_time = columns["start_ns"] != NO_TIME
    return np.where(has_time, columns["stop_ns"] - np.where(has_time, columns["start_ns"], 0), 0)


def bit_rates(columns: Columns) -> NDArray[np.float64]:
    """Return bits per second of each flow over its duration, (n,); 0 for those that have none."""
    seconds = durations(columns) / 1e9
    bits = columns["bytes"].sum(axis=1) * 8.0
    found: NDArray[np.float64] = np.zeros(len(bits))
    np.divide(bits, seconds, out=found, where=seconds > 0)
    return found


SORTS: Mapping[str, Keys] = {
    "a": _end("a"),
    "b": _end("b"),
    "packets": _both_ways("packets"),
    "bytes": _both_ways("bytes"),
    "packets_out": _one_way("packets", 0),
    "bytes_out": _one_way("bytes", 0),
    "packets_in": _one_way("packets", 1),
    "bytes_in": _one_way("bytes", 1),
    "start": _plain("start_ns"),
    "duration": lambda columns: (durations(columns),),
    "rate": lambda columns: (bit_rates(columns),),
    "rtt": _plain("initial_rtt_ns"),
    "retransmissions": _both_ways("retransmissions"),
    "zero_windows": _both_ways("zero_windows"),
    "resets": _both_ways("resets"),
    "state": _plain("state"),
    "conversations": _plain("conversations"),
    "stream": _plain("stream"),
    "program": _plain("program"),
}
"""The sort keys of the columns, the last one the most significant, by name."""


def _sorted(columns: Columns, question: FlowQuestion) -> Steps[NDArray[np.int64]]:
    """Return the rows sorted; equal ones in the order of their first packets.

    Each key is sorted in a step: the last one is the most significant.
    """
    backward = slice(None, None, -1)
    order = np.argsort(columns["first_packet"], kind="stable")
    yield
    if question.descending:  # a stable sort of the reversed rows, reversed
        order = order[backward]
    for key in SORTS[question.sort](columns):
        order = order[np.argsort(key[order], kind="stable")]
        yield
    return order[backward] if question.descending else order


def _matching(
    columns: Columns, question: FlowQuestion, programs: tuple[str, ...]
) -> Steps[NDArray[np.bool_]]:
    """Return a mask (n,) of the flows whose texts have all words of the question."""
    sides = []
    for side in ("a", "b"):
        if f"{side}_kind" in columns:
            side_texts = yield from _side_texts(columns, side, has_ports=question.level.has_ports)
            sides.append(side_texts)
    state = columns.get("state")
    found = np.ones(len(columns["id"]), np.bool_)
    for word in question.text.casefold().split():
        has_word = np.zeros(len(found), np.bool_)
        for texts, index in sides:
            has_word |= np.array([word in text for text in texts], np.bool_)[index]
            yield
        if programs:
            found_in = [word in text.casefold() for text in programs]
            has_word |= np.array([*found_in, False])[columns["program"]]  # the last one: -1
        if state is not None:
            has_word |= np.array([word in each.word for each in TcpState])[state]
        found &= has_word
    return found


def _side_texts(
    columns: Columns, side: str, *, has_ports: bool
) -> Steps[tuple[list[str], NDArray[np.int64]]]:
    """Return the different texts of the ends of one side, and the index of each end's (n,)."""
    names = [f"{side}_{name}" for name in Ends.__slots__]
    ids = end_ids(columns, side, has_ports=has_ports)
    _, first, index = np.unique(ids, return_index=True, return_inverse=True)
    yield
    texts: list[str] = []
    for start in range(0, len(first), TEXTS_PER_STEP):
        part = first[start : start + TEXTS_PER_STEP]
        rows = zip(*(columns[name][part].tolist() for name in names), strict=True)
        texts += [
            end_text(address_text(kind, high, low), port if has_ports else None)
            for kind, high, low, port in rows
        ]
        yield
    return texts, index
