"""The lines of ``dump --fields``: chosen fields, separated by tabs, or as JSON objects.

A whole column of text is made for each field, and the columns are joined to lines. If reading a
column fails because of an internal error, the packets are read one at a time, so that only the
packet at fault gets a line that reports it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from json.encoder import encode_basestring_ascii

import numpy as np
from numpy.typing import NDArray

from app.cli.dump.field_cells import Cells, PartValues, Quoting, cell_reader
from app.cli.dump.json_lines import encode, failed_record
from app.cli.dump.line_format import ChunkPart, UnknownFieldError
from app.cli.field_names import known_names, suggestions
from core.analysis.filter.values.chunk_values import ChunkValues
from core.analysis.filter.values.flow_values import NEED_FLOWS
from core.analysis.filter.values.frame_values import CaptureContext
from core.analysis.programs.fields import PROGRAM_FIELDS
from core.decode.batch_decoder import decode_batch
from core.store.captured_packet import CapturedPacket, batch_of_packet
from core.wire.model.text import safe
from core.wire.protocol import SequenceBase, SequenceBases

_MOST_CELLS = 1 << 18  # texts in memory at once
_MOST_ROWS = 1 << 13


class FieldLines:
    """The values of some fields, as JSON has them. Raise `UnknownFieldError`.

    A line has them separated by tabs and without quotes; commas separate the values of a field
    that the packet has several times, and a field that it does not have is empty. With `as_json`,
    a line is an object with those that the packet has.
    """

    def __init__(self, names: Sequence[str], *, as_json: bool = False) -> None:
        known = known_names()
        for name in names:
            if name not in known:
                raise UnknownFieldError(f"no field is named '{name}'{suggestions(name)}")
        self._names = tuple(names)
        self._readers = [cell_reader(name) for name in names]
        self._as_json = as_json
        self.needs_flows = not NEED_FLOWS.isdisjoint(names)
        self.needs_programs = not PROGRAM_FIELDS.keys().isdisjoint(names)

    def __call__(self, packet: CapturedPacket, base: SequenceBase | None = None) -> str:
        link_types = np.array([packet.link_type], np.int32)
        chunk = decode_batch(
            batch_of_packet(packet), link_types, packet.number, packet.decode_rules
        )
        context = CaptureContext([packet.interface])
        bases = SequenceBases.unknown(1) if base is None else SequenceBases.only(base)
        part = ChunkPart(chunk, context, ChunkValues(chunk, context), np.arange(1), bases)
        return self._texts(part)[0]

    def lines(self, part: ChunkPart) -> Iterator[list[str | None]]:
        """Yield the lines, made of whole columns."""
        size = max(1, min(_MOST_ROWS, _MOST_CELLS // len(self._names)))
        for each in part.slices(size):
            try:
                yield [*self._texts(each)]
            except Exception:  # internal: find the packet at fault
                yield list(self._one_by_one(each))

    def begin(self, timestamp_ns: int | None) -> None:
        """Ignore it: the fields say themselves which time they are relative to."""

    def failed(self, packet: CapturedPacket, words: str) -> str:
        """Return the fields of the frame itself; those of the packet stay empty."""
        values = failed_record(packet, words, raw=True)
        if self._as_json:
            return encode({name: values[name] for name in self._names if name in values})
        return "\t".join(safe(str(values.get(name, ""))) for name in self._names)

    def _one_by_one(self, part: ChunkPart) -> Iterator[str | None]:
        """Yield the line of each packet, or None if it cannot be described."""
        for each in part.slices(1):
            try:
                yield from self._texts(each)
            except Exception:  # the packet path fails again, and reports it
                yield None

    def _texts(self, part: ChunkPart) -> list[str]:
        values = PartValues(part)
        columns = (self._column(index, values) for index in range(len(self._names)))
        if not self._as_json:
            return list(map("\t".join, zip(*columns, strict=True)))
        rows = zip(*columns, strict=True)
        return [f"{{{','.join(filter(None, row))}}}" for row in rows]

    def _column(self, index: int, values: PartValues) -> list[str]:
        """Return the text of a field in each packet that is printed."""
        cells = self._readers[index](values)
        if self._as_json:
            cells = replace(cells, texts=_quoted(cells))
            column = _by_packet(cells, len(values.part.chunk), is_json=True)
            key = f'"{self._names[index]}":'
            column = [key + text if text else "" for text in column]
        else:
            if cells.quoting is Quoting.ESCAPED:
                cells = replace(cells, texts=list(map(safe, cells.texts)))
            column = _by_packet(cells, len(values.part.chunk), is_json=False)
        rows = values.part.rows
        if len(rows) == len(column):
            return column
        return list(map(column.__getitem__, rows.tolist()))


def _quoted(cells: Cells) -> list[str]:
    match cells.quoting:
        case Quoting.BARE:
            return cells.texts
        case Quoting.QUOTED:
            return [f'"{text}"' for text in cells.texts]
    return list(map(encode_basestring_ascii, cells.texts))


def _by_packet(cells: Cells, count: int, *, is_json: bool) -> list[str]:
    """Return the text of each of `count` packets: all its values, or an empty string."""
    rows, texts = cells.rows, cells.texts
    is_first = np.ones(len(rows), np.bool_)
    is_first[1:] = rows[1:] != rows[:-1]
    starts = np.flatnonzero(is_first)
    is_list = is_json and cells.is_list
    if len(starts) < len(rows) or is_list:
        rows = rows[starts]
        groups = _groups(texts, starts)
        if is_json:
            has_several = np.diff(np.append(starts, len(texts))) > 1
            brackets = (has_several | is_list).tolist()
            pairs = zip(groups, brackets, strict=True)
            texts = [f"[{text}]" if is_inside else text for text, is_inside in pairs]
        else:
            texts = groups
    if len(rows) == count:
        return texts
    column = np.full(count, "", dtype=object)
    column[rows] = texts
    found: list[str] = column.tolist()
    return found


def _groups(texts: list[str], starts: NDArray[np.int64]) -> list[str]:
    """Return the texts of each packet, which begin at `starts`, separated by commas."""
    each = len(texts) // max(1, len(starts))
    if np.array_equal(starts, np.arange(0, len(texts), max(1, each))):  # as many in each packet
        return list(map(",".join, zip(*(texts[at::each] for at in range(each)), strict=True)))
    ends = [*starts[1:].tolist(), len(texts)]
    pairs = zip(starts.tolist(), ends, strict=True)
    return [",".join(texts[start:end]) for start, end in pairs]
