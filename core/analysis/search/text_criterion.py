"""Search for a text, in the bytes of packets and in their rows of the table.

The bytes of many packets are searched at once (about 1 GB/s), and before the first packet whose
bytes contain the text, the rows: so the nearest match is found, whichever kind it is. Columns write
the rows of most packets (`core.decode.summaries`, about 4 µs each); the others are dissected (about
50 µs).
"""

from __future__ import annotations

from core.analysis.search.criteria import Answer, ByteCriterion, Rows, first_of
from core.analysis.sequences import NO_SEQUENCES, SequenceReader, Sequences
from core.decode.chunk import Chunk
from core.decode.summaries import summaries
from core.store.budget import Budget
from core.store.snapshot import Snapshot
from core.wire.model.field import Span
from core.wire.present.summary import summarize

BLOCK = 2048  # rows that columns write at once
_GAP = "\0"  # between the texts of a row: no match crosses it


class RowTexts:
    """Writes the texts of packets as their rows show them: addresses, protocol, and Info.

    `sequences` makes TCP numbers relative, as far as they are known.
    """

    def __init__(self, sequences: Sequences = NO_SEQUENCES) -> None:
        self._sequences = sequences
        self._bases = SequenceReader()

    def by_columns(self, chunk: Chunk, rows: Rows) -> list[str | None]:
        """Return the text of each of some rows, ascending; None where columns have no text."""
        try:
            return self._by_columns(chunk, rows)
        except Exception:  # internal; each packet is dissected instead
            return [None] * len(rows)

    def _by_columns(self, chunk: Chunk, rows: Rows) -> list[str | None]:
        first, last = int(rows[0]), int(rows[-1])
        part = chunk.rows(first, last + 1)
        bases = self._sequences.columns(part)
        if len(rows) < len(part):
            part, bases = part.copied(rows - first), bases.take(rows - first)
        found = summaries(part, bases)
        parts = zip(found.source, found.destination, found.protocol, found.info, strict=True)
        return [None if each[-1] is None else _GAP.join(each) for each in parts]

    def of_packet(self, snapshot: Snapshot, chunk: Chunk, row: int) -> str:
        """Return the text of one row; empty if rawscope fails to describe its packet."""
        try:
            dissection = chunk.dissect(row)
            base = None
            if dissection.layer("tcp") is not None:
                base = self._bases.base(self._sequences, snapshot, chunk.first + row)
            summary = summarize(dissection, base)
        except Exception:  # internal; the table reports it when it shows the packet
            return ""
        return _GAP.join((summary.source, summary.destination, summary.protocol, summary.info))


class TextCriterion:
    """The packets whose bytes or row contain a text.

    In bytes, the text is in UTF-8; with `ignores_case`, ASCII letters match there in both cases,
    and in rows all letters do.
    """

    most_rows = 4096  # about as many as one slice of the analysis thread has time for

    def __init__(
        self, text: str, *, ignores_case: bool = True, sequences: Sequences = NO_SEQUENCES
    ) -> None:
        self._bytes = ByteCriterion(text.encode(), ignores_case=ignores_case)
        self._rows = RowTexts(sequences)
        self._ignores_case = ignores_case
        self._text = text.casefold() if ignores_case else text

    def find(self, snapshot: Snapshot, chunk: Chunk, rows: Rows, budget: Budget) -> Answer:
        """Search the bytes of all rows, then the texts of those before the first match."""
        in_bytes = first_of(self._bytes.mask(chunk, rows), rows)
        before = in_bytes.checked - (in_bytes.row is not None)
        for start in range(0, before, BLOCK):
            answer = self._find_in_rows(
                snapshot, chunk, rows[start : min(start + BLOCK, before)], budget
            )
            checked = start + answer.checked
            if answer.row is not None or (budget.is_spent and checked < len(rows)):
                return Answer(answer.row, checked)
        return in_bytes

    def _find_in_rows(self, snapshot: Snapshot, chunk: Chunk, rows: Rows, budget: Budget) -> Answer:
        step = -1 if rows[0] > rows[-1] else 1
        texts = self._rows.by_columns(chunk, rows[::step])[::step]
        for checked, (row, text) in enumerate(zip(rows.tolist(), texts, strict=True), 1):
            if text is not None:
                if self._is_in(text):
                    return Answer(row, checked)
            elif self._is_in(self._rows.of_packet(snapshot, chunk, row)):
                return Answer(row, checked)
            elif budget.is_spent:
                return Answer(None, checked)
        return Answer(None, len(rows))

    def span_in(self, data: bytes) -> Span | None:
        """Return the first place of the text in the bytes; None if only the row has it."""
        return self._bytes.span_in(data)

    def _is_in(self, text: str) -> bool:
        return self._text in (text.casefold() if self._ignores_case else text)
