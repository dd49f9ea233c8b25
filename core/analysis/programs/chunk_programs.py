"""The programs of packets that no store keeps: of one chunk after the other, as they are captured.

`ChunkPrograms` finds the programs of a chunk before others get it, if that takes at most
`PATIENCE_S`. Waiting takes at most a fifth of the time (`WAITING_SHARE`); other flows have their
programs from a later chunk on.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from core.analysis.programs.echo_scan import EchoScan
from core.analysis.programs.flow_scan import FlowScan
from core.analysis.programs.program_finder import ProgramFinder
from core.analysis.programs.program_recorder import ProgramRecorder
from core.analysis.programs.program_table import ProgramTable
from core.analysis.tcp.flow_index import FlowSource
from core.decode.chunk import Chunk

PATIENCE_S = 0.05
WAITING_SHARE = 4


class ChunkPrograms:
    """Finds the programs of chunks with ascending numbers. One thread uses it."""

    def __init__(
        self,
        finder: ProgramFinder | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._finder = finder or ProgramFinder(clock)
        self._finder.prepare()
        self._scan, self._echo_scan = FlowScan(), EchoScan()
        self._recorder = ProgramRecorder()
        self._next_wait_s = float("-inf")

    @property
    def trouble(self) -> str:
        """One line about why no programs are found; empty if they are."""
        return self._finder.trouble

    def take(self, chunk: Chunk, source: FlowSource) -> ProgramTable:
        """Return what is known of programs after the next chunk."""
        flows = source.reaching(chunk.last)
        began_s = self._clock()
        asked = self._scan.of_chunk(chunk, began_s)
        self._recorder.locate(asked, flows)
        self._finder.ask([*asked, *self._echo_scan.of_chunk(chunk, began_s)])
        answers = self._finder.step(PATIENCE_S)
        if began_s >= self._next_wait_s:
            end_s = began_s + PATIENCE_S
            while self._finder.first_unanswered is not None and self._clock() < end_s:
                before = len(answers)
                answers += self._finder.step(end_s - self._clock())
                if len(answers) == before:
                    time.sleep(PATIENCE_S / 10)
        now_s = self._clock()
        self._next_wait_s = now_s + WAITING_SHARE * (now_s - began_s)
        self._recorder.add(answers, flows, chunk.last, self._echo_scan.packets)
        return self._recorder.table
