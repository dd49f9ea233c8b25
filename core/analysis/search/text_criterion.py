"""Search for a text, in the bytes of packets and in their rows of the table.

The bytes of many packets are searched at once (about 1 GB/s), and before the first packet whose
bytes contain the text, the rows: so the nearest match is found, whichever kind it is. Most rows
are built from the chunk's columns (`core.decode.summaries`), and each text that several rows have
is searched once; the other packets are dissected (about 50 µs each).

Most packets are TCP segments and UDP datagrams, whose Info lines have few words. Where the text has
another word, their lines need not be written, nor addresses where it has a letter that none has:
that makes the search for most texts twice as fast.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.analysis.reassembly.chunk_pieces import with_pieces
from core.analysis.reassembly.fragment_index import SnapshotFragments
from core.analysis.search.criteria import Answer, ByteCriterion, Rows, first_of
from core.analysis.tcp.flow_table import NO_FLOWS, FlowTable
from core.analysis.tcp.info_marks import MARK_WORDS
from core.decode.chunk import Chunk
from core.decode.summaries import LeftOut, Summaries, Texts, summaries
from core.store.budget import Budget
from core.store.snapshot import Snapshot
from core.wire.model.address_texts import ADDRESS_CHARACTERS
from core.wire.model.field import Span
from core.wire.present.summary import summarize
from core.wire.protocol import INFO_MARKS, Protocol
from core.wire.registry import PROTOCOLS

BLOCK = 4096  # rows that columns write at once
_GAP = "\0"  # between the texts of a row: no match crosses it
_BETWEEN_WORDS = re.compile(f"[0-9{re.escape(INFO_MARKS)}]+")
_WORDED = tuple(protocol for protocol in PROTOCOLS if protocol.info_texts)


def _info_texts(protocol: Protocol) -> tuple[str, ...]:
    """Return the texts that Info lines of a protocol may have between numbers and marks."""
    marks = MARK_WORDS if protocol.name == "tcp" else ()
    return (*protocol.info_texts, *marks)


class RowTexts:
    """Writes the texts of packets as their rows show them: addresses, protocol, and Info.

    `flows` makes TCP numbers relative, as far as they are known.
    """

    def __init__(self, flows: FlowTable = NO_FLOWS) -> None:
        self._flows = flows

    def by_columns(self, chunk: Chunk, rows: Rows, left_out: LeftOut) -> Summaries | None:
        """Return the texts of some rows, ascending; None after an internal error."""
        first, last = int(rows[0]), int(rows[-1])
        try:
            part = chunk.rows(first, last + 1)
            bases = None if "tcp" in left_out.info else self._flows.bases(part)
            if len(rows) < len(part):
                part = part.copied(rows - first)
                bases = None if bases is None else bases.take(rows - first)
            return summaries(part, bases, left_out)
        except Exception:  # internal; each packet is dissected instead
            return None

    def of_packet(self, snapshot: Snapshot, chunk: Chunk, row: int) -> str:
        """Return the text of one row; empty if rawscope fails to describe its packet."""
        try:
            part = with_pieces(chunk.rows(row, row + 1), SnapshotFragments(snapshot))
            summary = summarize(part.dissect(0), self._flows.base(part.first))
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
        self, text: str, *, ignores_case: bool = True, flows: FlowTable = NO_FLOWS
    ) -> None:
        self._bytes = ByteCriterion(text.encode(), ignores_case=ignores_case)
        self._rows = RowTexts(flows)
        self._ignores_case = ignores_case
        self._text = self._folded(text)
        self._left_out = LeftOut(
            addresses=not set(self._text) <= ADDRESS_CHARACTERS,
            checksums=True,
            info=frozenset(
                protocol.name for protocol in _WORDED if not self._may_be_in(_info_texts(protocol))
            ),
        )

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
        found = self._rows.by_columns(chunk, rows[::step], self._left_out)
        is_match = np.zeros(len(rows), dtype=np.bool_)
        is_unknown = ~is_match
        if found is not None:
            for column in (found.source, found.destination, found.protocol, found.info):
                is_match |= self._matches(column)
            is_unknown = np.fromiter((each is None for each in found.info), np.bool_, len(rows))
        for index in np.flatnonzero((is_match | is_unknown)[::step]).tolist():
            row = int(rows[index])
            if is_match[::step][index] or self._is_in(self._rows.of_packet(snapshot, chunk, row)):
                return Answer(row, index + 1)
            if budget.is_spent:
                return Answer(None, index + 1)
        return Answer(None, len(rows))

    def _matches(self, column: Texts) -> NDArray[np.bool_]:
        """Return a mask (k,) of the texts that contain the text; None contains nothing."""
        texts = column.tolist()
        matching = {each for each in set(texts) if each is not None and self._is_in(each)}
        if not matching:
            return np.zeros(len(texts), dtype=np.bool_)
        return np.fromiter((each in matching for each in texts), np.bool_, len(texts))

    def span_in(self, data: bytes) -> Span | None:
        """Return the first place of the text in the bytes; None if only the row has it."""
        return self._bytes.span_in(data)

    def _is_in(self, text: str) -> bool:
        return self._text in self._folded(text)

    def _may_be_in(self, texts: Sequence[str]) -> bool:
        """Return False if the text has a word that none of these texts contains."""
        words = filter(None, _BETWEEN_WORDS.split(self._text))
        return all(any(word in self._folded(each) for each in texts) for word in words)

    def _folded(self, text: str) -> str:
        return text.casefold() if self._ignores_case else text
