"""The values of chosen fields in many packets, as text: what fills a column of ``--fields``.

Most fields are read from whole columns (`core.analysis.filter.values.record_values`). A few
describe a packet as a whole, and need its dissection: the headline of a header (``tcp``), why
dissection ended early, the correct value of a wrong checksum, and the columns of the packet table
(``_ws.col.info``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.cli.dump.line_format import ChunkPart
from app.cli.dump.value_texts import dates, texts_of
from app.cli.field_names import CALCULATED
from core.analysis.filter.fields.packet_fields import CAUSES, COLUMNS, DIRECTIONS
from core.analysis.filter.fields.wireshark_types import VERDICT_NUMBERS
from core.analysis.filter.types import FilterType, Spans
from core.analysis.filter.values.record_values import RecordValues, record_type
from core.decode.summaries import Summaries, summaries
from core.store.frame_detail import frame_headline
from core.wire.application.payload_info import APPLICATIONS, READERS
from core.wire.model.dissection import Dissection, Verdict
from core.wire.present.detail import titled
from core.wire.present.record import STACKED, record
from core.wire.present.summary import summarize
from core.wire.registry import PROTOCOLS

Rows = NDArray[np.int64]

_PROTOCOL_NAMES = frozenset(protocol.name for protocol in PROTOCOLS)
_WORDS: Mapping[str, Mapping[int, str]] = {
    "frame.direction": DIRECTIONS,
    "frame.stop.cause": CAUSES,
}
_VERDICTS = {number: verdict.word for verdict, number in VERDICT_NUMBERS.items()}
_BAD = VERDICT_NUMBERS[Verdict.BAD]


class Quoting(Enum):
    """The form of a text in JSON."""

    BARE = "bare"  # numbers, true, false, objects
    QUOTED = "quoted"  # ASCII without quotes or backslashes inside
    ESCAPED = "escaped"  # any text


@dataclass(frozen=True, slots=True)
class Cells:
    """Values of a field as text: ``rows`` (k,) ascending, as in `Occurrences`, and their texts.

    JSON has the values of a packet as a list if there are several, or if `is_list`.
    """

    rows: Rows
    texts: list[str]
    quoting: Quoting
    is_list: bool = False


class PartValues:
    """The packets of a part of a chunk, whose fields are read."""

    def __init__(self, part: ChunkPart) -> None:
        self.part = part

    @cached_property
    def records(self) -> RecordValues:
        """The values by columns, of all packets of the chunk."""
        return RecordValues(self.part.chunk, self.part.context)

    @cached_property
    def summaries(self) -> Summaries:
        """The rows of the packet table of the packets that are printed."""
        part = self.part
        if len(part.rows) == len(part.chunk):
            return summaries(part.chunk, part.bases)
        return summaries(part.chunk.copied(part.rows), part.bases.take(part.rows))

    def chosen(self, rows: Rows) -> Rows:
        """Return those of `rows` that are to be printed."""
        return np.intersect1d(rows, self.part.rows, assume_unique=False)


CellReader = Callable[[PartValues], Cells]


def cell_reader(name: str) -> CellReader:
    """Return the function that reads a field. Raises `KeyError` for an unknown name."""
    if name in COLUMNS:
        return _of_summary(name)
    if name in _PROTOCOL_NAMES:
        return _headlines(name)
    if name in APPLICATIONS:
        return _messages(name)
    if name == "frame":
        return _frames
    if name == "frame.raw":
        return _captured_bytes
    if name == "frame.stop":
        return _stops
    if name == "frame.fault":
        return _nothing
    if name.endswith(CALCULATED):
        return _calculated(name)
    if name in ("frame.time", "frame.time_utc"):
        return _dates(name)
    if name in _WORDS or name.endswith(".checksum.status"):
        return _words(name, _WORDS.get(name, _VERDICTS))
    return _column(name)


def _column(name: str) -> CellReader:
    kind = record_type(name)
    quoting = Quoting.QUOTED
    if kind is FilterType.STRING:
        quoting = Quoting.ESCAPED
    elif kind.is_integer or kind is FilterType.BOOLEAN:
        quoting = Quoting.BARE
    is_list = name.partition(".")[0] in STACKED

    def read(values: PartValues) -> Cells:
        found = values.records.occurrences(name)
        return Cells(found.rows, texts_of(found.values, kind), quoting, is_list)

    return read


def _words(name: str, words: Mapping[int, str]) -> CellReader:
    def read(values: PartValues) -> Cells:
        found = values.records.occurrences(name)
        assert not isinstance(found.values, Spans)
        texts = list(map(words.__getitem__, found.values.tolist()))
        return Cells(found.rows, texts, Quoting.QUOTED)

    return read


def _messages(name: str) -> CellReader:
    """Return a reader of the line about the message of an application."""
    ((_, reader), *_) = APPLICATIONS[name]  # all readers of one name write the same line
    describe = READERS[reader].describe

    def read(values: PartValues) -> Cells:
        found = values.records.occurrences(name)
        assert isinstance(found.values, Spans)
        data = found.values.data
        spans = zip(found.values.starts.tolist(), found.values.ends.tolist(), strict=True)
        texts = [describe(data[start:end].tobytes()) or "" for start, end in spans]
        return Cells(found.rows, texts, Quoting.ESCAPED)

    return read


def _dates(name: str) -> CellReader:
    def read(values: PartValues) -> Cells:
        found = values.records.occurrences(name)
        assert not isinstance(found.values, Spans)
        return Cells(found.rows, dates(found.values, utc=name.endswith("utc")), Quoting.QUOTED)

    return read


def _captured_bytes(values: PartValues) -> Cells:
    found = values.records.occurrences("frame")
    return Cells(found.rows, texts_of(found.values, FilterType.BYTES), Quoting.QUOTED)


def _frames(values: PartValues) -> Cells:
    chunk = values.part.chunk
    rows = values.part.rows
    lengths = chunk.original[rows].tolist()
    texts = [
        frame_headline(chunk.first + row, length)
        for row, length in zip(rows.tolist(), lengths, strict=True)
    ]
    return Cells(rows, texts, Quoting.QUOTED)


def _nothing(values: PartValues) -> Cells:
    return Cells(np.zeros(0, np.int64), [], Quoting.ESCAPED)


# -- fields that need a dissection ------------------------------------------------


def _each(
    values: PartValues,
    rows: Rows,
    text_of: Callable[[Dissection], str | None],
    quoting: Quoting,
) -> Cells:
    """Return a text of each of some packets, which are dissected; None for those without one."""
    part, found, texts = values.part, [], []
    for row in values.chosen(rows).tolist():
        text = text_of(part.chunk.dissect(row))
        if text is not None:
            found.append(row)
            texts.append(text)
    return Cells(np.array(found, np.int64), texts, quoting)


def _headlines(name: str) -> CellReader:
    """Return a reader of the line of the detail tree for a protocol's outermost header."""

    def text_of(dissection: Dissection) -> str | None:
        for layer in dissection.layers:
            if layer.name == name and layer.depth <= 1 and not layer.quoted:
                return titled(layer, dissection.data)
        return None

    def read(values: PartValues) -> Cells:
        rows = values.records.occurrences(name).rows
        return _each(values, rows, text_of, Quoting.ESCAPED)

    return read


def _of_summary(name: str) -> CellReader:
    attribute = COLUMNS[name]

    def read(values: PartValues) -> Cells:
        part, texts = values.part, getattr(values.summaries, attribute).tolist()
        for index, text in enumerate(texts):
            if text is None:
                row = int(part.rows[index])
                summary = summarize(part.chunk.dissect(row), part.bases.of(row))
                texts[index] = getattr(summary, attribute)
        return Cells(part.rows, texts, Quoting.ESCAPED)

    return read


def _stops(values: PartValues) -> Cells:
    rows = values.records.occurrences("frame.stop.cause").rows
    return _each(values, rows, lambda each: _json(record(each).get("frame.stop")), Quoting.BARE)


def _calculated(name: str) -> CellReader:
    status = f"{name.removesuffix(CALCULATED)}.status"

    def read(values: PartValues) -> Cells:
        found = values.records.occurrences(status)
        rows = found.rows[np.asarray(found.values) == _BAD]
        return _each(values, rows, lambda each: _json(record(each).get(name)), Quoting.BARE)

    return read


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, separators=(",", ":"))
