"""The programs that a file names, in the comments that rawscope wrote (`remark_text`).

`FilePrograms` is an `Analyzer` of a file's packets on the screen; `CommentedPrograms` does the same
with one chunk after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from core.analysis.programs.answer import Answer
from core.analysis.programs.ends import ends_of, with_ends
from core.analysis.programs.flow_scan import Flow
from core.analysis.programs.program_recorder import ProgramRecorder
from core.analysis.programs.program_table import ProgramTable, programs_of
from core.analysis.programs.remark_text import PREFIX, parse_remark
from core.analysis.tcp.flow_index import FlowSource, index_of
from core.decode.chunk import Chunk
from core.store.budget import Budget
from core.store.snapshot import Snapshot

MOST_AT_ONCE = 256
"""Packets whose comments are read before the budget is tested again."""
MOST_TRIES = 8
"""Attempts in one step to list comments that another thread changes."""


class CommentedPrograms:
    """Reads the comments of chunks with ascending numbers, as `ChunkPrograms` asks the kernel."""

    trouble = ""

    def __init__(self) -> None:
        self._recorder = ProgramRecorder()

    def take(self, chunk: Chunk, flows: FlowSource) -> ProgramTable:
        """Return what is known of programs after the next chunk."""
        if answers := list(_answers(chunk, chunk.comments)):
            self._recorder.add(answers, flows.reaching(chunk.last), chunk.last)
        return self._recorder.table


class FilePrograms:
    """Reads the comments of a file's packets that the analysis of flows has reached.

    It publishes in the `ProgramIndex` of their store, which nothing else does for a file. `through`
    is the last packet whose comments it has read.
    """

    def __init__(self) -> None:
        self.through = 0
        self._recorder = ProgramRecorder()

    def extend(self, snapshot: Snapshot, budget: Budget) -> bool:
        """Implement `Analyzer.extend`. Return False also when it has to wait for the flows."""
        flows = index_of(snapshot).published
        through = min(flows.through, snapshot.count)
        read = self.through
        numbers = _commented(snapshot) if read < through else None
        while numbers is not None and read < through:
            chunk = next(iter(snapshot.chunks_after(read)), None)
            last = through if chunk is None else min(chunk.last, through)
            answers: list[Answer] = []
            if chunk is not None:
                start, stop = np.searchsorted(numbers, (max(read, chunk.first - 1), last), "right")
                if stop - start > MOST_AT_ONCE:
                    stop = start + MOST_AT_ONCE
                    last = int(numbers[stop - 1])
                rows = {
                    number - chunk.first: snapshot.comments.get(number, ())
                    for number in numbers[start:stop].tolist()
                }
                answers = list(_answers(chunk, rows))
            read = last
            self._recorder.add(answers, flows, last)
            if budget.is_spent:
                break
        programs_of(snapshot).published = self._recorder.table
        self.through = read
        return read < through

    def forget(self, first: int) -> None:
        """Do nothing: the number of programs is bounded."""


def file_programs_of(snapshot: Snapshot) -> FilePrograms:
    """Return the programs of the file whose packets are in the store of a snapshot."""
    return snapshot.annotations.of(FilePrograms)


def _commented(snapshot: Snapshot) -> NDArray[np.int64] | None:
    """Return the numbers (k,) of the packets that have comments, ascending.

    Return None if another thread changes the comments during each of `MOST_TRIES` attempts.
    """
    for _ in range(MOST_TRIES):
        try:
            return np.sort(np.fromiter(snapshot.comments, np.int64))
        except RuntimeError:  # it changed its size
            continue
    return None


def _answers(chunk: Chunk, comments: Mapping[int, Sequence[str]]) -> Iterator[Answer]:
    """Yield the owners that comments name, which are by row."""
    named = {
        row: texts
        for row, texts in comments.items()
        if any(text.startswith(PREFIX) for text in texts)
    }
    if not named:
        return
    first = min(named)
    mask = with_ends(chunk.rows(first, max(named) + 1))
    for row, texts in named.items():
        if not mask[row - first]:
            continue
        source, destination = ends_of(chunk, row)
        ends = (source.text, destination.text)
        found = (parse_remark(text, ends) for text in texts)
        if owners := next(filter(None, found), ()):
            protocol = int(chunk.transport[row])
            yield Answer(Flow(protocol, chunk.first + row, source, destination, key=0), owners)
