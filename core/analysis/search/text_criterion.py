"""Search for a text, in the bytes of packets and in their rows of the table.

The bytes of many packets are searched at once (about 1 GB/s), but the row of a packet is only known
after its dissection (about 50 µs). So the rows of a few packets are searched at a time, and only of
those before the first one whose bytes contain the text: the nearest match is found soon, whichever
kind it is.
"""

from __future__ import annotations

from core.analysis.search.criteria import Answer, ByteCriterion, Rows, first_of
from core.analysis.sequences import NO_SEQUENCES, SequenceReader, Sequences
from core.decode.chunk import Chunk
from core.store.budget import Budget
from core.store.snapshot import Snapshot
from core.wire.model.field import Span
from core.wire.present.summary import summarize


class RowTexts:
    """Writes the texts of packets as their rows show them: addresses, protocol, and Info.

    `sequences` makes TCP numbers relative, as far as they are known.
    """

    def __init__(self, sequences: Sequences = NO_SEQUENCES) -> None:
        self._sequences = sequences
        self._bases = SequenceReader()

    def texts(self, snapshot: Snapshot, chunk: Chunk, row: int) -> tuple[str, ...]:
        """Return the texts of one packet; none if rawscope fails to describe it."""
        try:
            dissection = chunk.dissect(row)
            base = None
            if dissection.layer("tcp") is not None:
                base = self._bases.base(self._sequences, snapshot, chunk.first + row)
            summary = summarize(dissection, base)
        except Exception:  # internal; the table reports it when it shows the packet
            return ()
        return summary.source, summary.destination, summary.protocol, summary.info


class TextCriterion:
    """The packets whose bytes or row contain a text.

    In bytes, the text is in UTF-8; with `ignores_case`, ASCII letters match there in both cases,
    and in rows all letters do.
    """

    most_rows = 1024  # whose bytes are searched again when the budget ends between them

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
        for checked, row in enumerate(rows[:before].tolist(), 1):
            if self._is_in_row(snapshot, chunk, row):
                return Answer(row, checked)
            if budget.is_spent:
                return Answer(None, checked)
        return in_bytes

    def span_in(self, data: bytes) -> Span | None:
        """Return the first place of the text in the bytes; None if only the row has it."""
        return self._bytes.span_in(data)

    def _is_in_row(self, snapshot: Snapshot, chunk: Chunk, row: int) -> bool:
        texts = self._rows.texts(snapshot, chunk, row)
        if self._ignores_case:
            return any(self._text in text.casefold() for text in texts)
        return any(self._text in text for text in texts)
